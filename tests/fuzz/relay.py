"""Damaged messages at a DHCP relay: of clients, of servers, of whoever pretends to be one of them."""

from collections.abc import Iterator
from contextlib import suppress

import attrs

from pmip_tw.addresses import ALL_ONES, BROADCAST_MAC, UNSPECIFIED, Endpoint, ipv4, mac, prefix
from pmip_tw.dhcp.questions import SILENCE
from pmip_tw.dhcp.relay import ToServer
from pmip_tw.dhcp.relay_agent import ClientLink, RelayAgent, RelayEffect, ToClient
from pmip_tw.dhcp.relaying import Circuit, Fact, RelayPolicy
from pmip_tw.errors import WireError
from pmip_tw.mobility.effects import Observe
from pmip_tw.wire.dhcp import BOOTREPLY, BOOTREQUEST, DhcpMessage, OptionCode
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.relay_information import RelayInformation
from pmip_tw.wire.udp import UdpDatagram, udp_packet
from tests.fuzz.target import Target
from tests.fuzz.wire import in_time
from tests.vectors import vectors

HEAD = 2
OURS, SERVER, STRANGER = ipv4("198.51.100.10"), ipv4("192.0.2.53"), ipv4("192.0.2.99")
CLIENT, HOME = mac("02:00:00:00:00:01"), ipv4("10.20.0.5")
BROADCAST, PACKET, OF_SERVER, OF_STRANGER, TO_US_ALONE = range(5)
TRUSTED, OVERRIDE, SELECTING = 0x10, 0x20, 0x40
"""In the first octet, beside who has sent it."""

ASKED = (None, 1, 3, 8)
"""By the second octet: what the client has asked before, with the transaction of the vectors."""

VECTORS = {vector["name"]: bytes.fromhex(vector["udp_payload_hex"]) for vector in vectors("dhcp")}
XID = DhcpMessage.decode(VECTORS["discover-from-client"]).xid
OURS_TO_CHANGE = (
    OptionCode.RELAY_AGENT_INFORMATION,
    OptionCode.SUBNET_SELECTION,
    OptionCode.RAPID_COMMIT,
)


def agent(mode: int) -> RelayAgent:
    facts = set(Fact) - (set() if mode & OVERRIDE else {Fact.SERVER_IDENTIFIER_OVERRIDE})
    if mode & SELECTING:
        facts.discard(Fact.LINK_SELECTION)
    circuit = Circuit(
        port="eth1",
        circuit_id=b"mag1:wlan0.7",
        subscriber_id=b"mn1",
        radius=((1, b"mn1"),),
        subnet=ipv4("10.20.0.0"),
        giaddr=OURS,
        trusted=bool(mode & TRUSTED),
    )
    policy = RelayPolicy(servers=(SERVER,), option_82=frozenset(facts), subnet_selection=True)
    return RelayAgent(policy, [ClientLink(name="eth1", prefix=prefix("10.20.0.0/24"), circuit=circuit)])


def ask(relay: RelayAgent, kind: int) -> None:
    message = DhcpMessage(
        op=BOOTREQUEST, xid=XID, chaddr=CLIENT, options=((53, bytes((kind,))), (50, HOME.to_bytes(4, "big")))
    )
    packet = udp_packet(Endpoint(UNSPECIFIED, 68), Endpoint(ALL_ONES, 67), message.encode())
    assert any(isinstance(effect, ToServer) for effect in relay.packet_received("eth1", packet, 100.0))


def check(octets: bytes) -> None:
    """Nothing is raised, nothing is invented, and nobody gets what he has not asked for."""
    if len(octets) < HEAD or octets[0] & 0xF > TO_US_ALONE:
        return
    mode, who, payload = octets[0] & 0xF0, octets[0] & 0xF, octets[HEAD:]
    relay = agent(mode)
    before = ASKED[octets[1] % len(ASKED)]
    if before is not None:
        ask(relay, before)
    effects = told(relay, who, payload)
    for effect in effects:
        if isinstance(effect, ToServer):
            unchanged(effect, payload)
        elif isinstance(effect, ToClient):
            assert before is not None and who == OF_SERVER
            asked_for(effect, payload, mode)
        else:
            assert isinstance(effect, Observe) and "not explained" not in effect.observation.name
    assert effects or who == PACKET or (who == BROADCAST and not payload)
    relay.wake(100.5 + SILENCE)
    assert relay.next_deadline() is None


