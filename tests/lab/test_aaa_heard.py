"""What a capture heard of 802.1X and RADIUS, and how a ladder shows it."""

import attrs

from pmip_tw.addresses import Endpoint, Mac, ipv4
from pmip_tw.lab.heard import Heard, Listener
from pmip_tw.lab.ladder import NARROWEST, Step, draw
from pmip_tw.lab.messages import Kind
from pmip_tw.lab.pcapng import Direction, Packet
from pmip_tw.lab.scenarios.dot1x_story import BY_ACCESS_POINTS, BY_MAGS, folded
from pmip_tw.lab.sites import HOME as HOME_PREFIX
from pmip_tw.lab.terminal import Style
from pmip_tw.wire.eap import Eap, EapCode
from pmip_tw.wire.eapol import EAP_PACKET, LOGOFF, PAE_GROUP, START, Eapol
from pmip_tw.wire.ethernet import ETHERTYPE_EAPOL, ethernet_frame
from pmip_tw.wire.udp import udp_packet
from tests.lab.frames import GATEWAY, LMA, MAG1, MS, NODE, heard

AAA = ipv4("198.51.100.53")
OTHER = Mac(b"\2\0\0\0\0\x66")
LISTENER = Listener(
    access_taps=frozenset({"mag1-access"}),
    core_taps=frozenset({"mag1-core"}),
    eapol_taps=frozenset({"mag1-access"}),
    radius_taps=frozenset({"lma"}),
    home=HOME_PREFIX,
    nodes=frozenset({NODE}),
)


def frame(ms: float, source: Mac, destination: Mac, body: Eapol) -> Packet:
    octets = ethernet_frame(destination, source, ETHERTYPE_EAPOL, body.encode())
    return Packet(
        tap="mag1-access",
        time_ns=round(ms * MS),
        direction=Direction.OUTBOUND if source == GATEWAY else Direction.INBOUND,
        octets=octets,
        original_length=len(octets),
    )


def eap(code: EapCode, kind: int = 0, data: bytes = b"") -> Eapol:
    return Eapol(kind=EAP_PACKET, body=Eap(code=code, identifier=7, kind=kind, data=data).encode())


