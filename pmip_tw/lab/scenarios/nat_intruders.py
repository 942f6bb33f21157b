"""Who has no business behind the NATs: forged tunnel data, forged requests, a host that lies by DHCP."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from pmip_tw.addresses import Endpoint, Ipv4, ipv4
from pmip_tw.lab import hostile
from pmip_tw.lab.emitter import Emitter
from pmip_tw.lab.report import Result
from pmip_tw.lab.scenarios.nat_stage import NEIGHBOR, NODE, STRANGER, Stage
from pmip_tw.lab.sending import IP
from pmip_tw.lab.sites import BEHIND_NATS, CORRESPONDENT, LMA_ADDRESS
from pmip_tw.wire.dhcp import OptionCode
from pmip_tw.wire.encapsulation import TunnelData
from pmip_tw.wire.ipv4 import PROTOCOL_GRE, PROTOCOL_IP_IN_IP
from pmip_tw.wire.udp import udp_packet

EACH: Final = 50
"""Packets of each kind."""

FLOOD: Final = 200
"""Requests of each kind."""

RATE: Final = 500
OVERLOADED: Final = bytes((OptionCode.OVERLOAD, 1, 7, 255))
"""Options in places that there are not."""

UNFINISHED: Final = bytes((OptionCode.CLIENT_IDENTIFIER, 200, 1))
"""An option that ends behind the message."""

NOBODY: Final = ipv4("10.1.0.77")
"""A home address that nobody has."""


async def strike(stage: Stage, result: Result, home: Ipv4, endpoint: Endpoint) -> None:
    """A stranger in the core writes to the LMA in the name of the node, of its NAT, and in its own.

    ``endpoint``: the public address and port of the node's tunnel, which is all that an attacker has to know.
    """
    before, state = await stage.world.counts("lma"), await stage.state()
    data = list(_tunnel_data(home, endpoint)) * EACH
    await _send(stage, "forged-data", data)
    seen = await stage.world.counts("lma") - before
    result.check(
        "forged tunnel data is dropped",
        sum(count for (_, reason), count in seen.items() if reason) == len(data),
        _told(seen, len(data)),
    )
    before = await stage.world.counts("lma")
    requests = list(_requests(home)) * FLOOD
    await _send(stage, "forged-requests", requests)
    seen = await stage.world.counts("lma") - before
    result.check(
        "forged registrations and pre-tunnel requests are refused",
        sum(count for (_, reason), count in seen.items() if reason) == len(requests),
        _told(seen, len(requests)),
    )
    now = await stage.state()
    result.check(
        "no endpoint moves, no binding changes",
        state == now,
        f"{', '.join(await stage.endpoints())}, as before" if state == now else f"{state} became {now}",
    )


def _tunnel_data(home: Ipv4, endpoint: Endpoint) -> Iterable[bytes]:
    """Packets in UDP, each wrong in one thing."""
    lma, correspondent = Endpoint(ipv4(LMA_ADDRESS), 434), ipv4(CORRESPONDENT)
    stolen, invented = (hostile.echo_request(source, correspondent) for source in (home, NOBODY))
    to_lma = hostile.echo_request(home, ipv4(LMA_ADDRESS))
    elsewhere = (
        Endpoint(ipv4(STRANGER), 434),
        Endpoint(endpoint.address, endpoint.port ^ 1),
        Endpoint(ipv4(BEHIND_NATS["mag1"].address), 434),
        Endpoint(ipv4(BEHIND_NATS["mag2"].core_address), endpoint.port),
    )
    for source in elsewhere:
        for inner in (stolen, to_lma):
            yield _in_udp(source, lma, PROTOCOL_IP_IN_IP, inner)
    yield _in_udp(endpoint, lma, PROTOCOL_IP_IN_IP, invented)
    yield _in_udp(endpoint, lma, PROTOCOL_GRE, stolen)


def _in_udp(source: Endpoint, destination: Endpoint, next_header: int, inner: bytes) -> bytes:
    return udp_packet(source, destination, TunnelData(next_header=next_header, payload=inner).encode())


def _requests(home: Ipv4) -> Iterable[bytes]:
    """A registration and pre-tunnel requests, right in everything but the authenticator; and one of nobody's."""
    lma, care_of, wall = ipv4(LMA_ADDRESS), ipv4(BEHIND_NATS["mag1"].address), time.time()
    registration, *_ = hostile.forged_messages(
        nai=NODE.nai, spi=NODE.spi, home_address=home, home_agent=lma, care_of_address=care_of, wall=wall
    )
    pre_tunnels = [
        hostile.forged_pre_tunnel(
            nai=nai, spi=NODE.spi, mac=NODE.mac, home_agent=lma, care_of_address=care_of, wall=wall
        )
        for nai in (NODE.nai, NEIGHBOR.nai, "nobody@lab.example")
    ]
    for number, message in enumerate((registration, *pre_tunnels, pre_tunnels[0][:30])):
        yield udp_packet(Endpoint(ipv4(STRANGER), 20_000 + number), Endpoint(lma, 434), message)


async def lie_by_dhcp(stage: Stage, result: Result, home: Ipv4) -> None:
    """The neighbor, itself served, speaks DHCP as no client may."""
    liar = NEIGHBOR.mac
    lies = {
        "dhcp-spoofed-chaddr": [hostile.dhcp_discover(liar, NODE.mac, 1)],
        "dhcp-relayed": list(hostile.relayed_dhcp(liar)),
        "dhcp-not-a-request": [hostile.dhcp_offer(liar, home)],
        "malformed": [hostile.dhcp_with_options(liar, OVERLOADED)],
        "truncated": [hostile.dhcp_with_options(liar, UNFINISHED)],
    }
    before = await stage.world.counts("mag1")
    packets = [packet for kind in lies.values() for packet in kind] * EACH
    sender = await Emitter.start(stage.world, stage.neighbor.host, "eth0", packets, RATE, name="dhcp-lies")
    await sender.finished()
    grown = await stage.world.counts("mag1") - before
    counted = Counter({reason: count for (_, reason), count in grown.items()})
    wrong = {
        reason: counted[reason] for reason, kinds in lies.items() if counted[reason] != len(kinds) * EACH
    }
    result.check(
        "DHCP that lies is dropped",
        not wrong,
        f"{len(packets)} by {len(lies)} reasons" if not wrong else f"counted: {dict(counted)}",
    )


async def _send(stage: Stage, name: str, packets: Sequence[bytes]) -> None:
    sender = await Emitter.start(stage.world, stage.stranger, IP, packets, RATE * 2, name=name)
    await sender.finished()


def _told(seen: "Counter[tuple[str, str]]", sent: int) -> str:
    reasons = Counter({reason: count for (_, reason), count in seen.items() if reason})
    return f"{reasons.total()} of {sent}: " + ", ".join(f"{name} {count}" for name, count in reasons.items())
