"""What the wire must show in ``nat``: what the LMA tells the DHCP server, what leaves a MAG, and how often."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from pmip_tw.addresses import ipv4
from pmip_tw.lab.datagrams import read_ip, read_udp
from pmip_tw.lab.dhcp_servers import Lease, agent_options
from pmip_tw.lab.heard import Heard
from pmip_tw.lab.messages import Message
from pmip_tw.lab.pcapng import Direction, Packet
from pmip_tw.lab.report import Result
from pmip_tw.lab.scenarios.nat_stage import DHCP_SERVER, KEEPALIVE, NODE, OPTION_82
from pmip_tw.lab.sites import HOME, LMA_ADDRESS
from pmip_tw.wire.dhcp import OptionCode

_ETHERNET: Final = 14
_UNFIT: Final = {4: "IP-in-IP", 47: "GRE", 50: "ESP", 55: "minimal encapsulation"}
"""What does not pass the NATs."""

_LMA: Final = ipv4(LMA_ADDRESS)
_SERVER: Final = ipv4(DHCP_SERVER)
_UNUSED: Final = "10"
"""Flags (RFC 5010) are told together with the override."""


def to_server(heard: Heard) -> list[Message]:
    """DHCP on its way to the server."""
    return [one for one in heard.messages if one.tap == "dhcp" and one.destination.address == _SERVER]


def judge_option_82(heard: Heard, lease: Lease | None, result: Result) -> None:
    """Every relayed message of the node tells what was configured, and nothing else; the server has understood."""
    relayed = [
        one.dhcp for one in to_server(heard) if one.dhcp and one.dhcp.giaddr and one.dhcp.chaddr == NODE.mac
    ]
    expected = {
        "remote-id": bytes(NODE.mac),
        "subscriber-id": NODE.nai.encode(),
        "link-selection": HOME.network.to_bytes(4, "big"),
        "server-id-override": _LMA.to_bytes(4, "big"),
    }
    wrong = []
    for message in relayed:
        told = agent_options(message.option(OptionCode.RELAY_AGENT_INFORMATION) or b"")
        told.pop(_UNUSED, None)
        if set(told) != set(OPTION_82) or any(told[name] != value for name, value in expected.items()):
            wrong.append(", ".join(f"{name}={value.hex()}" for name, value in told.items()) or "nothing")
    kept = {} if lease is None else {name: value for name, value in lease.agent.items() if name in expected}
    misread = [name for name, value in kept.items() if value != expected[name]]
    result.check(
        "option 82 as configured, on the wire and at the server",
        bool(relayed) and not wrong and bool(kept) and not misread,
        f"{len(relayed)} messages: {', '.join(OPTION_82)}"
        if relayed and not wrong and kept and not misread
        else f"{len(relayed)} relayed; wrong: {wrong[:1]}; the server kept {kept}",
    )


def judge_relaying(heard: Heard, silence_ns: tuple[int, int], result: Result) -> None:
    """The LMA alone is a relay; what has none comes from the node that it is about; no lie arrives."""
    asked = [one for one in to_server(heard) if one.dhcp is not None]
    foreign = [
        one.name
        for one in asked
        if one.dhcp
        and (
            (one.dhcp.giaddr, one.source.address) != (_LMA, _LMA)
            if one.dhcp.giaddr
            else one.source.address != one.dhcp.ciaddr or not one.dhcp.ciaddr
        )
    ]
    late = [one.name for one in asked if silence_ns[0] <= one.time_ns < silence_ns[1]]
    outside = [stray for stray in heard.strays if "DHCP" in stray.text]
    result.check(
        "nobody but the LMA relays",
        bool(asked) and not (foreign or late or outside),
        f"{len(asked)} messages to the server"
        if not (foreign or late or outside)
        else f"foreign: {foreign}; of those who lie: {late}; outside the tunnel: {len(outside)}",
    )


def judge_keepalives(
    heard: Heard, packets: Sequence[Packet], silence_ns: tuple[int, int], result: Result
) -> None:
    """In the silence MAG 1 says as much as keeps one mapping, for however many nodes it has."""
    upstream = [packet.time_ns for packet in packets if _is_upstream(packet, "mag1-nat")]
    before = max((time_ns for time_ns in upstream if time_ns < silence_ns[0]), default=silence_ns[0])
    inside = [time_ns for time_ns in upstream if silence_ns[0] <= time_ns < silence_ns[1]]
    kept = [
        echo.time_ns
        for echo in heard.echoes
        if echo.tap == "mag1-nat"
        and echo.request
        and echo.tunnelled
        and echo.destination == _LMA
        and silence_ns[0] <= echo.time_ns < silence_ns[1]
    ]
    expected = (silence_ns[1] - before) // (KEEPALIVE * 1_000_000_000)
    gaps = [(later - earlier) / 1e9 for earlier, later in pairwise([before, *kept])]
    result.check(
        "keepalives as the interval allows, for all nodes together",
        inside == kept and len(kept) == expected,
        f"{len(kept)} of MAG 1 with 2 nodes, after {', '.join(f'{gap:.1f}' for gap in gaps) or '-'} s"
        if inside == kept
        else f"{len(kept)} keepalives, {expected} expected, and {len(inside) - len(kept)} other packets",
    )
    rate = round(60 * len(gaps) / sum(gaps), 1) if gaps else None
    result.measurements["keepalives_per_minute"] = rate


def _is_upstream(packet: Packet, tap: str) -> bool:
    if packet.tap != tap or packet.direction is not Direction.OUTBOUND or packet.octets[12:14] != b"\x08\x00":
        return False
    header = read_ip(packet.octets, _ETHERNET)
    datagram = read_udp(packet, header) if header.protocol == 17 else None
    return datagram is not None and datagram.destination.address == _LMA and datagram.destination.port == 434


def judge_encapsulation(packets: Sequence[Packet], result: Result) -> None:
    """All that MAGs put into tunnels is in UDP."""
    found = [
        _UNFIT[packet.octets[23]]
        for packet in packets
        if packet.tap.endswith(("-core", "-nat"))
        and packet.octets[12:14] == b"\x08\x00"
        and packet.octets[23] in _UNFIT
    ]
    result.check(
        "no IP-in-IP packet leaves a MAG",
        not found,
        f"{len(found)}: {', '.join(sorted(set(found)))}" if found else "all in UDP",
    )
