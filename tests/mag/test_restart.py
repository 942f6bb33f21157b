"""A MAG that was killed goes on serving whom it served, from its journal.

node            MAG                         LMA
 |--frame------->|--registration request---->|
 |<--DHCP ACK----|<-----------------accepted-|
 |               X  kill -9
 |               |  start: entry installed, nobody asked
 |--frame------->|==tunnel==================>|
 |               |  half of the lifetime is over, and the node is still there
 |<--ARP probe---|
 |--ARP reply--->|--registration request---->|
"""

import pytest

from pmip_tw.aaa.profiles.profile import RootKey
from pmip_tw.aaa.verdicts import Reject
from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.mag.effects import Authenticate, Keepalive, MagEffect, Save, Transmit
from pmip_tw.mag.journal.records import Departed, Visiting
from pmip_tw.mag.registration.protection import LmaAssociation
from pmip_tw.mag.visitors import Visitor
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.mobility.effects import Install, Remove, Send
from pmip_tw.mobility.mn_aaa import AaaAssociation
from pmip_tw.mobility.packet_filters import PacketFilter
from pmip_tw.mobility.tunnels import AccessKey, Encapsulation
from pmip_tw.secret import Secret
from pmip_tw.wire.dhcp import MessageType, OptionCode
from pmip_tw.wire.extension_values import UdpTunnelReply
from pmip_tw.wire.host_configuration import HostConfiguration, Item
from pmip_tw.wire.revocation import RevocationAck
from tests.agents.world import GATEWAY, LMA, PORT, Station, association
from tests.conformance import covers
from tests.mag.bench import (
    ADDRESS,
    LMA_CLOCK,
    MAG,
    Bench,
    accept,
    in_one_row,
    names,
    note,
    notes,
    only,
    reply,
    requests,
    revocation,
    told,
)
from tests.mag.test_independent import answered, said, shown
from tests.mag.test_presence import probes
from tests.mag.test_relayed import LEASE, RelayBench

FIRST, SECOND = Station(1), Station(2)
OTHER, THIRD = ipv4("10.1.0.10"), ipv4("10.1.0.11")
SPARE = ipv4("192.0.2.2")
MOVED = ipv4("198.51.100.200")


def portrait(visitor: Visitor) -> dict[str, object]:
    """What a restart must not change."""
    same = (
        "key",
        "profile",
        "lma",
        "home_address",
        "tunnel",
        "grant",
        "session_ends",
        "lease_ends",
        "lease_cause",
        "accounting_id",
    )
    return {name: getattr(visitor, name) for name in (*same, "placed", "shows_dhcp", "state")}


def asked_anybody(effects: list[MagEffect]) -> bool:
    return bool(only(Send, effects) or only(Authenticate, effects) or only(Transmit, effects))


