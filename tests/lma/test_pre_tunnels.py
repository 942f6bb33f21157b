"""Requests for pre-tunnels: proven, new and allowed as registrations are, else nothing changes (N48, N50, N51, N55)."""

import pytest

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.lma.dhcp import pretunnelling
from pmip_tw.lma.dhcp.pretunnels import PreTunnel, PreTunnels
from pmip_tw.lma.mags import KnownMag
from pmip_tw.lma.place import Place
from pmip_tw.lma.registration.commitment import Expect, Forget
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.replay import seconds_between
from pmip_tw.mobility.tunnels import Encapsulation, Tunnel
from pmip_tw.secret import Secret
from pmip_tw.wire.dhcp import MessageType
from pmip_tw.wire.extension_fields import BY_FA_HA
from pmip_tw.wire.extension_values import UdpTunnelReply, UdpTunnelRequest
from pmip_tw.wire.pretunnel import ethernet_device
from tests.conformance import covers
from tests.lma.anchor import BLUE, LMA, MAG1, MAG2, Anchor, association
from tests.lma.dhcp_anchor import DIRECT, HOME, PORT, PUBLIC, THROUGH_NAT, DhcpAnchor, message, station

PRIVATE = ipv4("10.9.8.7")
BETWEEN = SecurityAssociation(0x2000, Secret(b"between the agents"))


@covers("N48", "N51", "N57")
def test_behind_a_nat_it_is_in_udp_and_the_mag_learns_its_public_address() -> None:
    anchor = DhcpAnchor()
    reply = anchor.ask_for_tunnel(1, PRIVATE, source=PUBLIC, port=PORT)
    assert (reply.status, reply.home_agent, reply.care_of_address) == (0, LMA, PUBLIC)
    assert reply.udp_tunnel == UdpTunnelReply(keepalive_interval=110)
    assert anchor.wanted() == [Expect(THROUGH_NAT, station(1))]
    note = anchor.last("pre-tunnel-opened")
    assert (note.nai, note.details["mag"]) == ("mn1@example.net", "10.9.8.7")


@covers("N47", "P64")
@pytest.mark.parametrize("udp_tunnel", [None, UdpTunnelRequest(dhcp_only=True)])
def test_without_a_nat_it_is_the_tunnel_of_registrations(udp_tunnel) -> None:
    anchor = DhcpAnchor()
    reply = anchor.ask_for_tunnel(udp_tunnel=udp_tunnel)
    expected = None if udp_tunnel is None else UdpTunnelReply(code=64)
    assert (reply.status, reply.udp_tunnel) == (0, expected)
    assert anchor.wanted() == [Expect(DIRECT, station(1))]


@covers("N19", "N22")
def test_the_table_of_tunnels_is_that_of_registrations() -> None:
    anchor = DhcpAnchor()
    gre = UdpTunnelRequest(forced=True, dhcp_only=True, encapsulation=47)
    reply = anchor.ask_for_tunnel(udp_tunnel=gre)
    assert reply.udp_tunnel == UdpTunnelReply(forced=True, keepalive_interval=110)
    inside = Tunnel(local=LMA, remote=MAG1, remote_port=434, encapsulation=Encapsulation.GRE)
    assert anchor.wanted() == [Expect(inside, station(1))]
    direct = UdpTunnelRequest(dhcp_only=True, encapsulation=47)
    assert anchor.ask_for_tunnel(2, udp_tunnel=direct).status == 0
    assert anchor.wanted() == [
        Expect(Tunnel(local=LMA, remote=MAG1, encapsulation=Encapsulation.GRE), station(2))
    ]
    assert anchor.ask_for_tunnel(3, PRIVATE, source=PUBLIC, udp_tunnel=None).status == 129
    odd = UdpTunnelRequest(forced=True, dhcp_only=True, encapsulation=99)
    assert anchor.ask_for_tunnel(3, udp_tunnel=odd).status == 142
    assert anchor.wanted() == []


@covers("N22")
def test_44_stands_where_144_stood() -> None:
    anchor = DhcpAnchor()
    reply = anchor.ask_for_tunnel(agent_part=frozenset({144}))
    assert reply.status == 0 and reply.agent_part == {44}


