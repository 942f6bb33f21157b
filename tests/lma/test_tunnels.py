"""Which tunnel the LMA agrees to: the decision table of N19, row by row, and what follows from it."""

import pytest

from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.mobility.tunnels import AnchorEntry, AnchorKey, Encapsulation, Tunnel
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelReply, UdpTunnelRequest
from pmip_tw.wire.extensions import UDP_TUNNEL_REQUEST
from pmip_tw.wire.registration import COLOCATED, REVERSE_TUNNEL, SIMULTANEOUS, RegistrationReply
from tests.conformance import covers
from tests.lma.anchor import FIRST_ADDRESS, LMA, MAG1, MAG2, NAT, Anchor

DIRECT = Tunnel(local=LMA, remote=MAG1)
PLEASE = UdpTunnelRequest()
FORCED = UdpTunnelRequest(forced=True)


def tunnel(anchor: Anchor) -> Tunnel:
    return anchor.installed[AnchorKey(FIRST_ADDRESS)].tunnel


@covers("N19", "N21")
@pytest.mark.parametrize("asked", [PLEASE, FORCED])
def test_behind_a_nat_with_144(asked: UdpTunnelRequest) -> None:
    """The source's address and port are the tunnel's end (N21); F goes back as it came."""
    anchor = Anchor()
    reply = anchor.accept(source=NAT, port=40001, udp_tunnel=asked)
    assert reply.udp_tunnel == UdpTunnelReply(code=0, forced=asked.forced, keepalive_interval=110)
    assert tunnel(anchor) == Tunnel(local=LMA, remote=NAT, remote_port=40001)


@covers("N19")
@pytest.mark.parametrize("asked", [PLEASE, FORCED])
def test_behind_a_nat_but_not_allowed(asked: UdpTunnelRequest) -> None:
    note = Anchor(nat_traversal=False).deny(129, source=NAT, udp_tunnel=asked)
    assert "nat_traversal is off" in note.cause


@covers("N19", "N21")
def test_from_port_0_comes_no_udp_tunnel() -> None:
    """Who forged the source of a captured request would turn the tunnel into one over IP, to the NAT."""
    assert "port 0" in Anchor().deny(129, source=NAT, port=0, udp_tunnel=PLEASE).cause


@covers("H12", "N18", "N19")
def test_behind_a_nat_without_144() -> None:
    Anchor().deny(129, source=NAT)


@covers("N19", "N22")
@pytest.mark.parametrize("allowed", [True, False])
def test_no_nat_and_not_forced(allowed: bool) -> None:
    """Code 64 and the normal tunnel (N22)."""
    anchor = Anchor(nat_traversal=allowed)
    assert anchor.accept(udp_tunnel=PLEASE).udp_tunnel == UdpTunnelReply(code=64)
    assert tunnel(anchor) == DIRECT


@covers("N19")
def test_no_nat_but_forced() -> None:
    anchor = Anchor()
    assert anchor.accept(port=5000, udp_tunnel=FORCED).udp_tunnel == UdpTunnelReply(0, True, 110)
    assert tunnel(anchor) == Tunnel(local=LMA, remote=MAG1, remote_port=5000)


@covers("N19")
@pytest.mark.parametrize("policy", [{"forced_udp": False}, {"nat_traversal": False}])
def test_no_nat_forced_but_not_allowed(policy: dict[str, object]) -> None:
    Anchor(**policy).deny(129, udp_tunnel=FORCED)


@covers("N19", "P41")
def test_no_nat_and_no_144() -> None:
    anchor = Anchor()
    assert anchor.accept().udp_tunnel is None
    assert tunnel(anchor) == DIRECT


@covers("H12", "N19")
def test_an_encapsulation_that_is_not_used_is_no_reason_to_refuse() -> None:
    """142 only if UDP would be used."""
    only = frozenset({Encapsulation.IP_IN_IP})
    Anchor(encapsulations=only).accept(udp_tunnel=UdpTunnelRequest(encapsulation=47))
    Anchor(encapsulations=only).deny(142, udp_tunnel=UdpTunnelRequest(forced=True, encapsulation=47))


@covers("N11")
@pytest.mark.parametrize("encapsulation", [0, 4])
def test_ip_in_ip_by_either_name(encapsulation: int) -> None:
    Anchor().accept(source=NAT, udp_tunnel=UdpTunnelRequest(encapsulation=encapsulation))


@covers("N22")
def test_the_reply_part_stands_where_the_request_part_stood() -> None:
    """N22: after MN-HA for a MAG that registers like a foreign agent."""
    anchor = Anchor()
    assert anchor.accept(source=NAT, udp_tunnel=PLEASE).agent_part == frozenset()
    anchor.accept(2, source=NAT, flags=REVERSE_TUNNEL, udp_tunnel=PLEASE, agent_part=frozenset({144}))
    assert RegistrationReply.decode(anchor.sent[-1].datagram).agent_part == {44}


