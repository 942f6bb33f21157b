"""GRE, its keys, and minimal encapsulation: what the LMA agrees to and what it says (T5, P50, H11)."""

import pytest

from pmip_tw.addresses import Ipv4
from pmip_tw.mobility.tunnels import AnchorKey, Encapsulation, Tunnel
from pmip_tw.wire.extension_values import UdpTunnelReply, UdpTunnelRequest
from pmip_tw.wire.registration import COLOCATED, GRE, MINIMAL, REVERSE_TUNNEL
from tests.conformance import covers
from tests.lma.anchor import FIRST_ADDRESS, LMA, MAG1, MAG2, NAT, Anchor

COLOCATED_TUNNEL = REVERSE_TUNNEL | COLOCATED
ONLY_IP_IN_IP = frozenset({Encapsulation.IP_IN_IP})


def tunnel(anchor: Anchor, home_address: Ipv4 = FIRST_ADDRESS) -> Tunnel:
    return anchor.installed[AnchorKey(home_address)].tunnel


class TestWithoutKeys:
    @covers("H11", "P41", "T7")
    @pytest.mark.parametrize(
        ("flags", "encapsulation"),
        [(0, Encapsulation.IP_IN_IP), (GRE, Encapsulation.GRE), (MINIMAL, Encapsulation.MINIMAL)],
    )
    def test_as_the_bits_ask(self, flags: int, encapsulation: Encapsulation) -> None:
        anchor = Anchor()
        assert anchor.accept(flags=COLOCATED_TUNNEL | flags).gre_key is None
        assert tunnel(anchor) == Tunnel(local=LMA, remote=MAG1, encapsulation=encapsulation)

    @covers("H11")
    @pytest.mark.parametrize("offered", [Encapsulation.GRE, Encapsulation.MINIMAL])
    def test_both_bits_get_what_is_offered(self, offered: Encapsulation) -> None:
        anchor = Anchor(encapsulations=frozenset({Encapsulation.IP_IN_IP, offered}))
        anchor.accept(flags=COLOCATED_TUNNEL | GRE | MINIMAL)
        assert tunnel(anchor).encapsulation is offered

    @covers("H11")
    def test_a_change_replaces_the_tunnel_and_moves_nobody(self) -> None:
        anchor = Anchor()
        anchor.accept()
        anchor.accept(flags=COLOCATED_TUNNEL | GRE)
        assert tunnel(anchor).encapsulation is Encapsulation.GRE
        assert anchor.names() == ["binding-created", "binding-renewed"]