def told(relay: RelayAgent, who: int, payload: bytes) -> list[RelayEffect]:
    found: list[list[RelayEffect]] = []

    def hear(octets: bytes) -> None:
        if who == BROADCAST:
            packet = udp_packet(Endpoint(UNSPECIFIED, 68), Endpoint(ALL_ONES, 67), octets)
            found.append(relay.packet_received("eth1", packet, 100.5))
        elif who == PACKET:
            found.append(relay.packet_received("eth1", octets, 100.5))
        else:
            source = {
                OF_SERVER: Endpoint(SERVER, 67),
                OF_STRANGER: Endpoint(STRANGER, 67),
                TO_US_ALONE: Endpoint(HOME, 68),
            }[who]
            found.append(relay.datagram_received(octets, source, OURS, 100.5))

    in_time(hear, payload)
    return found[0]


def unchanged(sent: ToServer, payload: bytes) -> None:
    """But for hops and giaddr, options 80, 82 and 118, and padding."""
    with suppress(WireError):  # unless it was a payload already
        payload = UdpDatagram.decode(Ipv4Packet.decode(payload)).payload
    came, goes = DhcpMessage.decode(payload), DhcpMessage.decode(sent.payload)
    assert came.op == BOOTREQUEST and goes.hops == came.hops + 1 <= 5
    assert goes.giaddr == (came.giaddr or OURS) and came.giaddr != OURS
    assert (sent.server, sent.source) == (SERVER, OURS)
    assert sent.payload[4:24] + sent.payload[28:44] == payload[4:24] + payload[28:44]
    kept = [option for option in came.options if option[0] not in OURS_TO_CHANGE]
    assert [option for option in goes.options if option[0] not in OURS_TO_CHANGE] == kept
    told = goes.option(OptionCode.RELAY_AGENT_INFORMATION)
    if came.giaddr:
        assert told == came.option(OptionCode.RELAY_AGENT_INFORMATION)
    elif told is not None:
        RelayInformation.decode(told)


def asked_for(sent: ToClient, payload: bytes, mode: int) -> None:
    """By that client, in that transaction; it does not see what only we have asked for."""
    packet = Ipv4Packet.decode(sent.packet)
    message = DhcpMessage.decode(UdpDatagram.decode(packet).payload)
    came = DhcpMessage.decode(payload)
    assert (message.op, message.xid, message.chaddr, message.giaddr) == (BOOTREPLY, XID, CLIENT, OURS)
    assert sent.destination in (CLIENT, BROADCAST_MAC) and packet.source == OURS
    assert message.option(OptionCode.RELAY_AGENT_INFORMATION) is None
    assert message.option(OptionCode.SUBNET_SELECTION) is None
    taken = (OptionCode.RELAY_AGENT_INFORMATION, OptionCode.SUBNET_SELECTION)
    kept = tuple(option for option in came.options if option[0] not in taken)
    assert attrs.evolve(message, options=()) == attrs.evolve(came, options=())
    assert message.options == kept


def seeds() -> Iterator[bytes]:
    for name, payload in VECTORS.items():
        whos = (OF_SERVER, OF_STRANGER) if payload[0] == BOOTREPLY else (BROADCAST, TO_US_ALONE)
        for who in whos:
            for asked in (0, 1):
                yield bytes((who | OVERRIDE, asked)) + payload
        yield bytes((whos[0] | TRUSTED | SELECTING, 1)) + payload
        if name == "discover-from-client":
            packet = udp_packet(Endpoint(UNSPECIFIED, 68), Endpoint(ALL_ONES, 67), payload)
            yield bytes((PACKET, 0)) + packet
    nak = DhcpMessage(
        op=BOOTREPLY,
        xid=XID,
        chaddr=CLIENT,
        giaddr=OURS,
        options=((53, b"\x06"), (54, SERVER.to_bytes(4, "big"))),
    )
    yield bytes((OF_SERVER, 2)) + nak.encode()


TARGET = Target(
    name="dhcp-relay",
    about="messages of DHCP clients and servers at a relay",
    check=check,
    seeds=seeds,
    floors=("wire", "dhcp"),
)
