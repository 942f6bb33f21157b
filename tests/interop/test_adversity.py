"""The scenario ``adversity`` as a person runs it, and what it is made of."""

from random import Random

import pytest

from pmip_tw.access.evidence import evidence
from pmip_tw.addresses import Endpoint, ipv4, mac
from pmip_tw.lab import hostile
from pmip_tw.lab.freeradius import PROGRAM as FREERADIUS
from pmip_tw.lab.pcapng import Direction, Packet
from pmip_tw.lab.pinging import parse
from pmip_tw.lab.programs import ProgramError
from pmip_tw.lab.scenarios.adversity_flood import outstanding
from pmip_tw.lab.scenarios.adversity_intruders import judge_answers
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.dhcp import DhcpMessage
from pmip_tw.wire.ethernet import ETHERTYPE_ARP, EthernetFrame
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.registration import RegistrationRequest
from pmip_tw.wire.udp import UdpDatagram, udp_packet
from tests.conformance import covers
from tests.interop.scenario import Outcome, assert_checks, outcome_of

TROUBLES = ("wrong RADIUS secret", "RADIUS down", "LMA down", "LMA with another key", "pool exhausted")
CHECKS = {
    *(f"{what}: no address, and the trace says why" for what in TROUBLES),
    *(f"{what}: it recovers" for what in TROUBLES),
    "LMA with another key: it counts that",
    "spoofed source address is dropped",
    "spoofed ARP sender address is dropped",
    "spoofed ARP sender MAC is dropped",
    "spoofed DHCP chaddr is dropped",
    "same MAC on a second interface is dropped",
    "its owner notices nothing",
    "no spoofed packet arrives",
    "noise to the MAG is counted",
    "noise to the LMA is counted",
    "noise gets no answer",
    "noise changes nothing",
    "flood: no ping is lost",
    "flood: pings stay fast",
    "flood: registrations stay",
    "flood: memory is bounded",
    "flood: AAA is spared",
    "after the flood somebody new is served",
    "no traceback, and the capture is whole",
}
HOME, GATEWAY = ipv4("10.1.0.2"), ipv4("10.1.0.1")
LMA, MAG = ipv4("198.51.100.1"), ipv4("198.51.100.11")
GATEWAY_MAC = mac("02:00:5e:50:4d:49")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return outcome_of(
        "adversity",
        tmp_path_factory.mktemp("adversity"),
        needs=(FREERADIUS, "ping", "dhclient"),
        within=240,
        alone=True,
    )


def test_it_has_exactly_these_checks(outcome: Outcome) -> None:
    assert_checks(outcome, CHECKS)


@covers("P48", "P83")
@pytest.mark.parametrize("name", sorted(CHECKS))
def test_check(outcome: Outcome, name: str) -> None:
    checks = {check["name"]: check for check in outcome["checks"]}
    assert name in checks, f"the scenario did not come so far: {checks}"
    assert checks[name]["passed"], checks[name]["detail"]


def test_the_crowd_was_as_big_as_announced(outcome: Outcome) -> None:
    """A sender that cannot keep its pace would prove nothing: for that part of the machine which others left to it."""
    measured = outcome["measurements"]
    assert measured["flood_frames_s"] > 9000 * measured["processors_left"]


# --- what the scenario is made of -----------------------------------------------------------------------


def crowd(count: int) -> list[bytes]:
    return list(
        hostile.strangers(
            count, gateway_mac=GATEWAY_MAC, gateway=GATEWAY, destination=ipv4("203.0.113.9"), chance=Random(1)
        )
    )


def test_every_stranger_is_somebody_else_and_shows_that_it_is_there() -> None:
    """Each frame is evidence of an attachment; otherwise the flood would be none."""
    frames = [EthernetFrame.decode(octets) for octets in crowd(300)]
    assert len({frame.source for frame in frames}) == 300
    shown = [evidence(frame, GATEWAY_MAC) for frame in frames]
    assert {found.kind.value for found in shown if found} == {"dhcp", "arp", "ipv4"}
    assert None not in shown