class TestKeys:
    @covers("T5")
    def test_the_key_asked_for_goes_down_and_ours_comes_up(self) -> None:
        anchor = Anchor()
        ours = anchor.accept(gre_key=7).gre_key
        assert ours not in (None, 0, 7)
        assert tunnel(anchor) == Tunnel(
            local=LMA, remote=MAG1, encapsulation=Encapsulation.GRE, key_out=7, key_in=ours
        )

    @covers("T5", "P50")
    def test_zero_gets_one_key_for_both_directions(self) -> None:
        anchor = Anchor()
        ours = anchor.accept(gre_key=0).gre_key
        assert ours and (tunnel(anchor).key_in, tunnel(anchor).key_out) == (ours, ours)

    @covers("T5")
    @pytest.mark.parametrize(("first", "again"), [(0, 0), (7, 7)])
    def test_a_renewal_keeps_the_keys(self, first: int, again: int) -> None:
        anchor = Anchor()
        ours = anchor.accept(gre_key=first).gre_key
        before = tunnel(anchor)
        assert anchor.accept(gre_key=again).gre_key == ours
        assert tunnel(anchor) == before

    @covers("T5")
    def test_a_mag_may_name_the_key_that_it_was_given(self) -> None:
        """Some repeat what they have instead of the zero of their first request."""
        anchor = Anchor()
        ours = anchor.accept(gre_key=0).gre_key
        before = tunnel(anchor)
        assert anchor.accept(gre_key=ours).gre_key == ours
        assert tunnel(anchor) == before

    @covers("P34", "T5")
    @pytest.mark.parametrize("asked", [0, 7])
    def test_a_handover_gets_new_ones(self, asked: int) -> None:
        anchor = Anchor()
        at_first = anchor.accept(1, MAG1, gre_key=asked).gre_key
        assert anchor.accept(1, MAG2, gre_key=asked).gre_key not in (None, at_first)

    @covers("T5")
    def test_a_request_without_a_key_ends_their_use(self) -> None:
        anchor = Anchor()
        anchor.accept(gre_key=0)
        assert anchor.accept().gre_key is None
        assert tunnel(anchor) == Tunnel(local=LMA, remote=MAG1)

    @covers("T5")
    def test_a_renewal_may_begin_their_use(self) -> None:
        """Nothing else of the request has changed."""
        anchor = Anchor()
        anchor.accept()
        ours = anchor.accept(gre_key=7).gre_key
        assert (tunnel(anchor).encapsulation, tunnel(anchor).key_in) == (Encapsulation.GRE, ours)

    @covers("T5", "P49")
    def test_no_two_nodes_have_the_same(self) -> None:
        anchor = Anchor()
        keys = {anchor.accept(node, gre_key=0).gre_key for node in range(1, 6)}
        assert len(keys) == 5

    @covers("T5")
    def test_the_key_in_use_is_never_given_again(self) -> None:
        """Even if chance would have it: the machine's entropy says the same again and again."""
        anchor = Anchor()
        anchor.clock._entropy = lambda octets: b"\0" * (octets - 1) + b"\x09"
        assert [anchor.accept(node, gre_key=0).gre_key for node in (1, 2, 3)] == [9, 10, 11]
        anchor.release(2)
        assert [anchor.accept(node, gre_key=0).gre_key for node in (1, 4, 5)] == [9, 10, 12]

    @covers("T5", "P50")
    def test_zero_is_no_key(self) -> None:
        anchor = Anchor()
        anchor.clock._entropy = bytes
        assert [anchor.accept(node, gre_key=0).gre_key for node in (1, 2)] == [1, 2]

    @covers("T5")
    @pytest.mark.parametrize("end", ["expiry", "handover", "failure"])
    def test_a_key_is_free_when_its_binding_is(self, end: str) -> None:
        anchor = Anchor()
        anchor.clock._entropy = lambda octets: b"\0" * (octets - 1) + b"\x09"
        if end == "failure":
            anchor.broken = "no memory"
            anchor.deny(130, gre_key=0)
            anchor.broken = ""
        else:
            anchor.accept(1, MAG1, gre_key=0, lifetime=10)
            anchor.pass_time(12) if end == "expiry" else anchor.accept(1, MAG2)
        assert anchor.accept(2, gre_key=0).gre_key == 9

    @covers("T5")
    def test_a_failed_handover_leaves_the_keys_as_they_were(self) -> None:
        anchor = Anchor()
        anchor.clock._entropy = lambda octets: b"\0" * (octets - 1) + b"\x09"
        anchor.accept(1, MAG1, gre_key=0)
        anchor.broken = "no memory"
        anchor.deny(130, 1, MAG2, gre_key=0)
        anchor.broken = ""
        assert tunnel(anchor).key_in == 9
        assert anchor.accept(2, gre_key=0).gre_key == 10

    @covers("T5")
    def test_every_answer_has_one_deregistrations_and_refusals_as_well(self) -> None:
        anchor = Anchor()
        ours = anchor.accept(gre_key=7).gre_key
        assert anchor.ask(2, gre_key=7, home_address=FIRST_ADDRESS).gre_key == 7
        assert anchor.release(gre_key=7).gre_key == ours
        assert anchor.release(gre_key=7).gre_key == 7

    @covers("T5", "L5")
    def test_the_same_request_again_gets_the_same_key(self) -> None:
        anchor = Anchor()
        asked = anchor.datagram(gre_key=7)
        first = anchor.hear(asked)
        anchor.clock.advance(2)
        again = anchor.hear(asked)
        assert len(again) == 1 and again[0].datagram[:2] == first[0].datagram[:2]
        assert b"\x30\x00\x00\x04" in again[0].datagram  # 48
        assert tunnel(anchor).key_in is not None
        assert tunnel(anchor).key_in.to_bytes(4, "big") in again[0].datagram

    @covers("T5")
    @pytest.mark.parametrize("after", [frozenset(), frozenset({48})])
    def test_the_answer_has_it_where_the_request_had_it(self, after: frozenset[int]) -> None:
        reply = Anchor().accept(flags=REVERSE_TUNNEL, gre_key=0, agent_part=after)
        assert reply.agent_part == after

    @covers("T5", "H11")
    def test_with_d_only_if_that_is_allowed(self) -> None:
        anchor = Anchor(gre_key_with_d=False)
        assert "gre_key_with_d" in anchor.deny(139, gre_key=0).cause
        anchor.deny(142, gre_key=0, udp_tunnel=UdpTunnelRequest(forced=True, encapsulation=47))
        anchor.accept(flags=REVERSE_TUNNEL, gre_key=0)

    @covers("T5", "H11")
    def test_not_where_gre_is_not_offered(self) -> None:
        Anchor(encapsulations=ONLY_IP_IN_IP).deny(139, gre_key=0)