class TestServedOn:
    @covers("P44", "P21")
    def test_the_packet_plane_has_its_entry_before_anything_is_asked(self) -> None:
        bench = Bench()
        before = portrait(bench.register())
        [entry] = [install.entry for install in only(Install, bench.effects) if install.entry.upstream]
        effects = bench.restart(downtime=5)
        assert portrait(bench.visitor) == before
        assert [install.entry for install in only(Install, effects)] == [entry]
        assert not asked_anybody(effects)
        assert names(effects) == ["visitor-restored", "visitors-restored"]
        assert note("visitor-restored", effects).nai == FIRST.nai
        assert note("visitors-restored", effects).details == {"visitors": 1}

    def test_all_that_a_registration_may_bring(self) -> None:
        """A tunnel in UDP behind a NAT, GRE keys, another algorithm, a key for AAA, a session that is limited."""
        key = SecurityAssociation(9000, Secret(b"another key of the node"), Algorithm.HMAC_SHA256)
        bench = Bench(
            on_revoke="dhcp_nak",
            encapsulation=Encapsulation.GRE,
            gre_key="own",
            gre_key_with_d=True,
            filters={name: PacketFilter(name) for name in ("gold", "no-smtp")},
        )
        bench.profile = {
            "lmas": (LMA, SPARE),
            "mn_ha": key,
            "mn_aaa": AaaAssociation(2, Secret(b"shared with AAA")),
            "session_timeout": 7200,
            "classes": (b"gold", b"\0\xff"),
            "fa_rk": RootKey(4711, Secret(b"root")),
            "dhcp_server": LMA,
            "name_servers": (LMA, SPARE),
            "lifetime": 900,
            "idle_timeout": 600,
            "interim_interval": 60,
            "reauthenticate": True,
            "filter_ids": ("gold", "no-smtp"),
            "chargeable_identity": b"cui-1",
            "aaa_session_id": b"\1\2\3\4",
            "correlation_id": b"3gpp2",
        }
        request = bench.begin()
        udp = UdpTunnelReply()
        bench.arrive(reply(request, key=key, gre_key=77, udp_tunnel=udp, inform=True))
        before = portrait(bench.visitor)
        assert bench.visitor.tunnel is not None and bench.visitor.tunnel.key_out == 77
        bench.restart()
        assert portrait(bench.visitor) == before

    @covers("D23")
    def test_dhcp_is_answered_from_the_registration(self) -> None:
        bench = Bench()
        bench.register(FIRST.dhcp(MessageType.DISCOVER))
        bench.hear(FIRST.dhcp(MessageType.REQUEST, requested=ADDRESS, server=GATEWAY))
        bench.restart(downtime=30)
        effects = bench.hear(FIRST.dhcp(MessageType.REQUEST, ciaddr=ADDRESS, server=GATEWAY))
        [ack] = told(effects)
        assert (ack.message_type, ack.yiaddr) == (MessageType.ACK, ADDRESS)
        assert not only(Authenticate, effects) and not requests(effects)

    @covers("P70")
    def test_what_the_lma_has_told_about_the_home_link_is_known(self) -> None:
        bench = Bench(host_configuration=True, home_links=())
        request = bench.begin()
        gateway = ipv4("10.1.0.254")
        told_by_lma = HostConfiguration(prefix_length=22, gateway=gateway, name_servers=(SPARE,))
        bench.arrive(reply(request, unknown=told_by_lma.encode(frozenset({Item.REQUEST}))))
        assert bench.engine.gateway_for(ADDRESS) == gateway
        bench.restart()
        [offer] = told(bench.hear(FIRST.dhcp(MessageType.DISCOVER)))
        options = dict(offer.options)
        assert options[OptionCode.SUBNET_MASK] == b"\xff\xff\xfc\0"
        assert options[OptionCode.ROUTERS] == gateway.to_bytes(4, "big")
        assert options[OptionCode.DNS_SERVERS] == SPARE.to_bytes(4, "big")

    @covers("D22")
    def test_a_lease_that_ended_meanwhile_ends_the_visit(self) -> None:
        bench = Bench(dhcp="independent")
        bench.register(FIRST.data(ADDRESS))
        shown(bench, said(MessageType.REQUEST))
        shown(bench, answered(MessageType.ACK, lease=600))
        bench.restart(downtime=661)
        effects = bench.wait(1)
        assert note("visitor-left", effects).cause == "DHCP lease expired"
        assert requests(effects)[0].lifetime == 0

    @covers("P62")
    def test_an_address_of_its_own_is_renewed(self) -> None:
        bench = Bench(dhcp="independent")
        bench.register(FIRST.data(ADDRESS))
        bench.restart()
        bench.arrive(reply(bench.renew()))
        assert bench.visitor.state.value == "registered"

    @covers("D34", "D36")
    def test_leases_of_other_servers(self) -> None:
        bench = Bench(dhcp="independent")
        bench.register(FIRST.data(ADDRESS))
        shown(bench, said(MessageType.REQUEST))
        shown(bench, answered(MessageType.ACK, lease=600))
        before = portrait(bench.visitor)
        assert before["lease_ends"] == pytest.approx(bench.at + 660)
        bench.restart(downtime=1)
        assert portrait(bench.visitor) == before

    @covers("D23", "P63")
    def test_leases_that_were_relayed(self) -> None:
        bench = RelayBench()
        bench.serve()
        before = portrait(bench.visitor)
        assert before["lease_ends"] == pytest.approx(bench.at + LEASE * 1.1)
        bench.restart(downtime=1)
        assert portrait(bench.visitor) == before

    def test_the_session_timeout_goes_on(self) -> None:
        bench = Bench()
        bench.profile = {"session_timeout": 600}
        bench.register()
        bench.restart(downtime=500)
        effects = bench.wait(101)
        assert "session timeout" in note("visitor-left", effects).cause

    @covers("P81")
    def test_its_tunnel_is_watched(self) -> None:
        bench = Bench(liveness=True)
        bench.register()
        bench.restart()
        assert only(Keepalive, bench.wait(31))

    @covers("P77", "N1")
    def test_what_its_lma_gives_is_expected_of_it(self) -> None:
        """The newest word: it was without a NAT at first."""
        bench = Bench()
        bench.register()
        bench.arrive(
            reply(bench.begin(station=SECOND), station=SECOND, home=OTHER, udp_tunnel=UdpTunnelReply())
        )
        bench.restart()
        bench.begin(Station(3).data(THIRD), Station(3))
        [provisional] = [
            install.entry for install in only(Install, bench.effects) if not install.entry.upstream
        ]
        assert provisional.tunnel.over_udp

    @covers("I3", "P17")
    def test_identifications_go_on_where_they_were(self) -> None:
        """An LMA whose clock is ahead is not asked with our time again; nothing is sent that is older."""
        bench = Bench()
        request = bench.begin()
        ahead = request.identification + (100 << 32)
        [again] = requests(bench.arrive(reply(request, 133, identification=ahead)))
        bench.arrive(reply(again))
        bench.wall_ahead -= 3600  # an hour back, with the machine
        bench.restart()
        renewal = bench.renew()
        assert bench.engine.clock_offset(LMA) == 100
        assert renewal.identification > again.identification

    def test_after_a_reboot_deadlines_are_what_they_were(self) -> None:
        bench = Bench()
        visitor = bench.register(lifetime=1800)
        assert visitor.grant is not None
        left = visitor.grant.ends_at - bench.at
        bench.restart(downtime=60, reboot=True)
        assert bench.visitor.grant is not None
        assert bench.visitor.grant.ends_at - bench.at == pytest.approx(left - 60)