@covers("N25")
def test_lifetime_of_a_udp_tunnel() -> None:
    """N25, and never beyond the maximum of all."""
    assert Anchor().accept(source=NAT, udp_tunnel=PLEASE, lifetime=3000).lifetime == 600
    assert Anchor().accept(udp_tunnel=PLEASE, lifetime=3000).lifetime == 3000
    assert Anchor(max_lifetime=300).accept(source=NAT, udp_tunnel=PLEASE, lifetime=3000).lifetime == 300


@covers("N13", "N23")
def test_a_new_port_moves_the_tunnel_not_the_node() -> None:
    """N13, N23: the NAT forgot its mapping; the MAG is the same."""
    anchor = Anchor()
    anchor.accept(source=NAT, port=40001, udp_tunnel=PLEASE)
    anchor.accept(source=NAT, port=40002, udp_tunnel=PLEASE)
    assert tunnel(anchor).remote_port == 40002
    assert anchor.names()[-2:] == ["binding-renewed", "endpoint-changed"]
    anchor.release(source=NAT, port=40003)
    assert anchor.state() == ([], {})


@covers("N38")
def test_keepalive_interval_is_told() -> None:
    reply = Anchor(keepalive_interval=25).accept(source=NAT, udp_tunnel=PLEASE)
    assert reply.udp_tunnel is not None and reply.udp_tunnel.keepalive_interval == 25


@covers("N23", "N28")
class TestTwoMagsWithOnePrivateAddress:
    """Behind different NATs both call themselves 192.168.1.10 (N28)."""

    PRIVATE = ipv4("192.168.1.10")
    FIRST, SECOND = ipv4("203.0.113.1"), ipv4("203.0.113.2")

    def handed_over(self) -> Anchor:
        anchor = Anchor()
        fields = {"udp_tunnel": UdpTunnelRequest(), "revocation": RevocationSupport(5)}
        anchor.accept(1, self.PRIVATE, source=self.FIRST, **fields)
        anchor.clock.advance(20)
        anchor.accept(1, self.PRIVATE, source=self.SECOND, **fields)
        return anchor

    def test_a_move_between_them_is_a_move(self) -> None:
        anchor = self.handed_over()
        assert "binding-moved" in anchor.names()
        [revocation] = [send for send in anchor.sent if send.datagram[0] == MessageType.REVOCATION]
        assert revocation.destination.address == self.FIRST

    def test_the_old_one_cannot_end_the_new_binding(self) -> None:
        anchor = self.handed_over()
        anchor.clock.advance(20)
        anchor.accept(1, self.PRIVATE, source=self.FIRST, lifetime=0)
        binding = anchor.binding()
        assert binding is not None and binding.source.address == self.SECOND

    def test_a_new_port_of_the_nat_is_no_move(self) -> None:
        anchor = Anchor()
        fields = {"udp_tunnel": UdpTunnelRequest(), "revocation": RevocationSupport(5)}
        anchor.accept(1, self.PRIVATE, source=self.FIRST, port=1025, **fields)
        anchor.clock.advance(20)
        anchor.accept(1, self.PRIVATE, source=self.FIRST, port=1026, **fields)
        assert "binding-moved" not in anchor.names()
        anchor.accept(1, self.PRIVATE, source=self.FIRST, port=1027, lifetime=0)
        assert anchor.binding() is None


RESERVED_3 = bytes((144, 6, 0, 0, 0, 4, 0, 1))
OTHER_SUBTYPE = bytes((144, 6, 1, 0, 0, 4, 0, 1))


class TestReserved3:
    """144 with its third reserved field not zero."""

    @covers("N8")
    def test_it_is_as_if_it_was_not_there(self) -> None:
        anchor = Anchor()
        assert anchor.accept(unknown=(RESERVED_3,)).udp_tunnel is None
        assert tunnel(anchor) == DIRECT
        assert "did not ask" in Anchor().deny(129, source=NAT, unknown=(RESERVED_3,)).cause

    @covers("N8")
    @pytest.mark.parametrize("source", [MAG1, NAT])
    def test_or_it_is_refused(self, source: Ipv4) -> None:
        anchor = Anchor(refuse_reserved_144=True)
        assert "reserved3_policy" in anchor.deny(134, source=source, unknown=(RESERVED_3,)).cause

    @covers("N8", "E3")
    def test_what_is_not_understood_anyhow_is_no_mistake(self) -> None:
        assert Anchor(refuse_reserved_144=True).accept(unknown=(OTHER_SUBTYPE,)).udp_tunnel is None


