"""Every refusal code that a MAG can provoke; each changes nothing and names its cause."""

import pytest

from pmip_tw.addresses import ALL_ONES, Endpoint, Ipv4, ipv4
from pmip_tw.lma.registration.intake import MOST_131
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.replay import ntp_seconds, ntp_timestamp
from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.secret import Secret
from pmip_tw.wire.extension_values import UdpTunnelRequest
from pmip_tw.wire.registration import COLOCATED, GRE, MINIMAL, REVERSE_TUNNEL, RegistrationReply
from tests.conformance import covers
from tests.lma.anchor import FIRST_ADDRESS, LMA, MAG1, MAG2, NAT, Anchor, association, bound, nai, reply_in

FORCED_99 = UdpTunnelRequest(forced=True, encapsulation=99)
CRITICAL_VENDOR = bytes((38, 0, 0, 8)) + bytes(8)


@pytest.fixture(params=["new", "bound"])
def anchor(request: pytest.FixtureRequest) -> Anchor:
    """Every refusal is tried on a node without a binding and on one that must keep what it has."""
    anchor = Anchor(handover_min_interval=0.0)
    if request.param == "bound":
        anchor.accept()
    return anchor


class Test129:
    @covers("H12", "N18")
    def test_nat_without_udp_tunnelling(self, anchor: Anchor) -> None:
        assert "N18" in anchor.deny(129, source=NAT).cause

    @covers("H10", "P28")
    def test_home_address_of_another_pool(self, anchor: Anchor) -> None:
        anchor.deny(129, home_address=ipv4("172.16.0.1"))

    @covers("H10", "P28")
    def test_home_address_of_someone_else(self, anchor: Anchor) -> None:
        theirs = anchor.accept(2).home_address
        anchor.deny(129, home_address=theirs)

    @covers("H10")
    @pytest.mark.parametrize("last", [0, 1, 7])
    def test_network_gateway_and_broadcast(self, anchor: Anchor, last: int) -> None:
        anchor.deny(129, home_address=ipv4(f"10.1.0.{last}"))

    @covers("P19", "P28", "DY1")
    def test_who_then_asks_for_any_gets_one(self) -> None:
        anchor = Anchor()
        taken = anchor.accept(2).home_address
        anchor.deny(129, 1, home_address=taken)
        assert anchor.accept(1).home_address not in (0, taken)

    @covers("P30")
    def test_another_address_than_the_bound_one(self) -> None:
        """P30, even if the other one is free."""
        anchor = Anchor()
        anchor.accept()
        assert "P30" in anchor.deny(129, home_address=ipv4("10.1.0.5")).cause


class Test130:
    @covers("H10")
    def test_pool_empty(self) -> None:
        anchor = Anchor(home="10.1.0.0/30")
        anchor.accept(1)
        assert "pool" in anchor.deny(130, 2).cause

    @covers("H14")
    def test_packet_plane_fails(self, anchor: Anchor) -> None:
        """A renewal asks nothing of it."""
        anchor.broken = "add route: no memory"
        assert "no memory" in anchor.deny(130, 1, MAG2).cause

    @covers("P79")
    def test_moves_too_often(self) -> None:
        """P79: the first move is free, the next one waits for the interval; renewals are no moves."""
        anchor = Anchor(handover_min_interval=1.0)
        anchor.accept(1, MAG1)
        anchor.accept(1, MAG2)
        anchor.clock.advance(0.9)
        assert "P79" in anchor.deny(130, 1, MAG1).cause
        anchor.accept(1, MAG2)
        anchor.clock.advance(0.1)
        anchor.accept(1, MAG1)

    @covers("P79")
    def test_a_refused_move_does_not_start_the_interval_again(self) -> None:
        anchor = Anchor(handover_min_interval=1.0)
        anchor.accept(1, MAG1)
        anchor.accept(1, MAG2)
        for _ in range(4):
            anchor.clock.advance(0.2)
            anchor.deny(130, 1, MAG1)
        anchor.clock.advance(0.2)
        anchor.accept(1, MAG1)