class TestWhoIsThere:
    """P15: whom the new process has not heard may have moved away meanwhile, and is not taken back."""

    @covers("P15", "P20")
    def test_nothing_is_asked_before_half_of_the_lifetime_is_over(self) -> None:
        bench = Bench()
        visitor = bench.register()
        assert visitor.grant is not None
        bench.restart(downtime=100)
        assert not asked_anybody(bench.wait(visitor.grant.renew_at - bench.at - 1))

    @covers("P15", "P79")
    def test_who_is_silent_is_looked_for_before_it_is_renewed(self) -> None:
        bench = Bench(lifetime=40)
        bench.register(lifetime=40)
        bench.restart()
        effects = bench.wait(25)
        assert probes(effects) == 3
        assert {request.lifetime for request in requests(effects)} == {0}
        assert "since this MAG was restarted" in note("visitor-left", effects).cause

    @covers("P15")
    @pytest.mark.parametrize("reboot", [False, True])
    def test_not_even_one_that_was_heard_just_before(self, reboot: bool) -> None:
        """Nor in the first seconds of a machine, where no frame ever looks like one of long ago."""
        bench = Bench(lifetime=20)
        bench.register(lifetime=20)
        bench.wait(8.9)
        bench.hear(FIRST.arp(ADDRESS, GATEWAY))
        bench.restart(downtime=1.2, reboot=reboot)
        effects = bench.wait(1.0)
        assert requests(effects) == [] and probes(effects) == 1

    @covers("P15")
    def test_who_answers_is_renewed(self) -> None:
        bench = Bench()
        bench.register()
        bench.restart(downtime=1000)
        assert probes(bench.wait(0.5)) == 1
        bench.hear(FIRST.arp(ADDRESS, GATEWAY))
        [renewal] = requests(bench.wait(1.05))
        assert (renewal.home_address, renewal.home_agent, renewal.lifetime) == (ADDRESS, LMA, 1800)
        effects = bench.arrive(reply(renewal))
        assert "registration-renewed" in names(effects)

    @covers("P15", "P20")
    def test_those_that_became_due_meanwhile_are_not_looked_for_in_one_moment(self) -> None:
        bench = Bench()
        stations = [Station(number) for number in range(1, 401)]
        for station in stations:
            bench.register(station=station, home=Ipv4(ADDRESS + station.number))
            bench.wait(0.01)
        bench.restart(downtime=1000)
        assert len(bench.engine.visitors) == 400
        assert 80 < probes(bench.wait(0.5)) < 120
        assert probes(bench.wait(1.6)) >= 400

    @covers("P15", "L6")
    def test_who_ends_first_is_looked_for_first(self) -> None:
        bench = Bench()
        bench.register()
        bench.register(station=SECOND, home=OTHER, lifetime=1200)
        effects = bench.restart(downtime=1000) + bench.wait(0.1)
        [first] = only(Transmit, effects)
        assert first.frame[:6] == SECOND.mac


