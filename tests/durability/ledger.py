"""What mobile nodes were promised: every answer that an LMA gave, and every request that it may have obeyed.

Only what is seen from outside counts. A request without an answer may have been obeyed or not; everything else is
certain, and whatever is certain must be found after a restart. Instants are monotonic seconds of this process.
"""

from collections import deque
from collections.abc import Sequence

import attrs

from pmip_tw.addresses import Ipv4, ipv4_text
from tests.durability.seen import Asked, Broken, Grant, Row

PATIENCE = 1.0
"""Seconds after which a request is given up, and the node asks anew."""

SLACK = 1.5
"""Seconds: lifetimes are told in whole ones, and what has expired is removed once in a second."""

_REMEMBERED = 12
"""Lines of a node's story."""

_CAPTURED = 4
"""Requests of each node that somebody may repeat."""


@attrs.define(slots=True)
class _Node:
    """``grant``: what the last answer said. ``kept_until``: its home address is nobody else's before.

    ``accepted``: the last request that was; ``maybe``: newer ones, who knows. ``superseded``: older ones.
    """

    grant: Grant | None = None
    pending: list[Asked] = attrs.field(factory=list)
    home_address: int = 0
    kept_until: float = 0.0
    accepted: Asked | None = None
    maybe: list[Asked] = attrs.field(factory=list)
    superseded: deque[Asked] = attrs.field(factory=lambda: deque(maxlen=_CAPTURED))
    story: deque[tuple[float, str]] = attrs.field(factory=lambda: deque(maxlen=_REMEMBERED))