class Test131:
    """A wrong key is told, signed with ours, but not more than once a second (H4)."""

    def forged(self, anchor: Anchor) -> bytes:
        wrong = SecurityAssociation(association(1).spi, Secret(b"another key"))
        return anchor.request().encode(mn_ha=wrong)

    @covers("H4")
    def test_wrong_key(self, anchor: Anchor) -> None:
        before = anchor.state()
        [answer] = anchor.hear(self.forged(anchor))
        assert reply_in(answer, 1).code == 131
        assert anchor.state() == before
        assert (anchor.notes[-1].name, anchor.notes[-1].reason) == ("message-discarded", "bad-authenticator")

    @covers("H4")
    def test_one_answer_a_second_and_source_address(self, anchor: Anchor) -> None:
        assert len(anchor.hear(self.forged(anchor), MAG1)) == 1
        assert anchor.hear(self.forged(anchor), MAG1) == []
        assert anchor.hear(self.forged(anchor), MAG1, port=5000) == []
        assert len(anchor.hear(self.forged(anchor), MAG2)) == 1
        anchor.clock.advance(0.99)
        assert anchor.hear(self.forged(anchor), MAG1) == []
        anchor.clock.advance(0.01)
        assert len(anchor.hear(self.forged(anchor), MAG1)) == 1

    @covers("H4")
    def test_invented_sources_have_a_limit_together(self, anchor: Anchor) -> None:
        payload = self.forged(anchor)
        for _ in range(2):
            sources = [Ipv4(MAG1 + number) for number in range(MOST_131 + 50)]
            assert sum(len(anchor.hear(payload, source)) for source in sources) == MOST_131
            anchor.clock.advance(1)

    @covers("H4")
    def test_a_changed_octet_anywhere(self) -> None:
        """Whatever is flipped: never an accepting reply, never a state."""
        anchor = Anchor()
        whole = anchor.datagram()
        for position in range(1, len(whole)):
            changed = bytearray(whole)
            changed[position] ^= 0x01
            for answer in anchor.hear(bytes(changed)):
                assert RegistrationReply.decode(answer.datagram).code == 131
            assert anchor.state() == ([], {})

    @covers("I12")
    def test_a_wrong_key_with_a_later_identification_blocks_nothing(self, anchor: Anchor) -> None:
        """I12: replay state is not touched by what is not authentic."""
        wrong = SecurityAssociation(association(1).spi, Secret(b"another key"))
        anchor.hear(anchor.request(skew=6).encode(mn_ha=wrong))
        anchor.accept()


class Test133:
    @covers("H5", "I6")
    @pytest.mark.parametrize("skew", [7.5, -7.5, 3600, -3600, 2.0**31])
    def test_outside_the_window(self, anchor: Anchor, skew: float) -> None:
        anchor.deny(133, skew=skew)

    @covers("I6")
    @pytest.mark.parametrize("skew", [6.9, -6.9])
    def test_inside_the_window(self, skew: float) -> None:
        Anchor().accept(skew=skew)

    @covers("I6")
    @pytest.mark.parametrize(("ticks", "code"), [(0, 1), (1, 133)])
    @pytest.mark.parametrize("side", [1, -1])
    def test_the_edge_belongs_to_the_window(self, side: int, ticks: int, code: int) -> None:
        anchor = Anchor()
        edge = ntp_timestamp(anchor.clock.wall + side * 7) + side * ticks
        assert anchor.ask(identification=edge).code == code

    @covers("I8")
    def test_the_reply_tells_our_time(self) -> None:
        """I8: low half as asked, high half our clock; with it the next request is accepted."""
        anchor = Anchor()
        asked = anchor.request(skew=-500)
        [answer] = anchor.hear(asked.encode(mn_ha=association(1)))
        reply = reply_in(answer, 1)
        assert reply.identification >> 32 == ntp_seconds(anchor.clock.wall)
        offset = (reply.identification >> 32) - (asked.identification >> 32)
        anchor.accept(skew=-500 + offset)

    @covers("I6", "P31")
    def test_equal_is_not_later(self) -> None:
        anchor = Anchor(handover_min_interval=0.0)
        same = anchor.request().identification
        anchor.accept(1, MAG1, identification=same)
        anchor.deny(133, 1, MAG2, identification=same)
        anchor.deny(133, 1, MAG1, identification=same - 1)
        anchor.accept(1, MAG1, identification=same + 1)

    @covers("I8")
    def test_rejected_timestamps_are_not_remembered(self, anchor: Anchor) -> None:
        anchor.deny(133, skew=8)
        anchor.accept()

    @covers("P33")
    def test_after_a_fast_clock_the_next_mag_is_told_a_time_that_works(self) -> None:
        """P33: beyond the last accepted one, inside the window."""
        anchor = Anchor(handover_min_interval=0.0)
        anchor.accept(1, MAG1, skew=4.5)
        low = 0x80000000
        reply = anchor.ask(1, MAG2, identification=ntp_seconds(anchor.clock.wall) << 32 | low)
        assert reply.code == 133
        assert reply.identification >> 32 == ntp_seconds(anchor.clock.wall) + 5
        anchor.accept(1, MAG2, identification=reply.identification)

    @covers("P33")
    def test_never_told_a_time_outside_the_window(self) -> None:
        anchor = Anchor(handover_min_interval=0.0)
        anchor.accept(1, MAG1, skew=6.9)
        reply = anchor.ask(1, MAG2)
        assert reply.identification >> 32 == ntp_seconds(anchor.clock.wall) + 6

    @covers("P33")
    def test_literal_rfc_behaviour_on_request(self) -> None:
        anchor = Anchor(handover_min_interval=0.0, resync_beyond_last=False)
        anchor.accept(1, MAG1, skew=4.5)
        assert anchor.ask(1, MAG2).identification >> 32 == ntp_seconds(anchor.clock.wall)