class TestOver:
    def test_who_expired_meanwhile_is_gone(self) -> None:
        """Its binding has ended by itself; its next frame attaches it."""
        bench = Bench()
        bench.register()
        effects = bench.restart(downtime=1801)
        assert effects == [] and len(bench.engine.visitors) == 0
        assert only(Authenticate, bench.hear(FIRST.data(ADDRESS)))

    @pytest.mark.parametrize("answered", [True, False])
    def test_who_left_does_not_come_back(self, answered: bool) -> None:
        bench = Bench()
        bench.register()
        [farewell] = requests(bench.hear(FIRST.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=GATEWAY)))
        if answered:
            bench.arrive(reply(farewell))
        bench.restart()
        assert len(bench.engine.visitors) == 0
        assert bench.arrive(reply(farewell))[-1].observation.reason == "unexpected-reply"

    @covers("RV17", "RV37")
    def test_who_was_revoked_does_not_come_back_and_the_lma_is_answered_again(self) -> None:
        bench = Bench()
        bench.register()
        bench.arrive(revocation(LMA_CLOCK + 5))
        bench.restart()
        assert len(bench.engine.visitors) == 0
        [ack] = only(Send, bench.arrive(revocation(LMA_CLOCK + 5)))
        assert RevocationAck.decode(ack.datagram).identifier == LMA_CLOCK + 5
        assert names(bench.arrive(revocation(LMA_CLOCK + 4))) == ["message-discarded"]

    @covers("RV16")
    def test_what_is_restored_is_revoked_as_before(self) -> None:
        """And what was captured before it was registered means nothing."""
        bench = Bench()
        bench.register()
        bench.restart(downtime=10)
        assert notes(bench.arrive(revocation(LMA_CLOCK)))[0].reason == "stale"
        assert notes(bench.arrive(revocation(LMA_CLOCK + 400)))[0].reason == "outside-window"
        assert only(Remove, bench.arrive(revocation(LMA_CLOCK + 12)))
        bench.restart()
        assert len(bench.engine.visitors) == 0

    @covers("RV37")
    def test_a_revocation_of_who_has_left_is_answered(self) -> None:
        bench = Bench()
        bench.register()
        [farewell] = requests(bench.hear(FIRST.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=GATEWAY)))
        bench.arrive(reply(farewell))
        bench.restart()
        assert only(Send, bench.arrive(revocation(LMA_CLOCK + 5)))

    @covers("RV37", "P82")
    def test_a_revocation_of_what_was_registered_with_a_former_address_is_answered(self) -> None:
        bench = Bench()
        bench.register()
        bench.take(bench.engine.address_changed(MOVED, bench.now))
        bench.hear(FIRST.arp(ADDRESS, GATEWAY))
        request = requests(bench.wait(1.1))[-1]
        bench.arrive(reply(request))
        bench.restart(address=MOVED)
        assert only(Send, bench.arrive(revocation(LMA_CLOCK + 5, foreign_domain=MAG)))
        assert bench.visitor.state.value == "registered"

    def test_who_moved_to_another_port_and_was_refused_there(self) -> None:
        bench = Bench(duplicate_mac="move")
        bench.register(FIRST.data(ADDRESS))
        [asked] = only(Authenticate, bench.hear(FIRST.data(ADDRESS), "acc1"))
        bench.decide(asked, Reject("not there"))
        bench.restart()
        assert len(bench.engine.visitors) == 0

    def test_what_was_granted_for_longer_before(self) -> None:
        """A renewal that was granted for less ends with that."""
        bench = Bench()
        bench.register(lifetime=1800)
        bench.arrive(reply(bench.renew(), lifetime=300))
        assert bench.restart(downtime=301) == []

    def test_all_in_one_row(self) -> None:
        """What came together was written together."""
        bench = Bench()
        bench.register()
        bench.hear(FIRST.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=GATEWAY))
        bench.register(station=SECOND)
        bench.journal = [in_one_row(bench.journal)]
        bench.restart()
        assert bench.visitor.nai == SECOND.nai

    def test_back_after_leaving(self) -> None:
        """The newest word counts."""
        bench = Bench()
        bench.register()
        bench.hear(FIRST.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=GATEWAY))
        bench.register(home=OTHER)
        bench.restart()
        assert bench.visitor.home_address == OTHER

    def test_an_address_that_went_to_another(self) -> None:
        bench = Bench()
        bench.register()
        bench.register(station=SECOND)
        bench.restart()
        assert bench.visitor.nai == SECOND.nai

    @pytest.mark.parametrize("whose", ["name", "address"])
    def test_what_could_not_be_written_down(self, whose: str) -> None:
        """That the first one has lost its name or its address was never saved, who has it now was."""
        bench = Bench()
        bench.register()
        if whose == "name":
            bench.profile = {"nai": FIRST.nai}
            asked = bench.attach(station=SECOND)
            [request] = requests(bench.decide(asked, accept(FIRST)))
            bench.arrive(reply(request, home=OTHER))
        else:
            bench.register(station=SECOND)
        bench.journal = [row for row in bench.journal if row[2:3] != b"\x02"]
        bench.restart()
        assert bench.visitor.mac == SECOND.mac