@covers("N48")
def test_a_mag_of_its_own_proves_it_by_fa_ha() -> None:
    mag = KnownMag(address=MAG1, mode=AuthenticationMode.FA_HA, associations=(BETWEEN,))
    anchor = DhcpAnchor(mags=[mag])
    request = anchor.pre_tunnel_request(per_node=BY_FA_HA)
    [sent] = anchor.hear(request.encode(fa_ha=BETWEEN), MAG1)
    assert sent.datagram[0] == 251 and sent.datagram[3] == 0
    assert anchor.wanted() == [Expect(DIRECT, station(1))]
    other = SecurityAssociation(0x2000, Secret(b"somebody else's"))
    [sent] = anchor.hear(anchor.pre_tunnel_request(2, per_node=BY_FA_HA).encode(fa_ha=other), MAG1)
    assert (sent.datagram[0], sent.datagram[3]) == (251, 132)
    assert anchor.wanted() == []


@covers("N50")
def test_what_is_forged_changes_nothing() -> None:
    anchor = DhcpAnchor()
    forged = anchor.pre_tunnel_request().encode(mn_ha=association(2).__class__(4097, Secret(b"a guess")))
    [sent] = anchor.hear(forged)
    assert anchor.pre_tunnel_reply(sent).status == 131
    assert anchor.hear(forged) == []  # at most one a second to each source
    assert anchor.wanted() == [] and not anchor.engine.dhcp.pre_tunnels
    assert anchor.hear(anchor.pre_tunnel_request().encode()) == []
    assert anchor.notes[-1].reason == "no-authenticator"


@covers("N50", "I6", "I8")
def test_a_wrong_clock_is_told_ours() -> None:
    anchor = DhcpAnchor()
    request = anchor.pre_tunnel_request()
    request.identification -= 60 << 32
    [sent] = anchor.hear(request.encode(mn_ha=association(1)))
    reply = anchor.pre_tunnel_reply(sent)
    assert reply.status == 133
    assert abs(seconds_between(reply.identification, anchor.clock.wall)) <= 1
    assert reply.identification & 0xFFFFFFFF == request.identification & 0xFFFFFFFF
    assert anchor.wanted() == []


@covers("N50", "I10")
def test_registrations_and_pre_tunnels_have_one_order() -> None:
    """Neither what was captured of one nor of the other works again, before or after a restart."""
    anchor = DhcpAnchor()
    early = anchor.pre_tunnel_request()
    registration = anchor.datagram(lifetime=0)
    late = anchor.pre_tunnel_request()
    anchor.hear(late.encode(mn_ha=association(1)))
    [sent] = anchor.hear(early.encode(mn_ha=association(1)))
    assert anchor.pre_tunnel_reply(sent).status == 133
    [sent] = anchor.hear(registration)
    assert sent.datagram[1] == 133
    anchor.restart()
    [sent] = anchor.hear(late.encode(mn_ha=association(1)))
    assert anchor.pre_tunnel_reply(sent).status == 133
    assert not anchor.engine.dhcp.pre_tunnels


@covers("N50", "I10")
def test_it_is_granted_when_its_identification_is_durable() -> None:
    """Else who has heard the request has the tunnel after a crash, wherever he is."""
    anchor = DhcpAnchor()
    anchor.slow = True
    heard = anchor.pre_tunnel_request().encode(mn_ha=association(1))
    assert anchor.hear(heard) == []
    assert anchor.lose() == []
    [sent] = anchor.flush()
    assert anchor.pre_tunnel_reply(sent).status == 0
    anchor.restart()
    [sent] = anchor.hear(heard, PUBLIC, PORT)
    assert anchor.pre_tunnel_reply(sent).status == 133
    assert not anchor.engine.dhcp.pre_tunnels


@covers("N49", "N50")
def test_a_request_that_the_network_doubles_is_answered_once() -> None:
    """No 133 overtakes the answer, and nobody else gets anything by it."""
    anchor = DhcpAnchor()
    heard = anchor.pre_tunnel_request().encode(mn_ha=association(1))
    for slow, source in ((True, MAG1), (False, MAG1), (False, PUBLIC)):
        anchor.slow = slow
        answers = anchor.hear(heard, source) + anchor.hear(heard, source) + anchor.flush()
        assert [answer.datagram[3] for answer in answers] == ([0] if slow else [])
        assert anchor.notes[-1].reason == "duplicate"
    assert anchor.engine.dhcp.pre_tunnels.find(DIRECT, station(1)) is not None


