"""All Diameter peers of ours, and what is asked of them: where a request goes, and what becomes of it.

```
   ask --> sent to a peer --answer--------------------------> Answered
             |      ^  \\--3002, 3004: to the next peer--+
             |      |                                    |
             |      +--- T flag, same End-to-End --------+<-- the peer is suspect or gone (RFC 6733 5.5.4)
             +--> waits for a peer
             \\--> Unanswered, when ``timeout`` is over
```
"""

from collections.abc import Container, Iterator, Mapping
from typing import Final

import attrs

from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.peer import Peer, State
from pmip_tw.aaa.diameter.peer_effects import Came, Changed, Connect, Disconnect, PeerPolicy, Transmit
from pmip_tw.aaa.diameter.peer_effects import Effect as PeerEffect
from pmip_tw.aaa.diameter.refusals import refusal
from pmip_tw.aaa.diameter.requests import Asked, refusal_of
from pmip_tw.errors import WireError
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe
from pmip_tw.mobility.observations import Detail, Observation
from pmip_tw.wire.diameter.avps import InvalidAvp
from pmip_tw.wire.diameter.codes import Result
from pmip_tw.wire.diameter.message import Message

MAXIMUM_ASKED: Final = 2048
"""Requests under way or waiting for a peer; what comes then is told that there is no room."""

_ELSEWHERE: Final = frozenset({Result.UNABLE_TO_DELIVER, Result.TOO_BUSY})
"""Another peer may know a way, or have time (RFC 6733 7.1.3)."""


@attrs.frozen(slots=True, kw_only=True)
class Answered:
    """``keys``: whether keys in it may be used. ``peer``: who gave it to us; Origin-Host says whose it is."""

    message: Message
    peer: str
    keys: bool


@attrs.frozen(slots=True)
class Unanswered:
    """``cause`` in words for a person."""

    cause: str


Outcome = Answered | Unanswered


@attrs.frozen(slots=True)
class Finished:
    """What ``ask`` gave this number is over."""

    request: int
    outcome: Outcome


@attrs.frozen(slots=True)
class Requested:
    """Somebody asks us; ``DiameterNode.respond`` answers."""

    peer: str
    message: Message


Effect = Connect | Transmit | Disconnect | Observe | Finished | Requested