class Test134:
    @covers("H12", "N20")
    def test_udp_tunnel_request_before_mn_ha_without_d(self, anchor: Anchor) -> None:
        anchor.deny(134, flags=REVERSE_TUNNEL, udp_tunnel=UdpTunnelRequest())

    @covers("H12", "N20")
    def test_udp_tunnel_request_after_mn_ha_with_d(self, anchor: Anchor) -> None:
        anchor.deny(134, udp_tunnel=UdpTunnelRequest(), agent_part=frozenset({144}))

    @covers("H9")
    @pytest.mark.parametrize("bit", [0x01, 0x04])
    def test_reserved_bits_only_where_strict(self, bit: int) -> None:
        flags = REVERSE_TUNNEL | COLOCATED | bit
        Anchor().accept(flags=flags)
        Anchor(strict_reserved_bits=True).deny(134, flags=flags)


class TestWhatIsAskedFor:
    @covers("H8")
    @pytest.mark.parametrize("home_agent", [0, ALL_ONES, ipv4("192.0.2.2")])
    def test_136_another_home_agent(self, anchor: Anchor, home_agent: int) -> None:
        """The reply names ours; RFC 4433's assignment is not offered."""
        assert "192.0.2.1" in anchor.deny(136, home_agent=home_agent).cause
        assert RegistrationReply.decode(anchor.sent[-1].datagram).home_agent == LMA

    @covers("H11")
    def test_138_no_reverse_tunnel(self, anchor: Anchor) -> None:
        anchor.deny(138, flags=COLOCATED)

    @covers("H11")
    @pytest.mark.parametrize("flag", [GRE, MINIMAL])
    def test_139_other_encapsulations(self, flag: int) -> None:
        anchor = Anchor(encapsulations=frozenset({Encapsulation.IP_IN_IP}))
        assert "offers ip-in-ip" in anchor.deny(139, flags=REVERSE_TUNNEL | COLOCATED | flag).cause

    @covers("H11")
    def test_139_ip_in_ip_where_it_is_not_wanted(self) -> None:
        Anchor(encapsulations=frozenset({Encapsulation.GRE})).deny(139)

    @covers("H11", "T5")
    def test_139_a_gre_key_implies_gre(self) -> None:
        Anchor(encapsulations=frozenset({Encapsulation.IP_IN_IP})).deny(139, gre_key=7)

    def test_140_critical_vendor_extension(self, anchor: Anchor) -> None:
        anchor.deny(140, unknown=(CRITICAL_VENDOR,))

    def test_141_critical_vendor_extension_after_mn_ha(self, anchor: Anchor) -> None:
        anchor.deny(141, trailing=(CRITICAL_VENDOR,))

    @covers("H12")
    @pytest.mark.parametrize("encapsulation", [47, 55, 99])
    def test_142_other_encapsulation_in_udp(self, encapsulation: int) -> None:
        anchor = Anchor(encapsulations=frozenset({Encapsulation.IP_IN_IP}))
        anchor.deny(142, source=NAT, udp_tunnel=UdpTunnelRequest(encapsulation=encapsulation))

    @covers("H13", "P25", "P26")
    def test_149_per_node_authentication(self, anchor: Anchor) -> None:
        """P26, and P25: 47/1 goes back."""
        anchor.deny(149, per_node=(1, b"\1"))
        assert RegistrationReply.decode(anchor.sent[-1].datagram).per_node == (1, b"\1")

    @covers("P26")
    def test_149_wins_over_an_fa_ha_nobody_can_check(self, anchor: Anchor) -> None:
        asked = anchor.request(per_node=(1, b"\1"))
        [answer] = anchor.hear(asked.encode(mn_ha=association(1), fa_ha=association(2)))
        assert reply_in(answer, 1).code == 149