@covers("N56")
def test_numbers_are_settings_and_it_is_off_by_default() -> None:
    anchor = DhcpAnchor(pre_tunnel_request_type=120, pre_tunnel_reply_type=121)
    anchor.ignore("unknown-message-type", anchor.pre_tunnel_request().encode(mn_ha=association(1)))
    [sent] = anchor.hear(anchor.pre_tunnel_request().encode(120, mn_ha=association(1)))
    assert (sent.datagram[0], sent.datagram[3]) == (121, 0)
    off = DhcpAnchor(pre_tunnel=False)
    off.ignore("unknown-message-type", off.pre_tunnel_request().encode(mn_ha=association(1)))
    plain = Anchor()
    plain.ignore("unknown-message-type", off.pre_tunnel_request().encode(mn_ha=association(1)))


@pytest.mark.parametrize(
    ("status", "fields", "mag"),
    [
        (136, {"home_agent": MAG2}, {}),
        (134, {"udp_tunnel": UdpTunnelRequest()}, {}),
        (140, {"unknown": (bytes.fromhex("26 00 0006 00000009 0001"),)}, {}),
        (150, {}, {"proxy": False}),
        (150, {}, {"realms": frozenset({b"other.example"})}),
        (149, {"per_node": (2, b"\1")}, {}),
    ],
)
def test_what_a_registration_would_be_refused_for(status, fields, mag) -> None:
    anchor = DhcpAnchor(mags=[KnownMag(address=MAG1, **mag)] if mag else [])
    reply = anchor.ask_for_tunnel(**fields)
    assert (reply.status, reply.care_of_address) == (status, MAG1)
    note = anchor.notes[-1]
    assert (note.name, note.reason) == ("registration-refused", str(status))
    assert anchor.wanted() == [] and not anchor.engine.dhcp.pre_tunnels


def test_who_gets_no_address_by_dhcp_needs_no_tunnel_for_it() -> None:
    anchor = DhcpAnchor()
    assert anchor.ask_for_tunnel(BLUE).status == 129
    assert "assigned_by" in anchor.notes[-1].cause


def test_a_broadcast_is_told_where_to_ask() -> None:
    anchor = DhcpAnchor()
    request = anchor.pre_tunnel_request().encode(mn_ha=association(1))
    [sent] = anchor.hear(request, local=ipv4("192.0.2.255"))
    assert anchor.pre_tunnel_reply(sent).status == 136
    assert anchor.wanted() == []


@covers("N51")
def test_it_ends_60_s_after_the_last_request() -> None:
    anchor = DhcpAnchor()
    anchor.open()
    anchor.pass_time(50)
    anchor.open()
    anchor.names()
    anchor.wanted()
    anchor.pass_time(59)
    assert anchor.wanted() == []
    anchor.pass_time(2)
    assert anchor.wanted() == [Forget(DIRECT, station(1))]
    note = anchor.last("pre-tunnel-closed")
    assert (note.nai, note.reason) == ("mn1@example.net", "expired")


@covers("N51", "N13")
def test_it_moves_with_a_valid_request() -> None:
    """To another port of the NAT, to another MAG: the new one is open before the old one is closed."""
    anchor = DhcpAnchor()
    anchor.open(1, PRIVATE, source=PUBLIC, port=PORT)
    anchor.wanted()
    anchor.open(1, PRIVATE, source=PUBLIC, port=PORT)
    assert anchor.wanted() == [Expect(THROUGH_NAT, station(1))]  # or what could not be opened would never be
    assert anchor.names().count("pre-tunnel-opened") == 1
    anchor.open(1, MAG2)
    moved = Tunnel(local=LMA, remote=MAG2)
    assert anchor.wanted() == [Expect(moved, station(1)), Forget(THROUGH_NAT, station(1))]
    assert len(anchor.engine.dhcp.pre_tunnels) == 1


@covers("N51")
def test_a_station_with_another_name_keeps_what_its_former_one_loses() -> None:
    """It has authenticated anew, as somebody else: what it was before ends, and its DHCP goes on."""
    anchor = DhcpAnchor()
    anchor.open(1)
    anchor.pass_time(30)
    anchor.open(2, identifiers=(ethernet_device(station(1)),))
    assert anchor.wanted() == [Expect(DIRECT, station(1))] * 2
    anchor.pass_time(31)
    assert anchor.last("pre-tunnel-closed").nai == "mn1@example.net"
    assert anchor.wanted() == []
    anchor.up(message(MessageType.DISCOVER, 1))
    assert len(anchor.relayed()) == 1
    anchor.pass_time(30)
    assert anchor.wanted() == [Forget(DIRECT, station(1))]