class DiameterNode:
    """``peers``: by identity, in the order of preference. ``served``: commands that others may ask of us.

    ``timeout``: seconds from ``ask`` to Unanswered.
    """

    def __init__(
        self,
        identity: Identity,
        peers: Mapping[str, PeerPolicy],
        now: Now,
        *,
        timeout: float = 10.0,
        served: Container[int] = (),
    ) -> None:
        self._identity = identity
        self._timeout = timeout
        self._served = served
        self.peers = {name: self._peer(name, policy, now) for name, policy in peers.items()}
        self._asked: dict[int, Asked] = {}
        """In the order of their deadlines, which is the order in which they were asked."""
        self._underway: dict[tuple[str, int], Asked] = {}
        """By peer and Hop-by-Hop Identifier."""
        self._next_request = 0
        self._next_session = 0
        self._high = int(now.wall) & 0xFFFFFFFF
        # RFC 6733 3: unique for 4 minutes, over restarts too.
        self._next_end_to_end = (int(now.wall) & 0xFFF) << 20 | int.from_bytes(now.entropy(3), "big") >> 4

    def _peer(self, name: str, policy: PeerPolicy, now: Now) -> Peer:
        return Peer(name, policy, self._identity, int.from_bytes(now.entropy(4), "big"))

    @property
    def identity(self) -> Identity:
        return self._identity

    @property
    def closed(self) -> bool:
        """No peer has a connection."""
        return all(peer.state is State.CLOSED for peer in self.peers.values())

    def outstanding(self, peer: str) -> int:
        """How many requests are under way there."""
        return sum(asked.peer == peer for asked in self._asked.values())

    def new_session_id(self) -> str:
        """RFC 6733 8.8: never the same twice, as long as clocks go on."""
        self._next_session += 1
        return f"{self._identity.host};{self._high};{self._next_session}"

    # --- requests of ours -------------------------------------------------------------------------------

    def ask(self, message: Message, now: Now, subject: str = "") -> tuple[int, Iterator[Effect]]:
        """Send a request; its identifiers are set here. The number, and what to do, of which Finished may be part.

        ``subject``: for observations, whose session it is about.
        """
        self._next_request += 1
        number = self._next_request
        return number, self._begin(number, message, subject, now)

    def _begin(self, number: int, message: Message, subject: str, now: Now) -> Iterator[Effect]:
        if len(self._asked) >= MAXIMUM_ASKED:
            yield Finished(number, Unanswered(f"{MAXIMUM_ASKED} Diameter requests wait for answers already"))
            return
        self._next_end_to_end = (self._next_end_to_end + 1) & 0xFFFFFFFF
        header = attrs.evolve(message.header, end_to_end=self._next_end_to_end)
        asked = Asked(
            number=number,
            message=attrs.evolve(message, header=header),
            subject=subject,
            began=now.monotonic,
            deadline=now.monotonic + self._timeout,
        )
        self._asked[number] = asked
        yield from self._send(asked, now)

    def _send(self, asked: Asked, now: Now) -> Iterator[Effect]:
        """To the best peer that was not tried, if there is any; it waits for one otherwise."""
        peer = self._route(asked)
        if peer is None:
            return
        asked.sent_to(peer.name, peer.take_identifier())
        self._underway[peer.name, asked.hop_by_hop] = asked
        try:
            transmit = peer.transmit(asked.message)
        except ValueError as error:
            yield from self._finish(asked, Unanswered(str(error)))
            return
        yield transmit
        yield self._about(asked, "diameter-request-sent", details={"peer": peer.host})

    def _route(self, asked: Asked) -> Peer | None:
        """RFC 6733 6.1: the destination itself if it is a peer, else one that leads to its realm."""
        possible = [
            peer
            for peer in self.peers.values()
            if peer.name not in asked.tried
            and (not peer.policy.realms or asked.realm in peer.policy.realms)
            and peer.capabilities is not None
            and peer.capabilities.can(asked.application)
        ]
        # Whoever comes back is trusted again only if nobody else is there.
        for wanted in (
            [peer for peer in possible if peer.usable],
            [peer for peer in possible if peer.returning],
        ):
            direct = [peer for peer in wanted if peer.host.lower() == asked.host]
            if direct or wanted:
                return (direct or wanted)[0]
        return None

    def _answered(self, peer: Peer, message: Message, now: Now) -> Iterator[Effect]:
        header = message.header
        asked = self._underway.get((peer.name, header.hop_by_hop))
        complaint = _mismatch(asked, message)
        if asked is None or complaint:
            yield self._discarded(peer, complaint, "unasked")
            return
        try:
            result = message.result
        except InvalidAvp as error:
            yield self._discarded(peer, f"{message.name}: {error}", "malformed")
            return
        details: dict[str, Detail] = {
            "peer": peer.host,
            "result": result,
            "seconds": round(now.monotonic - asked.began, 6),
        }
        yield self._about(asked, "diameter-answer", details=details)
        if result in _ELSEWHERE:
            asked.causes.append(f"{peer.host}: {message.explained()}")
            asked.tried.add(peer.name)
            del self._underway[peer.name, header.hop_by_hop]
            asked.peer = ""
            yield from self._send(asked, now)
            if asked.peer:
                return
        yield from self._finish(asked, Answered(message=message, peer=peer.host, keys=peer.policy.keys))

    def _finish(self, asked: Asked, outcome: Outcome) -> Iterator[Effect]:
        self._underway.pop((asked.peer, asked.hop_by_hop), None)
        del self._asked[asked.number]
        if isinstance(outcome, Unanswered):
            yield self._about(asked, "diameter-no-answer", cause=outcome.cause, reason="no-answer")
        yield Finished(asked.number, outcome)

    # --- requests of others -----------------------------------------------------------------------------

    def respond(self, peer: str, message: Message) -> Iterator[Effect]:
        """Our answer to what came as Requested; nothing happens if its peer is gone."""
        known = self.peers.get(peer)
        if known is not None and known.state is State.OPEN:
            yield from self._respond(known, message)

    def _respond(self, peer: Peer, message: Message) -> Iterator[Effect]:
        try:
            yield peer.transmit(message)
        except ValueError as error:  # of what the request had, which comes back
            yield self._discarded(peer, f"the {message.name} to a request of it: {error}", "answer-too-long")

    def _requested(self, peer: Peer, message: Message) -> Iterator[Effect]:
        refused = refusal_of(message, self._identity, self._served, keys=peer.policy.keys)
        if refused is None:
            yield Requested(peer.name, message)
            return
        result, cause, failed = refused
        yield self._discarded(peer, f"{message.name}: {cause}", result.name.lower().replace("_", "-"))
        yield from self._respond(peer, refusal(self._identity, message, result, cause, failed))

    # --- peers ------------------------------------------------------------------------------------------

    def start(self, now: Now) -> Iterator[Effect]:
        for peer in self.peers.values():
            yield from self._of(peer, peer.start(now), now)

    def accepted(self, name: str, policy: PeerPolicy, now: Now) -> Iterator[Effect]:
        """Somebody has connected to us."""
        peer = self.peers[name] = self._peer(name, policy, now)
        yield from self._of(peer, peer.connected(now), now)

    def connected(self, name: str, now: Now) -> Iterator[Effect]:
        peer = self.peers[name]
        yield from self._of(peer, peer.connected(now), now)

    def connection_failed(self, name: str, cause: str, now: Now) -> Iterator[Effect]:
        peer = self.peers[name]
        yield from self._of(peer, peer.connection_failed(cause, now), now)

    def connection_lost(self, name: str, cause: str, now: Now) -> Iterator[Effect]:
        peer = self.peers[name]
        yield from self._of(peer, peer.connection_lost(cause, now), now)

    def octets_received(self, name: str, octets: bytes, now: Now) -> Iterator[Effect]:
        peer = self.peers[name]
        yield from self._of(peer, peer.octets_received(octets, now), now)

    def stop(self, now: Now) -> Iterator[Effect]:
        """Say goodbye to all peers; what is under way is over. ``closed`` says when they have answered."""
        for asked in tuple(self._asked.values()):
            yield from self._finish(asked, Unanswered("Diameter is stopping"))
        for peer in tuple(self.peers.values()):
            yield from self._of(peer, peer.stop(now), now)

    def next_deadline(self) -> float | None:
        deadlines = [peer.next_deadline() for peer in self.peers.values()]
        first = next(iter(self._asked.values()), None)
        deadlines.append(None if first is None else first.deadline)
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def wake(self, now: Now) -> Iterator[Effect]:
        for peer in tuple(self.peers.values()):
            yield from self._of(peer, peer.wake(now), now)
        for asked in tuple(self._asked.values()):
            if asked.deadline > now.monotonic:
                break
            yield from self._finish(asked, Unanswered(self._silence(asked)))

    def _silence(self, asked: Asked) -> str:
        if asked.peer:
            where = f"{self.peers[asked.peer].host} gave no answer in {self._timeout:g} s"
            return "; ".join([*asked.causes, where])
        reasons = [
            f"{peer.host or peer.name}: {peer.cause or f'it is {peer.state.value}'}"
            for peer in self.peers.values()
            if not peer.usable
        ]
        ways = [peer for peer in self.peers.values() if peer.usable and peer.name not in asked.tried]
        if ways:
            reasons.append(f"no peer leads to {asked.realm} with application {asked.application}")
        return "; ".join([*asked.causes, *reasons]) or "no Diameter peer"

    def _of(self, peer: Peer, effects: Iterator[PeerEffect], now: Now) -> Iterator[Effect]:
        for effect in effects:
            if isinstance(effect, Came):
                if effect.message.header.request:
                    yield from self._requested(peer, effect.message)
                else:
                    yield from self._answered(peer, effect.message, now)
            elif isinstance(effect, Changed):
                yield from self._peer_changed(peer, now)
            else:
                yield effect
        if peer.policy.accepting and peer.state is State.CLOSED:
            self.peers.pop(peer.name, None)

    def _peer_changed(self, peer: Peer, now: Now) -> Iterator[Effect]:
        """Whatever waited for a peer has one now, or what was asked of this one is asked of another."""
        if not (peer.usable or peer.returning):
            for asked in [one for one in self._asked.values() if one.peer == peer.name]:
                if peer.state is State.CLOSED:
                    del self._underway[peer.name, asked.hop_by_hop]
                    asked.abandoned()
                elif self._route(asked) is not None:
                    # A suspect may still answer, and then nobody waits for it: the other's answer counts.
                    self._underway.pop((peer.name, asked.hop_by_hop), None)
                    asked.abandoned()
        for asked in tuple(self._asked.values()):
            if not asked.peer:
                yield from self._send(asked, now)

    # --- observations -----------------------------------------------------------------------------------

    def _about(
        self,
        asked: Asked,
        name: str,
        *,
        cause: str = "",
        reason: str = "",
        details: Mapping[str, Detail] | None = None,
    ) -> Observe:
        told: dict[str, Detail] = {"command": asked.message.name, **(details or {})}
        if asked.message.header.retransmitted:
            told["retransmitted"] = True
        return Observe(
            Observation(name=name, session=asked.subject, cause=cause, reason=reason, details=told)
        )

    def _discarded(self, peer: Peer, cause: str, reason: str) -> Observe:
        return Observe(
            Observation(
                name="diameter-discarded",
                cause=f"{peer.host or peer.name}: {cause}",
                reason=reason,
                details={"peer": peer.host or peer.name},
            )
        )


def _mismatch(asked: Asked | None, message: Message) -> str:
    """Why it is no answer to that; "" if it is."""
    if asked is None:
        return f"a {message.name} that nobody waits for"
    ours, theirs = asked.message.header, message.header
    if (ours.command, ours.application, ours.end_to_end) != (
        theirs.command,
        theirs.application,
        theirs.end_to_end,
    ):
        return f"a {message.name} with the Hop-by-Hop Identifier of our {asked.message.name}"
    try:
        session = message.session_id
    except WireError as error:
        return str(error)
    if session and session != asked.session_id:
        return f"a {message.name} about another session than our {asked.message.name}"
    return ""