class TestAnotherConfiguration:
    def test_an_lma_that_shares_no_key_any_more(self) -> None:
        key = SecurityAssociation(5000, Secret(b"between MAG and LMA"))
        bench = Bench(associations=(LmaAssociation(address=LMA, mode=AuthenticationMode.FA_HA, fa_ha=key),))
        bench.profile = {"mn_ha": None}
        request = bench.begin()
        bench.arrive(reply(request, fa_ha=key))
        effects = bench.restart(associations=())
        assert len(bench.engine.visitors) == 0 and not only(Install, effects)
        lost = note("visitor-not-restored", effects)
        assert (lost.nai, lost.reason) == (
            FIRST.nai,
            "configuration-changed",
        ) and "no association" in lost.cause
        [saved] = only(Save, effects)
        assert isinstance(saved.records[0], Departed)

    def test_a_key_that_was_changed_is_the_new_one(self) -> None:
        keys = [SecurityAssociation(5000, Secret(b"between MAG and LMA %d" % number)) for number in (1, 2)]
        first, second = (LmaAssociation(address=LMA, fa_ha=key) for key in keys)
        bench = Bench(associations=(first,))
        request = bench.begin()
        bench.arrive(reply(request, fa_ha=keys[0]))
        bench.restart(associations=(second,))
        assert only(Remove, bench.arrive(revocation(LMA_CLOCK + 5, fa_ha=keys[1])))

    @covers("P82", "RV37")
    def test_another_address_of_our_own(self) -> None:
        """Nothing comes back through the old tunnel: whoever is there is registered anew."""
        bench = Bench()
        bench.register()
        effects = bench.restart(address=MOVED)
        assert not only(Install, effects) and bench.visitor.state.value == "waiting"
        assert probes(bench.wait(1.0)) == 1
        bench.hear(FIRST.arp(ADDRESS, GATEWAY))
        [request] = requests(bench.wait(1.1))
        assert (request.home_address, request.care_of_address) == (ADDRESS, MOVED)
        bench.arrive(reply(request))
        [ack] = only(Send, bench.arrive(revocation(LMA_CLOCK + 5, foreign_domain=MAG)))
        assert RevocationAck.decode(ack.datagram).identifier == LMA_CLOCK + 5

    def test_a_packet_plane_that_takes_it_no_more(self) -> None:
        bench = Bench()
        bench.register()
        effects = bench.restart()
        [install] = only(Install, effects)
        failed = bench.take(bench.engine.forwarding_failed(install.entry, "no such port", bench.now))
        assert requests(failed)[0].lifetime == 0 and len(bench.engine.visitors) == 1
        bench.restart()
        assert len(bench.engine.visitors) == 0


def test_nothing_is_written_of_who_was_never_registered() -> None:
    bench = Bench()
    bench.begin(FIRST.data(ADDRESS))
    bench.wait(120)
    assert len(bench.engine.visitors) == 0 and bench.journal == []


def test_every_registration_is_written_down_anew() -> None:
    """So that nothing in the journal is older than a lifetime."""
    bench = Bench()
    bench.register()
    renewal = bench.renew()
    [saved] = only(Save, bench.arrive(reply(renewal)))
    [record] = saved.records
    assert isinstance(record, Visiting) and record.deadline == pytest.approx(bench.at + 1800, abs=1)


def test_no_record_shows_a_key() -> None:
    bench = Bench()
    bench.register()
    bench.arrive(revocation(LMA_CLOCK + 5))
    shown = repr([saved.records for saved in only(Save, bench.effects)])
    assert "hidden" in shown and "key of mobile node" not in shown
    assert any(b"key of mobile node" in row for row in bench.journal)


def test_after_a_move_between_ports_it_is_served_where_it_is_now() -> None:
    bench = Bench(duplicate_mac="move")
    bench.register(FIRST.data(ADDRESS))
    [asked] = only(Authenticate, bench.hear(FIRST.data(ADDRESS), "acc1"))
    [request] = requests(bench.decide(asked, accept(FIRST)))
    bench.arrive(reply(request))
    bench.restart()
    assert bench.visitor.key == AccessKey("acc1", FIRST.mac) != AccessKey(PORT, FIRST.mac)


def test_restored_visitors_know_who_they_are_protected_by() -> None:
    bench = Bench()
    bench.register()
    bench.restart()
    assert bench.visitor.grant is not None
    assert bench.visitor.grant.protection.mn_ha == association(1)