class Ledger:
    """Of ``nodes`` mobile nodes. ``hold``: seconds for which an address is kept for who had it (P80)."""

    def __init__(self, nodes: int, *, hold: float) -> None:
        self._nodes = [_Node() for _ in range(nodes)]
        self._hold = hold
        self._pending: dict[int, Asked] = {}
        # Superseded by an answer at another MAG: theirs may have been given before, and be read after it.
        self._overtaken: set[int] = set()
        self._users: dict[int, int] = {}
        self._revoked: dict[tuple[int, int], int] = {}
        self.broken: list[Broken] = []

    # What a node does next depends on this

    def grant_of(self, node: int, now: float) -> Grant | None:
        """Its binding, unless that may be over."""
        grant = self._nodes[node].grant
        return grant if grant is not None and now < grant.earliest_end else None

    def uncertain(self, node: int) -> bool:
        """Whether it may have a request that was obeyed and not answered."""
        return bool(self._nodes[node].pending)

    def waits(self, node: int, now: float) -> bool:
        """Whether an answer may still come."""
        pending = self._nodes[node].pending
        return bool(pending) and now - pending[-1].at < PATIENCE

    # What happened

    def asked(self, asked: Asked) -> None:
        node = self._nodes[asked.node]
        node.pending.append(asked)
        self._pending[asked.sequence] = asked
        # From now on the address may be given back earlier than was said.
        node.kept_until = min(node.kept_until, asked.at + asked.lifetime + self._hold)
        node.story.append((asked.at, f"asks MAG {asked.mag} for {asked.lifetime} s, number {asked.sequence}"))

    def answered(
        self,
        node: int,
        sequence: int,
        code: int,
        lifetime: int,
        home: int,
        at: float,
        *,
        timestamp: int | None = None,
    ) -> bool:
        """A reply came; whether anybody waited for it. ``timestamp``: for revocations (137), if it has one."""
        asked = self._pending.pop(sequence, None)
        known = self._nodes[node]
        known.story.append(
            (at, f"is answered {code}: {lifetime} s for {ipv4_text(Ipv4(home))}, number {sequence}")
        )
        if asked is None:
            if sequence in self._overtaken:
                self._overtaken.remove(sequence)
            elif code <= 1 and sequence in {one.sequence for one in self.captured(node, at)}:
                self._break(
                    "an old request changes nothing", node, f"number {sequence} is accepted once more"
                )
            return False
        if code > 1:
            overtaken = asked is not known.pending[-1]
            known.pending.remove(asked)
            if not overtaken:
                self._break("a request that breaks no rule is accepted", node, f"it is refused with {code}")
            return True
        self._supersede(known, asked)
        used = self._revoked.get((home, asked.mag), 0)
        if timestamp is not None and timestamp < used:
            self._break(
                "a registration is no earlier than revocations before it (RV6)",
                node,
                f"its timestamp {timestamp} comes after {used}",
            )
        if lifetime == 0:
            known.grant = None
            known.kept_until = asked.at + self._hold
        else:
            self._use(node, home, at)
            known.grant = Grant(home, asked.mag, asked.at + lifetime, at + lifetime)
            known.kept_until = asked.at + lifetime + self._hold
        return True

    def _supersede(self, known: _Node, asked: Asked) -> None:
        """``asked`` was the last that the LMA obeyed: those before it have been obeyed too, or never will be."""
        before = known.pending[: known.pending.index(asked)]
        for one in before:
            self._pending.pop(one.sequence, None)
            if one.mag != asked.mag:
                self._overtaken.add(one.sequence)
        older = [known.accepted] if known.accepted else []
        known.superseded.extend([*older, *known.maybe, *before])
        known.accepted, known.maybe = asked, []
        del known.pending[: len(before) + 1]

    def _use(self, node: int, home_address: int, at: float) -> None:
        known = self._nodes[node]
        if known.home_address not in (0, home_address) and at < known.kept_until:
            self._break(
                "a node keeps its home address",
                node,
                f"it has {ipv4_text(Ipv4(home_address))} in place of {ipv4_text(Ipv4(known.home_address))}",
            )
        user = self._users.get(home_address, node)
        if (
            user != node
            and self._nodes[user].home_address == home_address
            and at < self._nodes[user].kept_until
        ):
            self._break(
                "a home address is one node's",
                node,
                f"it has {ipv4_text(Ipv4(home_address))} of node {user}",
                also=user,
            )
        known.home_address = home_address
        self._users[home_address] = node

    def silence(self) -> None:
        """Everything that was on its way has been heard."""
        self._overtaken.clear()

    def revoked(self, home_address: int, mag: int, identifier: int, node: int) -> None:
        """A MAG is told that a registration is over; told again, it is by a later identifier."""
        before = self._revoked.get((home_address, mag), 0)
        if identifier <= before:
            self._break("identifiers of revocations grow (RV14)", node, f"{identifier} comes after {before}")
        self._revoked[home_address, mag] = identifier

    # What others may have captured

    def captured(self, node: int, now: float) -> list[Asked]:
        """Requests of it that are void: newer ones were obeyed, or their binding has expired."""
        known = self._nodes[node]
        expired = known.grant is not None and not known.pending and known.grant.latest_end + SLACK < now
        return [*known.superseded, *([known.accepted] if known.accepted and expired else ())]

    # After a restart

    def audit(self, rows: Sequence[Row], began: float, ended: float) -> None:
        """``rows`` are all bindings, read between the two instants. From then on they are what is certain."""
        by_node: dict[int, Row] = {}
        by_address: dict[int, int] = {}
        for row in rows:
            if row.node in by_node:
                self._break("a node has one binding", row.node, f"it has {by_node[row.node]} and {row}")
            by_node[row.node] = row
            if by_address.setdefault(row.home_address, row.node) != row.node:
                address = ipv4_text(Ipv4(row.home_address))
                other = by_address[row.home_address]
                self._break(
                    "a home address is one node's", row.node, f"{address} is node {other}'s, too", also=other
                )
        for number, node in enumerate(self._nodes):
            if node.grant is None and not node.pending and number not in by_node:
                continue
            self._compare(number, by_node.get(number), began, ended)
            self._settle(number, by_node.get(number), began, ended)

    def _compare(self, number: int, row: Row | None, began: float, ended: float) -> None:
        outcomes = self._outcomes(self._nodes[number], began)
        grants = [outcome for outcome in outcomes if outcome is not None]
        if row is None:
            if len(grants) == len(outcomes) and all(one.earliest_end > ended + SLACK for one in grants):
                self._break("what was answered is there after the restart", number, "it has no binding")
            return
        seen = f"it has {ipv4_text(Ipv4(row.home_address))} at MAG {row.mag} for {row.remaining} s"
        alive = [one for one in grants if one.latest_end > began - SLACK]
        if not grants:
            self._break("what was de-registered is gone", number, seen)
        elif not alive:
            self._break("what has expired is gone", number, seen)
        elif not any(one.home_address in (0, row.home_address) for one in alive):
            self._break("a node keeps its home address", number, seen)
        elif not any(one.mag == row.mag for one in alive):
            self._break("a binding is where the last answer said", number, seen)
        elif not any(one.mag == row.mag and _fits(row.remaining, one, began, ended) for one in alive):
            self._break("a lifetime goes on over a restart", number, seen)

    def _outcomes(self, node: _Node, now: float) -> list[Grant | None]:
        """What may be true: the last answer, or any request that was not answered, obeyed at any time until ``now``."""
        home = node.grant.home_address if node.grant else 0
        return [
            node.grant,
            *(
                Grant(home, asked.mag, asked.at + asked.lifetime, now + asked.lifetime)
                if asked.lifetime
                else None
                for asked in node.pending
            ),
        ]

    def _settle(self, number: int, row: Row | None, began: float, ended: float) -> None:
        node = self._nodes[number]
        for asked in node.pending:
            self._pending.pop(asked.sequence, None)
        node.maybe += node.pending
        node.pending.clear()
        if row is None:
            node.grant = None
            node.story.append((ended, "has no binding after the restart"))
            return
        self._use(number, row.home_address, ended)
        end = row.remaining - SLACK
        node.grant = Grant(row.home_address, row.mag, began + end, ended + end + 2 * SLACK)
        node.kept_until = node.grant.earliest_end + self._hold
        node.story.append((ended, f"has a binding at MAG {row.mag} for {row.remaining} s after the restart"))

    def _break(self, promise: str, node: int, seen: str, *, also: int | None = None) -> None:
        story = self._told(node)
        if also is not None:
            story += [f"node {also}:", *self._told(also)]
        self.broken.append(Broken(promise, node, seen, story))

    def _told(self, node: int) -> list[str]:
        return [f"  {at:12.3f}  {text}" for at, text in self._nodes[node].story]


def _fits(remaining: int, grant: Grant, began: float, ended: float) -> bool:
    return grant.earliest_end - ended - SLACK <= remaining <= grant.latest_end - began + SLACK
