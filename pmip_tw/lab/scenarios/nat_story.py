"""What happened in ``nat``, for one screen: how the node came, what kept it, and how it moved and left."""

from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from pmip_tw.addresses import ipv4, ipv4_text
from pmip_tw.lab.heard import Heard
from pmip_tw.lab.ladder import NARROWEST, Lanes, Phase, Step, header, steps
from pmip_tw.lab.messages import Kind, Message
from pmip_tw.lab.scenarios.journey import called
from pmip_tw.lab.scenarios.nat_seen import Seen
from pmip_tw.lab.scenarios.nat_stage import DHCP_SERVER, NODE, RELAY
from pmip_tw.lab.scenarios.telling import divider, drawn_phase, short
from pmip_tw.lab.sites import AAA_ADDRESS, BEHIND_NATS, LMA_ADDRESS
from pmip_tw.lab.terminal import Style

LANES: Final = Lanes(
    names=("MN", "MAG", "LMA", "DHCP", "AAA"),
    roles={
        **{ipv4(site.core_address): 1 for site in BEHIND_NATS.values()},
        ipv4(LMA_ADDRESS): 2,
        ipv4(RELAY): 2,
        ipv4(DHCP_SERVER): 3,
        ipv4(AAA_ADDRESS): 4,
    },
    gateways=dict.fromkeys(BEHIND_NATS, 1),
)
"""A MAG and its NAT are one lane: what leaves it has the address and port that the NAT has made of it."""

_NODE, _MAG, _LMA = 0, 1, 2
_PUBLIC: Final = {ipv4(site.core_address) for site in BEHIND_NATS.values()}
_ATTACHED, _SILENT, _REBOOTED, _RENEWED, _RELEASED = 0, -1, -2, -3, -4
"""Phases; those of the moves are their numbers."""