class TestInsideUdp:
    @covers("N11")
    @pytest.mark.parametrize("encapsulation", list(Encapsulation))
    def test_what_144_names(self, encapsulation: Encapsulation) -> None:
        """Whatever the M and G bits say."""
        anchor = Anchor()
        asked = UdpTunnelRequest(encapsulation=encapsulation)
        reply = anchor.accept(source=NAT, port=4000, udp_tunnel=asked, flags=COLOCATED_TUNNEL | GRE)
        assert reply.udp_tunnel == UdpTunnelReply(0, False, 110)
        assert tunnel(anchor) == Tunnel(local=LMA, remote=NAT, remote_port=4000, encapsulation=encapsulation)

    @covers("N11")
    @pytest.mark.parametrize(
        ("flags", "encapsulation"),
        [(0, Encapsulation.IP_IN_IP), (GRE, Encapsulation.GRE), (MINIMAL, Encapsulation.MINIMAL)],
    )
    def test_zero_leaves_it_to_the_bits(self, flags: int, encapsulation: Encapsulation) -> None:
        anchor = Anchor()
        asked = UdpTunnelRequest(encapsulation=0)
        anchor.accept(source=NAT, udp_tunnel=asked, flags=COLOCATED_TUNNEL | flags)
        assert tunnel(anchor).encapsulation is encapsulation

    @covers("T5")
    def test_keys_go_with_gre(self) -> None:
        anchor = Anchor()
        asked = UdpTunnelRequest(encapsulation=47)
        ours = anchor.accept(source=NAT, port=4000, udp_tunnel=asked, gre_key=7).gre_key
        assert (tunnel(anchor).key_out, tunnel(anchor).key_in, tunnel(anchor).over_udp) == (7, ours, True)

    @covers("N22")
    @pytest.mark.parametrize(("forced", "over_udp"), [(False, False), (True, True)])
    def test_a_renewal_may_begin_to_ask_for_udp(self, forced: bool, over_udp: bool) -> None:
        anchor = Anchor()
        anchor.accept()
        assert anchor.accept(udp_tunnel=UdpTunnelRequest(forced=forced)).udp_tunnel is not None
        assert tunnel(anchor).over_udp is over_udp
        assert anchor.accept().udp_tunnel is None
        assert tunnel(anchor) == Tunnel(local=LMA, remote=MAG1)

    @covers("T5")
    def test_a_new_port_of_the_nat_keeps_the_key(self) -> None:
        anchor = Anchor()
        asked = UdpTunnelRequest(encapsulation=47)
        ours = anchor.accept(source=NAT, port=4000, udp_tunnel=asked, gre_key=0).gre_key
        assert anchor.accept(source=NAT, port=4001, udp_tunnel=asked, gre_key=0).gre_key == ours

    @covers("T5", "H12")
    def test_a_key_with_another_encapsulation_makes_no_sense(self) -> None:
        note = Anchor().deny(142, source=NAT, udp_tunnel=UdpTunnelRequest(encapsulation=4), gre_key=7)
        assert "GRE key" in note.cause