class TestDeregistrationsAreMessagesToo:
    """What is wrong with the message itself refuses a de-registration as well; what the tunnel is made of does not."""

    @covers("H5", "H8", "P26")
    @pytest.mark.parametrize(
        ("code", "fields"),
        [
            (136, {"home_agent": ipv4("192.0.2.2")}),
            (140, {"unknown": (CRITICAL_VENDOR,)}),
            (149, {"per_node": (1, b"\1")}),
            (133, {"skew": 60}),
        ],
    )
    def test_refused(self, code: int, fields: dict[str, object]) -> None:
        anchor = Anchor()
        anchor.accept()
        anchor.deny(code, lifetime=0, **fields)

    @covers("N18")
    @pytest.mark.parametrize("fields", [{"flags": 0}, {"flags": GRE}, {"source": NAT}])
    def test_accepted(self, fields: dict[str, object]) -> None:
        anchor = Anchor()
        anchor.accept()
        anchor.release(**fields)
        assert anchor.state() == ([], {})


@covers("I7", "I1")
def test_a_refused_request_keeps_its_whole_identification() -> None:
    """I7."""
    anchor = Anchor()
    asked = anchor.request(flags=COLOCATED)
    [answer] = anchor.hear(asked.encode(mn_ha=association(1)))
    assert reply_in(answer, 1).identification == asked.identification


@covers("I6")
def test_a_refused_request_cannot_be_replayed() -> None:
    """I6b: captured while it was refused, it must not work when the reason is gone."""
    anchor = Anchor(home="10.1.0.0/30")
    anchor.accept(2)
    asked = anchor.datagram(1)
    [answer] = anchor.hear(asked)
    assert reply_in(answer, 1).code == 130
    anchor.release(2)
    [answer] = anchor.hear(asked)
    assert reply_in(answer, 1).code == 133
    assert bound(anchor) == {}


@covers("I6")
def test_a_refused_request_of_a_bound_node_cannot_be_replayed() -> None:
    """I6b: the floor counts beside a binding, too."""
    anchor = Anchor()
    anchor.accept()
    anchor.broken = "no memory"
    captured = anchor.datagram(1, MAG2)
    assert reply_in(anchor.hear(captured, MAG2)[0], 1).code == 130
    anchor.broken = ""
    before = anchor.state()
    assert reply_in(anchor.hear(captured, MAG2)[0], 1).code == 133
    assert anchor.state() == before


@covers("I6", "I10")
def test_a_refused_request_of_a_bound_node_cannot_be_replayed_after_the_binding_ended() -> None:
    """The floor is the latest valid Identification, not that of the binding."""
    anchor = Anchor(handover_min_interval=0.0)
    anchor.accept(lifetime=2)
    anchor.clock.advance(1)
    anchor.broken = "no memory"
    captured = anchor.datagram(1, MAG2)
    assert reply_in(anchor.hear(captured, MAG2)[0], 1).code == 130
    anchor.broken = ""
    anchor.pass_time(3)
    assert anchor.binding() is None
    assert reply_in(anchor.hear(captured, MAG2)[0], 1).code == 133
    assert anchor.accept().home_address == FIRST_ADDRESS


@covers("H3", "P27")
def test_an_unknown_node_is_no_oracle() -> None:
    """H3: no answer tells which NAIs exist."""
    anchor = Anchor(nodes=1)
    anchor.ignore("no-association", anchor.datagram(2))
    stranger = SecurityAssociation(9999, Secret(b"key"))
    note = anchor.ignore("no-association", anchor.request(1).encode(mn_ha=stranger))
    assert "SPI 9999" in note.cause and nai(1).decode() in note.cause
    assert note.details["source"] == str(Endpoint(MAG1, 434))


@covers("H14", "P79")
@pytest.mark.parametrize(
    ("code", "fields"),
    [
        (129, {"home_address": ipv4("172.16.0.1")}),
        (138, {"flags": COLOCATED}),
        (142, {"udp_tunnel": FORCED_99}),
    ],
)
def test_whatever_else_is_wrong_is_told_before_that_it_moved_a_moment_ago(
    code: int, fields: dict[str, object]
) -> None:
    anchor = Anchor()
    anchor.accept(1, MAG1)
    anchor.accept(1, MAG2)
    anchor.deny(code, 1, MAG1, **fields)
    anchor.deny(130, 1, MAG1)