@attrs.frozen(slots=True, kw_only=True)
class Story:
    """``gaps``: milliseconds without an echo reply, for each move; ``outage``: from
    when to when there was none after the NAT's reboot, Unix nanoseconds."""

    heard: Heard
    seen: Seen
    gaps: Sequence[float | None]
    outage: tuple[int, int] | None

    def lines(self, style: Style, client: str, server: str, ladder: str) -> list[str]:
        """``ladder``: where all of ``full`` is, for a terminal that is too narrow."""
        drawn = style.wrapped(
            f"MN: {client}, ping, iperf3, nothing of ours. Each MAG is behind a NAT of its own, which forgets after "
            f"15 s, and both have the address {BEHIND_NATS['mag1'].address}. DHCP: {server}, which only the LMA "
            f"reaches. {self._endpoints()}",
            code="2",
        )
        told, moves = self._told(), self.seen.journey.moves
        fits = style.width >= NARROWEST
        if not fits:
            drawn += style.wrapped(f"the ladder needs {NARROWEST} columns: less -S {ladder}")
        else:
            drawn.append(header(LANES, style))
            drawn += self._phases(told, style, moves=1)
        first = 2 if fits else 1
        if len(moves) >= first:
            drawn.append(divider(f"moves {first} to {len(moves)}: milliseconds since each", style))
            with_aaa = bool(self.heard.named("access-request"))
            for number in range(first, len(moves) + 1):
                gap = self._gap(number)
                drawn += short(told, number, moves[number - 1], gap, style, with_aaa=with_aaa)
        if fits:
            drawn += drawn_phase(told, _RENEWED, "renewal of the lease, through the tunnel", style)
            drawn += drawn_phase(told, _RELEASED, f"release by {client}", style)
        return drawn

    def full(self, style: Style) -> list[str]:
        """Every message of the node's."""
        told = self._told()
        drawn = [header(LANES, style), *self._phases(told, style, moves=len(self.seen.journey.moves))]
        drawn += drawn_phase(told, _RENEWED, "renewal", style)
        return [*drawn, *drawn_phase(told, _RELEASED, "release", style)]

    def _phases(self, told: Sequence[Step], style: Style, *, moves: int) -> Iterator[str]:
        """From the attachment to so many moves."""
        seen = self.seen
        yield from drawn_phase(told, _ATTACHED, "attachment at MAG 1", style)
        silence = (seen.spoken_ns - seen.silent_ns) / 1e9
        title = f"{silence:.0f} s of silence, then the correspondent pings the MN"
        yield from drawn_phase(told, _SILENT, title, style, seen.silent_ns)
        title = "NAT 1 forgets its mappings: " + (
            "no answer any more"
            if self.outage is None
            else f"{(self.outage[1] - self.outage[0]) / 1e9:.1f} s without an answer"
        )
        yield from drawn_phase(told, _REBOOTED, title, style, seen.reboot_ns)
        for number, move in enumerate(seen.journey.moves[:moves], 1):
            title = f"move {number} to {called(move.to)}, {self._gap(number)}"
            yield from drawn_phase(told, number, title, style, move.began_ns)

    def _gap(self, number: int) -> str:
        gap = self.gaps[number - 1]
        return "no answer any more" if gap is None else f"gap {gap:.1f} ms"

    def _endpoints(self) -> str:
        """As whom the LMA has seen MAG 1, in turn."""
        known = dict.fromkeys(
            f"{ipv4_text(message.source.address)}:{message.source.port}"
            for message in self.heard.named("request")
            if message.tap == "mag1-nat"
        )
        return f"The LMA saw MAG 1 as {', '.join(known)}." if known else ""

    # --- what belongs where -----------------------------------------------------------------------------

    def _told(self) -> list[Step]:
        phases = list(self._when())
        messages = []
        for message in self.heard.messages:
            phase = next((one for one in phases if one.began_ns <= message.time_ns < one.ended_ns), None)
            if phase is not None and _matters(message, phase, self.seen.journey.address):
                messages.append(_noted(message, phase))
        told = steps(attrs.evolve(self.heard, messages=messages), phases, LANES)
        return sorted([*told, *self._own()], key=lambda step: step.time_ns)

    def _when(self) -> Iterator[Phase]:
        seen = self.seen
        yield Phase(number=_ATTACHED, began_ns=seen.attach_ns, ended_ns=seen.neighbor_ns)
        yield Phase(number=_SILENT, began_ns=seen.silent_ns, ended_ns=seen.reboot_ns)
        yield Phase(number=_REBOOTED, began_ns=seen.reboot_ns, ended_ns=seen.rebooted_ns)
        moves = seen.journey.moves
        ends = [*(move.began_ns for move in moves[1:]), seen.renew_ns]
        for number, (move, ended) in enumerate(zip(moves, ends, strict=True), 1):
            yield Phase(number=number, began_ns=move.began_ns, ended_ns=ended, gateway=move.to, arrival=True)
        yield Phase(number=_RENEWED, began_ns=seen.renew_ns, ended_ns=seen.released_ns)
        yield Phase(number=_RELEASED, began_ns=seen.released_ns, ended_ns=seen.gone_ns)

    def _own(self) -> Iterator[Step]:
        """Keepalives of MAG 1, and the packets by which one sees that the node is reached."""
        seen = self.seen
        lma = ipv4(LMA_ADDRESS)
        for phase, began, ended in (
            (_SILENT, seen.silent_ns, seen.spoken_ns),
            (_REBOOTED, seen.reboot_ns, seen.rebooted_ns),
        ):
            for echo in self.heard.echoes:
                if echo.tap == "mag1-nat" and began <= echo.time_ns < ended:
                    if echo.request and echo.destination == lma:
                        yield _data(echo.time_ns, _MAG, _LMA, "keepalive", phase)
                    elif not echo.request and echo.source == lma:
                        yield _data(echo.time_ns, _LMA, _MAG, "its answer", phase)
        at_node = [echo for echo in self.heard.echoes if echo.tap == "mn" and echo.inbound]
        reached = [echo for echo in at_node if echo.request and echo.time_ns >= seen.spoken_ns]
        if reached:
            yield _data(reached[0].time_ns, _LMA, _NODE, "first request", _SILENT)
        if self.outage is not None:
            yield _data(self.outage[1], _LMA, _NODE, "first answer", _REBOOTED)


def _data(time_ns: int, source: int, destination: int, label: str, phase: int) -> Step:
    return Step(time_ns=time_ns, source=source, destination=destination, label=label, data=True, phase=phase)


def _matters(message: Message, phase: Phase, address: str) -> bool:
    """The node's own. In the silence only others spoke; while NAT 1 was down they were busy at MAG 2, and the neighbor
    was registered anew as well."""
    if phase.number == _SILENT or message.kind is Kind.UNDECODABLE:
        return False
    if phase.number == _REBOOTED:
        return message.tap == "mag1-nat"
    if message.dhcp is not None:
        return message.dhcp.chaddr == NODE.mac
    return message.kind is not Kind.REGISTRATION or message.code > 1 or message.note in (NODE.nai, address)


def _noted(message: Message, phase: Phase) -> Message:
    """With a note of what a NAT has made of its sender, or of the other MAG that it is about."""
    mag, _, side = message.tap.partition("-")
    if phase.gateway not in ("", mag) and side == "nat":
        return attrs.evolve(message, note=called(mag))
    if message.source.address in _PUBLIC and message.kind is not Kind.RADIUS:
        return attrs.evolve(message, note=f"{ipv4_text(message.source.address)}:{message.source.port}")
    return message