@covers("N55")
def test_a_registration_takes_its_place() -> None:
    anchor = DhcpAnchor()
    anchor.open()
    anchor.lease()
    anchor.wanted()
    anchor.accept(home_address=HOME)
    assert anchor.wanted() == [Forget(DIRECT, station(1))]
    assert anchor.last("pre-tunnel-closed").reason == "registered"


@covers("N55")
def test_a_registration_elsewhere_does_not() -> None:
    """The node has moved on, and its former MAG, which does not know it yet, has had to register it anew."""
    anchor = DhcpAnchor()
    anchor.open()
    anchor.lease()
    anchor.open(1, MAG2)
    anchor.wanted()
    anchor.accept(1, MAG1, home_address=HOME)
    assert anchor.wanted() == []
    anchor.pass_time(3)
    anchor.accept(1, MAG2, home_address=HOME)
    assert anchor.wanted() == [Forget(Tunnel(local=LMA, remote=MAG2), station(1))]


@covers("N55")
def test_a_registration_that_is_refused_does_not() -> None:
    anchor = DhcpAnchor()
    anchor.open()
    anchor.wanted()
    anchor.deny(129, home_address=HOME)
    assert anchor.wanted() == []
    assert len(anchor.engine.dhcp.pre_tunnels) == 1


def test_there_are_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretunnelling, "MOST", 2)
    anchor = DhcpAnchor()
    anchor.open(1)
    anchor.open(2)
    assert anchor.ask_for_tunnel(3).status == 130
    anchor.open(2)
    assert len(anchor.engine.dhcp.pre_tunnels) == 2


@covers("N51")
class TestPreTunnels:
    """Whose DHCP it is."""

    @staticmethod
    def one(node: int, tunnel: Tunnel = DIRECT, *, known: bool = True) -> PreTunnel:
        mac = station(node) if known else None
        return PreTunnel(b"mn%d" % node, mac, tunnel, Place(MAG1, MAG1), node, 60.0 + node)

    def test_by_tunnel_and_mac(self) -> None:
        pre_tunnels = PreTunnels()
        pre_tunnels.put(self.one(1))
        pre_tunnels.put(self.one(2, THROUGH_NAT))
        assert pre_tunnels.find(DIRECT, station(1)).nai == b"mn1"
        assert pre_tunnels.find(THROUGH_NAT, station(1)) is None
        assert pre_tunnels.find(DIRECT, station(2)) is None
        assert pre_tunnels.bind(DIRECT, station(3)) is None

    def test_the_oldest_unknown_one_is_bound_first(self) -> None:
        pre_tunnels = PreTunnels()
        for node in (1, 2):
            pre_tunnels.put(self.one(node, known=False))
        assert pre_tunnels.bind(THROUGH_NAT, station(7)) is None
        assert pre_tunnels.bind(DIRECT, station(7)).nai == b"mn1"
        assert pre_tunnels.find(DIRECT, station(7)).nai == b"mn1"
        assert pre_tunnels.bind(DIRECT, station(8)).nai == b"mn2"
        assert pre_tunnels.bind(DIRECT, station(9)) is None

    def test_whoever_is_removed_leaves_others_alone(self) -> None:
        pre_tunnels = PreTunnels()
        former, newer = self.one(1), self.one(2)
        newer.mac = station(1)
        pre_tunnels.put(former)
        pre_tunnels.put(newer)
        pre_tunnels.remove(former)
        assert pre_tunnels.find(DIRECT, station(1)) is newer
        unknown = self.one(3, known=False)
        pre_tunnels.put(unknown)
        pre_tunnels.remove(unknown)
        assert pre_tunnels.bind(DIRECT, station(3)) is None
        assert [one.nai for one in pre_tunnels.over(1e9)] == [b"mn2"]
        assert pre_tunnels.next_deadline() == 62.0

    def test_ten_packets_a_second(self) -> None:
        one = self.one(1)
        assert [one.may_send(5.0 + at / 100) for at in range(12)] == [True] * 10 + [False] * 2
        assert one.may_send(6.0)


def test_a_request_that_cannot_be_read() -> None:
    anchor = DhcpAnchor()
    anchor.ignore("truncated", b"\xfa" + bytes(10))
    assert anchor.engine.receive(b"\xfa", Endpoint(MAG1, 434), LMA, anchor.clock.now())