def test_spoofed_frames_are_right_in_all_but_the_name() -> None:
    """They decode, so that what turns them away is the lie."""
    liar, node = mac("02:00:00:00:00:02"), mac("02:00:00:00:00:01")
    release = EthernetFrame.decode(hostile.dhcp_release(liar, node, HOME, GATEWAY))
    message = DhcpMessage.decode(UdpDatagram.decode(Ipv4Packet.decode(release.payload)).payload)
    assert (release.source, message.chaddr, message.ciaddr) == (liar, node, HOME)
    packet = Ipv4Packet.decode(
        EthernetFrame.decode(
            hostile.ip_frame(liar, GATEWAY_MAC, hostile.echo_request(HOME, ipv4("203.0.113.9")))
        ).payload
    )
    assert packet.source == HOME
    assert hostile.MARK in packet.payload
    assert EthernetFrame.decode(hostile.arp_request(liar, node, HOME, GATEWAY)).ethertype == ETHERTYPE_ARP


def forged() -> tuple[bytes, ...]:
    return hostile.forged_messages(
        nai="mn1@lab.example", spi=4096, home_address=HOME, home_agent=LMA, care_of_address=MAG, wall=1.8e9
    )


def test_noise_has_every_kind_of_datagram_and_is_the_same_each_time() -> None:
    noise = list(hostile.meaningless(2000, forged(), Random(7)))
    assert noise == list(hostile.meaningless(2000, forged(), Random(7)))
    assert {octets[0] for octets in noise if octets} >= {1, 3, 7, 15, 4, 250}
    assert b"" in noise
    assert set(forged()) <= set(noise)
    request = RegistrationRequest.decode(forged()[0])
    assert request.nai == b"mn1@lab.example"


def answer(to: str, kind: int, code: int, seconds: float) -> Packet:
    """What the LMA sent, as a capture has it."""
    return _packet(
        Endpoint(LMA, 434), Endpoint(ipv4(to), 5000), bytes((kind, code)) + bytes(18), "lma", seconds
    )


def _packet(source: Endpoint, destination: Endpoint, payload: bytes, tap: str, seconds: float) -> Packet:
    octets = bytes(12) + b"\x08\x00" + udp_packet(source, destination, payload)
    return Packet(
        tap=tap,
        time_ns=int(seconds * 1e9),
        direction=Direction.OUTBOUND,
        octets=octets,
        original_length=len(octets),
    )


REPLY, ACK = MessageType.REGISTRATION_REPLY, MessageType.REVOCATION_ACK


def test_an_answer_to_a_stranger_is_found_and_a_rare_131_is_not_held_against_anybody() -> None:
    rare = [answer("198.51.100.66", REPLY, 131, second) for second in (5.0, 6.0, 7.01)]
    assert judge_answers(rare) == ([], 3)
    assert judge_answers([answer("198.51.100.66", REPLY, 0, 1.0)])[0] == ["type 3 to 198.51.100.66"]
    assert judge_answers([answer("198.51.100.66", ACK, 0, 1.0)])[0] == ["type 15 to 198.51.100.66"]
    often = [answer("198.51.100.11", REPLY, 131, second) for second in (5.0, 5.5)]
    assert judge_answers(often)[0] == ["131 twice within a second to 198.51.100.11"]
    assert judge_answers([answer("198.51.100.11", REPLY, 0, 1.0)]) == ([], 0)


def test_outstanding_counts_requests_without_an_answer_and_no_request_twice() -> None:
    mag, aaa = Endpoint(MAG, 40000), Endpoint(ipv4("198.51.100.53"), 1812)

    def request(identifier: int, at: float) -> Packet:
        return _packet(mag, aaa, bytes((1, identifier)) + bytes(18), "aaa", at)

    def reject(identifier: int, at: float) -> Packet:
        return _packet(aaa, mag, bytes((3, identifier)) + bytes(18), "aaa", at)

    said = [
        request(1, 1.0),
        request(2, 1.1),
        request(2, 1.2),
        reject(1, 1.3),
        request(3, 1.4),
        reject(2, 1.5),
    ]
    assert outstanding(said) == (2, 3)


PING = """\
PING 203.0.113.9 (203.0.113.9) 56(84) bytes of data.
64 bytes from 203.0.113.9: icmp_seq=1 ttl=63 time=0.80 ms
64 bytes from 203.0.113.9: icmp_seq=2 ttl=63 time=1.20 ms
64 bytes from 203.0.113.9: icmp_seq=2 ttl=63 time=1.30 ms (DUP!)

--- 203.0.113.9 ping statistics ---
4 packets transmitted, 2 received, +1 duplicates, 50% packet loss, time 30ms
"""


def test_what_ping_prints() -> None:
    found = parse(PING)
    assert (found.sent, found.lost, found.median) == (4, 2, 1.0)
    with pytest.raises(ProgramError, match="ping did not work"):
        parse("ping: connect: Network is unreachable")