class TestRelayedColocated:
    """RFC 5944 lets a co-located node register through a foreign agent: no NAT is in between then (N18)."""

    @covers("N18", "N19")
    def test_if_it_is_allowed_it_gets_its_plain_tunnel(self) -> None:
        anchor = Anchor(allow_relayed_colocated=True)
        assert anchor.accept(source=NAT).udp_tunnel is None
        assert tunnel(anchor) == DIRECT

    @covers("N18")
    def test_it_is_not_by_default(self) -> None:
        Anchor().deny(129, source=NAT)

    @covers("N18")
    def test_not_without_d(self) -> None:
        anchor = Anchor(allow_relayed_colocated=True)
        anchor.deny(129, source=NAT, flags=REVERSE_TUNNEL)

    @covers("N18", "N19")
    def test_who_asks_for_udp_gets_it(self) -> None:
        anchor = Anchor(allow_relayed_colocated=True)
        assert anchor.accept(source=NAT, port=40001, udp_tunnel=PLEASE).udp_tunnel == UdpTunnelReply(
            0, False, 110
        )
        assert tunnel(anchor).remote_port == 40001


@covers("N18", "N19")
@pytest.mark.parametrize("policy", [{}, {"nat_traversal": False}, {"forced_udp": False}])
def test_lifetime_0_may_come_from_anywhere(policy: dict[str, bool]) -> None:
    """RFC 5944 lets one agent end what was made through another, with 144 or without."""
    for asked in (None, PLEASE, FORCED):
        anchor = Anchor(**policy)
        anchor.accept()
        reply = anchor.accept(source=NAT, lifetime=0, udp_tunnel=asked)
        assert reply.lifetime == 0 and anchor.binding() is None


class TestThroughAForeignAgent:
    """R: the request came through an agent that demanded that, so that its source is not where data comes from."""

    ASKED = UdpTunnelRequest(via_foreign_agent=True)

    @covers("N24")
    def test_the_packet_plane_waits_for_a_keepalive(self) -> None:
        anchor = Anchor()
        reply = anchor.accept(source=NAT, port=40001, udp_tunnel=self.ASKED)
        assert reply.udp_tunnel == UdpTunnelReply(code=0, keepalive_interval=110)
        entry = anchor.installed[AnchorKey(FIRST_ADDRESS)]
        assert entry.awaited and entry.tunnel.remote == NAT

    @covers("N24")
    def test_after_every_registration(self) -> None:
        anchor = Anchor()
        for _ in range(3):
            anchor.installed.clear()
            anchor.accept(source=NAT, port=40001, udp_tunnel=self.ASKED)
            assert anchor.installed[AnchorKey(FIRST_ADDRESS)].awaited
            anchor.clock.advance(5)

    @covers("N16", "N24")
    def test_not_without_r(self) -> None:
        anchor = Anchor()
        anchor.accept(source=NAT, port=40001, udp_tunnel=self.ASKED)
        anchor.clock.advance(5)
        anchor.accept(source=NAT, port=40001, udp_tunnel=PLEASE)
        assert not anchor.installed[AnchorKey(FIRST_ADDRESS)].awaited

    @covers("N19", "N24")
    def test_nothing_is_awaited_where_no_nat_is(self) -> None:
        anchor = Anchor()
        assert anchor.accept(udp_tunnel=self.ASKED).udp_tunnel == UdpTunnelReply(code=64)
        assert anchor.installed[AnchorKey(FIRST_ADDRESS)] == AnchorEntry(
            home_address=FIRST_ADDRESS, tunnel=DIRECT
        )

    @covers("L3", "N24")
    def test_beside_another_it_gets_nothing_until_it_is_alone(self) -> None:
        anchor = Anchor(max_bindings=2)
        flags = COLOCATED | REVERSE_TUNNEL
        anchor.accept(flags=flags)
        anchor.clock.advance(5)
        anchor.accept(1, MAG2, source=NAT, port=40001, udp_tunnel=self.ASKED, flags=flags | SIMULTANEOUS)
        entry = anchor.installed[AnchorKey(FIRST_ADDRESS)]
        assert (entry.tunnel, entry.copies, entry.awaited) == (DIRECT, (), False)


@covers("N3", "N20")
@pytest.mark.parametrize("required", [False, True])
def test_what_an_agent_adds_may_have_to_be_proven(required: bool) -> None:
    """Behind MN-HA, where anybody on the way could have put it."""
    anchor = Anchor(require_protected_extensions=required)
    fields = {"flags": REVERSE_TUNNEL, "udp_tunnel": PLEASE, "agent_part": frozenset((UDP_TUNNEL_REQUEST,))}
    if required:
        assert "require_protected" in anchor.deny(134, source=NAT, port=40001, **fields).cause
        anchor.accept(source=NAT, port=40001, udp_tunnel=PLEASE)  # before MN-HA it is the node's own
    else:
        anchor.accept(source=NAT, port=40001, **fields)