def radius(code: int, *attributes: tuple[int, bytes]) -> bytes:
    body = b"".join(bytes((kind, len(value) + 2)) + value for kind, value in attributes)
    return bytes((code, 9)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body


def to_aaa(payload: bytes, port: int = 1812) -> bytes:
    return udp_packet(Endpoint(MAG1, 40000), Endpoint(AAA, port), payload)


def labels(found: Heard) -> list[tuple[str, str]]:
    return [(message.label, message.note) for message in found.messages]


def test_a_conversation_of_a_node_and_its_authenticator() -> None:
    found = LISTENER.hear(
        [
            frame(1, NODE, PAE_GROUP, Eapol(kind=START)),
            frame(2, GATEWAY, NODE, eap(EapCode.REQUEST, 1)),
            frame(3, NODE, PAE_GROUP, eap(EapCode.RESPONSE, 1, b"anonymous")),
            frame(4, GATEWAY, NODE, eap(EapCode.REQUEST, 21, b"\x20")),
            frame(5, GATEWAY, NODE, eap(EapCode.SUCCESS)),
            frame(6, NODE, PAE_GROUP, Eapol(kind=LOGOFF)),
        ]
    )
    assert labels(found) == [
        ("EAPOL-Start", ""),
        ("EAP-Req id", ""),
        ("EAP-Resp id", "anonymous"),
        ("EAP-Req ttls", ""),
        ("EAP-Success", ""),
        ("EAPOL-Logoff", ""),
    ]
    assert [BY_MAGS.of(message) for message in found.messages] == [
        (0, 1), (1, 0), (0, 1), (1, 0), (1, 0), (0, 1),
    ]  # fmt: skip


def test_what_others_say_at_the_same_port_is_not_the_nodes() -> None:
    found = LISTENER.hear(
        [
            frame(1, OTHER, PAE_GROUP, Eapol(kind=START)),
            frame(2, GATEWAY, OTHER, eap(EapCode.REQUEST, 1)),
            frame(3, GATEWAY, PAE_GROUP, eap(EapCode.REQUEST, 1)),
            frame(4, OTHER, NODE, eap(EapCode.SUCCESS)),
        ]
    )
    assert [message.time_ns // MS for message in found.messages] == [3, 4]  # to everybody, and to the node


def test_a_body_shorter_than_it_says_is_undecodable() -> None:
    cut = frame(1, NODE, PAE_GROUP, eap(EapCode.RESPONSE, 1, b"somebody"))
    (found,) = LISTENER.hear([attrs.evolve(cut, octets=cut.octets[:-2])]).messages
    assert found.kind is Kind.UNDECODABLE and found.note


def test_radius_of_all_kinds_is_named_with_whom_it_is_about() -> None:
    mine = (1, b"mn1@lab.example")
    found = LISTENER.hear(
        [
            heard("mag1-core", 1, to_aaa(radius(1, mine, (79, b"\2\1\0\4")))),
            heard("mag1-core", 2, to_aaa(radius(11))),
            heard("mag1-core", 3, to_aaa(radius(4, mine, (40, (2).to_bytes(4, "big"))), 1813)),
            heard("mag1-core", 4, to_aaa(radius(40, mine), 3799)),
            heard("mag1-core", 5, to_aaa(radius(99, mine))),
            heard("mag1-core", 6, to_aaa(b"\1\2\3")),
        ]
    )
    assert labels(found) == [
        ("Access-Request", "mn1@lab.example"),
        ("Challenge", ""),
        ("Acct Stop", "mn1@lab.example"),
        ("Disconnect-Req", "mn1@lab.example"),
    ]
    assert found.messages[0].attributes.joined(79) == b"\2\1\0\4"


def test_where_only_radius_is_wanted_nothing_else_is_heard() -> None:
    found = LISTENER.hear(
        [
            heard("lma", 1, udp_packet(Endpoint(LMA, 40000), Endpoint(AAA, 1812), radius(1))),
            heard("lma", 2, udp_packet(Endpoint(MAG1, 434), Endpoint(LMA, 434), b"\1\2\3")),
        ]
    )
    assert labels(found) == [("Access-Request", "")]
    assert found.strays == []


def test_attributes_that_are_cut_short_end_there() -> None:
    whole = radius(1, (1, b"mn1"), (31, b"02-00"))
    (found,) = LISTENER.hear([heard("mag1-core", 1, to_aaa(whole[:-2]))]).messages
    assert found.attributes.pairs == ((1, b"mn1"),)


def test_an_access_point_is_the_lane_between() -> None:
    (found,) = LISTENER.hear([frame(1, NODE, PAE_GROUP, Eapol(kind=START))]).messages
    assert BY_ACCESS_POINTS.of(found) == (0, 1)


def test_a_narrow_ladder_keeps_every_label_whole() -> None:
    style = Style(width=NARROWEST)
    for label in ("EAP-Req mschapv2", "EAPOL-Logoff", "Acct Response", "Disconnect-NAK", "Acct Interim"):
        step = Step(time_ns=0, source=1, destination=2, label=label[:15])
        assert label[:15] in draw(step, 0, style)


def step(label: str, phase: int = 1) -> Step:
    return Step(time_ns=0, source=0, destination=1, label=label, phase=phase)


def test_rounds_of_eap_are_counted_when_they_are_many() -> None:
    a_round = [step(label) for label in ("EAP-Req ttls", "EAP-Resp ttls", "Access-Request", "Challenge")]
    few = [*a_round, *a_round[:3], step("Access-Accept")]
    assert list(folded(few)) == few
    many = [*a_round * 4, *a_round[:3], step("Access-Accept"), step("EAP-Req id", phase=2)]
    shortened = list(folded(many))
    assert [one.label for one in shortened] == [
        "EAP-Req ttls",
        "EAP-Resp ttls",
        "Access-Request",
        "Challenge",
        "EAP-Resp ttls",
        "Access-Request",
        "Access-Accept",
        "EAP-Req id",
    ]
    assert [one.note for one in shortened if one.note] == ["after 3 more rounds"]
    fewer = [*a_round * 2, *a_round[:3], step("Access-Accept")]
    assert [one.note for one in folded(fewer) if one.note] == ["after 1 more round"]
