"""Revocations that arrive at a MAG (RV9-RV18, RV32-RV39)."""

import pytest

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import Accept
from pmip_tw.addresses import Endpoint, Ipv4, ipv4
from pmip_tw.mag.effects import Authenticate, Transmit
from pmip_tw.mag.registration.protection import LmaAssociation
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.effects import Install, Remove, Send
from pmip_tw.wire import codes as wire
from pmip_tw.wire.dhcp import MessageType
from pmip_tw.wire.revocation import RevocationAck
from pmip_tw.wire.udp import udp_packet
from tests.agents.world import CORRESPONDENT, GATEWAY, GATEWAY_MAC, LMA, Station, World, association
from tests.conformance import covers
from tests.mag.bench import (
    ADDRESS,
    LMA_CLOCK,
    MAG,
    Bench,
    note,
    notes,
    only,
    order,
    reply,
    requests,
    revocation,
    told,
)

STATION = Station(1)


@covers("RV32", "RV33", "RV34")
def test_the_visitor_is_removed_before_the_acknowledgment() -> None:
    bench = Bench()
    bench.register()
    source = Endpoint(ipv4("192.0.2.1"), 40434)
    effects = bench.arrive(revocation(LMA_CLOCK + 5), source)
    assert order(effects, Remove, Send) == ["Remove", "Send"]
    assert len(bench.engine.visitors) == 0
    [send] = only(Send, effects)
    assert (send.destination, send.source) == (source, MAG)  # to the port that it came from
    ack = RevocationAck.decode(send.datagram)
    assert (ack.home_address, ack.identifier, ack.inform) == (ADDRESS, LMA_CLOCK + 5, False)
    assert ack.mn_ha is not None and ack.fa_ha is None
    assert association(1).verify(send.datagram[: ack.mn_ha.covered], ack.mn_ha.value)
    assert note("revocation-received", effects).nai == STATION.nai


@covers("RV9", "RV11", "RV16", "RV17", "RV18", "RV32", "RV38")
@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("stale", revocation(LMA_CLOCK)),  # RV16: equal
        ("stale", revocation(LMA_CLOCK - 1)),
        ("outside-window", revocation(LMA_CLOCK + 400)),
        ("bad-authenticator", revocation(LMA_CLOCK + 5, key=association(1, b"another key"))),
        ("bad-authenticator", revocation(LMA_CLOCK + 5, key=association(2))),
        (
            "bad-authenticator",
            revocation(LMA_CLOCK + 5, key=association(2, b"key of mobile node 01")),
        ),  # RV11: SPI
        ("bad-authenticator", revocation(LMA_CLOCK + 5)[:-22]),
        ("reflected", revocation(LMA_CLOCK + 5, from_home_agent=False)),
        ("not-ours", revocation(LMA_CLOCK + 5, foreign_domain=ipv4("198.51.100.99"))),
        ("not-ours", revocation(LMA_CLOCK + 5, home_domain=ipv4("0.0.0.0"))),
        ("no-such-binding", revocation(LMA_CLOCK + 5, home_domain=ipv4("192.0.2.2"))),
        ("no-such-binding", revocation(LMA_CLOCK + 5, home_address=ipv4("10.1.0.10"))),
        ("no-such-binding", revocation(LMA_CLOCK + 5, nai=b"mn2@example.net")),
        ("truncated", revocation(LMA_CLOCK + 5)[:12]),
    ],
)
def test_what_is_wrong_with_it_is_counted_and_changes_nothing(reason: str, message: bytes) -> None:
    bench = Bench()
    visitor = bench.register()
    effects = bench.arrive(message)
    assert [found.reason for found in notes(effects)] == [reason]
    assert order(effects, Remove, Send) == []
    assert bench.visitor is visitor


@covers("RV11")
def test_the_lma_is_known_by_what_the_message_says_not_by_where_it_comes_from() -> None:
    """A NAT, or another of its addresses, may stand between."""
    bench = Bench()
    bench.register()
    elsewhere = Endpoint(ipv4("203.0.113.9"), 40000)
    [send] = only(Send, bench.arrive(revocation(LMA_CLOCK + 5), elsewhere))
    assert send.destination == elsewhere
    assert len(bench.engine.visitors) == 0


@covers("RV19")
def test_what_another_lma_says_is_compared_with_its_own_clock() -> None:
    bench, second, lma = Bench(), Station(2), ipv4("192.0.2.2")
    visitor = bench.register()
    asked = bench.attach(station=second)
    profile = Profile(nai=second.nai, lmas=(lma,), mn_ha=association(2))
    [request] = requests(bench.decide(asked, Accept(profile)))
    home = ipv4("10.1.0.44")
    bench.arrive(reply(request, station=second, home=home, agent=lma, timestamp=7), Endpoint(lma, 434))
    told = {"key": association(2), "nai": second.nai.encode(), "home_address": home, "home_domain": lma}
    assert only(Send, bench.arrive(revocation(7, **told))) == []
    assert only(Send, bench.arrive(revocation(8, **told)))
    assert bench.visitor is visitor


@covers("RV13")
def test_without_nai_the_addresses_decide() -> None:
    """RV13."""
    bench = Bench()
    bench.register()
    assert only(Send, bench.arrive(revocation(LMA_CLOCK + 5, nai=b"")))


@covers("RV1")
def test_not_negotiated() -> None:
    bench = Bench()
    bench.arrive(reply(bench.begin(), timestamp=None))
    assert note("message-discarded", bench.arrive(revocation(LMA_CLOCK + 5))).reason == "not-negotiated"


@covers("RV17")
def test_the_window_moves_with_time() -> None:
    bench = Bench()
    bench.register()
    bench.at += 800
    assert note("message-discarded", bench.arrive(revocation(LMA_CLOCK + 400))).reason == "outside-window"
    assert only(Send, bench.arrive(revocation(LMA_CLOCK + 790)))


@covers("RV16")
def test_identifiers_wrap_around() -> None:
    bench = Bench()
    bench.arrive(reply(bench.begin(), timestamp=0xFFFFFFFE))
    assert only(Send, bench.arrive(revocation(3)))


@covers("RV17", "RV37")
def test_a_lost_acknowledgment_is_repeated() -> None:
    """RV37: the same identifier, or the fresh one of a retransmission; an older one is a replay."""
    bench = Bench()
    bench.register()
    bench.arrive(revocation(LMA_CLOCK + 5))
    for identifier in (LMA_CLOCK + 5, LMA_CLOCK + 6):
        effects = bench.arrive(revocation(identifier))
        [send] = only(Send, effects)
        assert RevocationAck.decode(send.datagram).identifier == identifier
        assert order(effects, Remove) == []
    assert note("message-discarded", bench.arrive(revocation(LMA_CLOCK + 4))).reason == "replayed"
    forged = revocation(LMA_CLOCK + 7, key=association(1, b"guess"))
    assert only(Send, bench.arrive(forged)) == []
    bench.at += 2000  # the old lifetime is over
    assert only(Send, bench.arrive(revocation(LMA_CLOCK + 5))) == []


@covers("RV37")
def test_who_left_by_itself_is_answered_for() -> None:
    bench = Bench()
    bench.register()
    bench.hear(STATION.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=GATEWAY))
    assert only(Send, bench.arrive(revocation(LMA_CLOCK + 5)))


@covers("RV13", "RV17", "RV37")
def test_former_owners_of_an_address_are_told_apart() -> None:
    bench, second = Bench(), Station(2)
    bench.register()
    bench.arrive(revocation(LMA_CLOCK + 50))
    bench.register(station=second)
    unknown = revocation(LMA_CLOCK + 51, nai=b"mn3@example.net")
    assert note("message-discarded", bench.arrive(unknown)).reason == "no-such-binding"
    its_own = revocation(LMA_CLOCK + 20, key=association(2), nai=second.nai.encode())
    assert order(bench.arrive(its_own), Remove, Send) == ["Remove", "Send"]


@covers("RV37")
def test_registrations_that_are_over_are_remembered_until_they_would_have_ended() -> None:
    bench, stations = Bench(), [Station(number) for number in (1, 2, 3)]

    def stay(station: Station, home: Ipv4) -> None:
        bench.register(station=station, home=home)
        bench.take(bench.engine.detach(station.nai, bench.now))

    stay(stations[0], ADDRESS)
    stay(stations[1], ipv4("10.1.0.10"))
    assert only(Send, bench.arrive(revocation(LMA_CLOCK + 5)))
    bench.at += 2000
    stay(stations[2], ipv4("10.1.0.11"))
    assert len(bench.engine._revocations._tombstones) == 1


@covers("RV1", "RV37")
def test_of_who_left_without_revocation_negotiated_nothing_is_kept() -> None:
    bench = Bench()
    bench.arrive(reply(bench.begin(), timestamp=None))
    bench.hear(STATION.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=GATEWAY))
    assert note("message-discarded", bench.arrive(revocation(LMA_CLOCK + 5))).reason == "no-such-binding"


@covers("RV16", "RV17")
def test_back_within_the_same_second_survives_what_was_meant_for_the_earlier_stay() -> None:
    """RV16, RV17: even with an LMA whose 137 does not run ahead of its identifiers."""
    bench = Bench()
    bench.register()
    bench.arrive(revocation(LMA_CLOCK + 1))
    request = bench.begin(STATION.data(ADDRESS))
    bench.arrive(reply(request, timestamp=LMA_CLOCK))
    visitor = bench.visitor
    effects = bench.arrive(revocation(LMA_CLOCK + 1))
    assert order(effects, Remove, Send) == ["Send"]
    assert bench.visitor is visitor
    bench.arrive(revocation(LMA_CLOCK + 2))
    assert len(bench.engine.visitors) == 0


@covers("RV16", "RV37")
def test_during_a_registration_only_what_is_surely_about_an_earlier_stay_is_answered() -> None:
    """A later one may mean the registration whose reply is on its way: who said that this is over would serve it."""
    bench = Bench()
    bench.register()
    bench.arrive(revocation(LMA_CLOCK + 1))
    request = bench.begin(STATION.data(ADDRESS))
    assert order(bench.arrive(revocation(LMA_CLOCK + 1)), Remove, Send) == ["Send"]
    crossing = bench.arrive(revocation(LMA_CLOCK + 3))
    assert (note("message-discarded", crossing).reason, order(crossing, Remove, Send)) == ("under-way", [])
    assert order(bench.arrive(reply(request, timestamp=LMA_CLOCK + 2)), Install) == ["Install"]
    assert order(bench.arrive(revocation(LMA_CLOCK + 4)), Remove, Send) == ["Remove", "Send"]
    assert len(bench.engine.visitors) == 0


@covers("RV37", "P81")
def test_during_a_registration_elsewhere_the_former_lma_is_answered() -> None:
    """What it ends cannot be what another LMA was asked for."""
    bench = Bench()
    bench.register()
    bench.arrive(revocation(LMA_CLOCK + 1))
    bench.profile = {"lmas": (ipv4("192.0.2.2"),)}
    bench.begin(STATION.data(ADDRESS))
    assert order(bench.arrive(revocation(LMA_CLOCK + 3)), Remove, Send) == ["Send"]


@covers("RV32")
def test_a_renewal_on_its_way_does_not_save_it() -> None:
    bench = Bench()
    bench.register()
    request = bench.renew()
    bench.arrive(revocation(LMA_CLOCK + 1000))
    assert len(bench.engine.visitors) == 0
    assert order(bench.arrive(reply(request)), Install) == []
    assert requests(bench.wait(100)) == []


SHARED = association(9)
PER_NODE = (LmaAssociation(address=LMA, mode=AuthenticationMode.FA_HA, fa_ha=SHARED),)


class TestPerNode:
    """Revocations under the MAG's own association (P76, RV9, RV11, RV37)."""

    def bench(self) -> Bench:
        bench = Bench(associations=PER_NODE)
        bench.profile = {"mn_ha": None}
        return bench

    @covers("RV9", "RV11", "P76", "RV42")
    def test_fa_ha_proves_it_and_its_acknowledgment_wherever_it_comes_from(self) -> None:
        bench = self.bench()
        bench.arrive(reply(bench.begin(), fa_ha=SHARED))
        source = Endpoint(ipv4("203.0.113.77"), 434)
        effects = bench.arrive(revocation(LMA_CLOCK + 5, fa_ha=SHARED), source)
        assert order(effects, Remove, Send) == ["Remove", "Send"]
        [send] = only(Send, effects)
        ack = RevocationAck.decode(send.datagram)
        assert ack.fa_ha is not None and ack.mn_ha is None and send.destination == source
        assert SHARED.verify(send.datagram[: ack.fa_ha.covered], ack.fa_ha.value)

    @covers("RV9")
    @pytest.mark.parametrize("proof", [{"fa_ha": association(8)}, {"key": association(1)}, {"key": SHARED}])
    def test_nothing_else_does(self, proof: dict[str, SecurityAssociation]) -> None:
        bench = self.bench()
        bench.arrive(reply(bench.begin(), fa_ha=SHARED))
        effects = bench.arrive(revocation(LMA_CLOCK + 5, **proof))  # type: ignore[arg-type]
        assert note("message-discarded", effects).reason == "bad-authenticator"
        assert len(bench.engine.visitors) == 1

    @covers("RV37", "P21")
    def test_after_a_restart_the_lma_hears_that_it_is_over(self) -> None:
        bench = self.bench()
        effects = bench.arrive(revocation(LMA_CLOCK + 5, fa_ha=SHARED, inform=True))
        [send] = only(Send, effects)
        ack = RevocationAck.decode(send.datagram)
        assert (ack.home_address, ack.identifier, ack.inform) == (ADDRESS, LMA_CLOCK + 5, False)
        assert note("revocation-without-visitor", effects).nai == STATION.nai
        forged = bench.arrive(revocation(LMA_CLOCK + 5, fa_ha=association(8)))
        assert note("message-discarded", forged).reason == "no-such-binding"

    @covers("RV16", "RV37")
    def test_after_a_restart_too_it_may_mean_the_registration_that_is_under_way(self) -> None:
        bench = self.bench()
        request = bench.begin()
        crossing = bench.arrive(revocation(LMA_CLOCK + 5, fa_ha=SHARED))
        assert (note("message-discarded", crossing).reason, only(Send, crossing)) == ("under-way", [])
        assert order(bench.arrive(reply(request, fa_ha=SHARED)), Install) == ["Install"]

    @covers("RV38")
    def test_not_about_an_address_that_was_never_ours(self) -> None:
        bench = self.bench()
        message = revocation(LMA_CLOCK + 5, fa_ha=SHARED, foreign_domain=ipv4("198.51.100.99"))
        assert note("message-discarded", bench.arrive(message)).reason == "not-ours"

    @covers("RV9")
    def test_under_ipsec_the_lmas_address_is_the_proof(self) -> None:
        bench = Bench(associations=(LmaAssociation(address=LMA, mode=AuthenticationMode.IPSEC),))
        bench.arrive(reply(bench.begin())[:-22])
        bare = revocation(LMA_CLOCK + 5)[:-22]
        refused = bench.arrive(bare, Endpoint(ipv4("203.0.113.77"), 434))
        assert note("message-discarded", refused).reason == "bad-authenticator"
        [send] = only(Send, bench.arrive(bare))
        assert RevocationAck.decode(send.datagram).mn_ha is None


class TestTellingTheNode:
    """The I bit: negotiated in 137, asked for in the revocation, promised in the acknowledgment (RV5, RV33, RV40)."""

    def revoked(
        self, bench: Bench, *, asked: bool = True, negotiated: bool = True
    ) -> tuple[list, RevocationAck]:
        request = bench.begin(STATION.data(ADDRESS))
        bench.arrive(reply(request, inform=negotiated))
        effects = bench.arrive(revocation(LMA_CLOCK + 5, inform=asked))
        assert order(effects, Remove, Send) == ["Remove", "Send"]
        [send] = only(Send, effects)
        return effects, RevocationAck.decode(send.datagram)

    @covers("RV5")
    @pytest.mark.parametrize(
        ("on_revoke", "bit"), [("none", False), ("dhcp_nak", True), ("l2_disconnect", True)]
    )
    def test_the_request_offers_it_if_there_is_a_way(self, on_revoke: str, bit: bool) -> None:
        request = Bench(on_revoke=on_revoke).begin()
        assert request.revocation is not None and request.revocation.inform is bit

    @covers("RV33", "RV40")
    def test_l2_disconnect_sends_eap_failure(self) -> None:
        effects, ack = self.revoked(Bench(on_revoke="l2_disconnect"))
        assert ack.inform
        [sent] = only(Transmit, effects)
        assert sent.frame[:14] == bytes(STATION.mac) + bytes(GATEWAY_MAC) + b"\x88\x8e"
        assert sent.frame[14:22] == b"\2\0\0\4\4\0\0\4"
        assert note("node-disconnected", effects).nai == STATION.nai

    @covers("RV33", "RV40")
    def test_dhcp_nak_refuses_the_next_request_once(self) -> None:
        bench = Bench(on_revoke="dhcp_nak")
        effects, ack = self.revoked(bench)
        assert ack.inform and only(Transmit, effects) == []
        renewal = STATION.dhcp(MessageType.REQUEST, ciaddr=ADDRESS, server=GATEWAY)
        effects = bench.hear(renewal)
        [nak] = told(effects)
        assert nak.message_type is MessageType.NAK and only(Authenticate, effects) == []
        assert only(Authenticate, bench.hear(STATION.dhcp(MessageType.DISCOVER)))

    @covers("RV40")
    def test_dhcp_nak_does_not_keep_out_who_comes_back(self) -> None:
        bench = Bench(on_revoke="dhcp_nak")
        self.revoked(bench)
        bench.register(STATION.data(ADDRESS))
        [nak] = told(bench.hear(STATION.dhcp(MessageType.REQUEST, ciaddr=ADDRESS, server=GATEWAY)))
        assert nak.message_type is MessageType.NAK
        [ack] = told(bench.hear(STATION.dhcp(MessageType.REQUEST, ciaddr=ADDRESS, server=GATEWAY)))
        assert ack.message_type is MessageType.ACK

    @covers("RV5", "RV33", "RV40")
    @pytest.mark.parametrize(
        ("on_revoke", "asked", "negotiated"),
        [("dhcp_nak", False, True), ("dhcp_nak", True, False), ("none", True, True)],
    )
    def test_otherwise_the_node_notices_nothing(self, on_revoke: str, asked: bool, negotiated: bool) -> None:
        """A handover's revocation does not ask for it: the node is served elsewhere."""
        bench = Bench(on_revoke=on_revoke)
        effects, ack = self.revoked(bench, asked=asked, negotiated=negotiated)
        assert not ack.inform and only(Transmit, effects) == []
        bench.register(STATION.data(ADDRESS))
        [answer] = told(bench.hear(STATION.dhcp(MessageType.REQUEST, ciaddr=ADDRESS, server=GATEWAY)))
        assert answer.message_type is MessageType.ACK


@covers("RV3")
def test_an_lma_without_revocation_is_refused_if_it_must_have_it() -> None:
    bench = Bench(require_revocation=True)
    effects = bench.arrive(reply(bench.begin(), timestamp=None))
    refused = note("registration-refused", effects)
    assert refused.reason == "revocation" and "require_revocation" in refused.cause
    assert [request.lifetime for request in requests(effects)] == [0]
    assert order(effects, Install) == []
    bench = Bench(require_revocation=True)
    bench.register()


@covers("RV30")
@pytest.mark.parametrize("colocated", [True, False])
def test_a_mag_ends_what_it_registered_by_deregistering(colocated: bool) -> None:
    bench = Bench(colocated=colocated)
    bench.register()
    [send] = only(Send, bench.take(bench.engine.detach(STATION.nai, bench.now)))
    assert send.datagram[0] == wire.MessageType.REGISTRATION_REQUEST


@covers("RV6")
def test_our_timestamp_is_unix_time() -> None:
    bench = Bench()
    request = bench.begin()
    assert request.revocation is not None and request.revocation.timestamp == int(bench.now.wall)


@covers("RV7", "RV16")
def test_each_registration_renews_what_a_revocation_must_be_later_than() -> None:
    bench = Bench()
    bench.register()
    bench.arrive(reply(bench.renew(), timestamp=LMA_CLOCK + 900))
    assert note("message-discarded", bench.arrive(revocation(LMA_CLOCK + 900))).reason == "stale"
    assert order(bench.arrive(revocation(LMA_CLOCK + 901)), Remove) == ["Remove"]


@covers("RV9", "RV10")
def test_every_octet_before_the_authenticator_is_covered() -> None:
    bench = Bench()
    visitor = bench.register()
    genuine = revocation(LMA_CLOCK + 5)
    for position in range(len(genuine)):
        changed = bytearray(genuine)
        changed[position] ^= 1
        assert order(bench.arrive(bytes(changed)), Remove, Send) == []
    assert bench.visitor is visitor
    assert order(bench.arrive(genuine), Remove, Send) == ["Remove", "Send"]


@covers("RV12", "RV17")
def test_a_forged_one_leaves_no_trace_in_what_is_compared() -> None:
    bench = Bench()
    bench.register()
    bench.arrive(revocation(LMA_CLOCK + 200, key=association(1, b"a guess at its key")))
    assert order(bench.arrive(revocation(LMA_CLOCK + 5)), Remove, Send) == ["Remove", "Send"]


@covers("RV39", "P51")
def test_what_still_arrives_for_a_revoked_node_goes_nowhere() -> None:
    world = World()
    station, (first, second) = world.stations[0], world.mags
    address = world.attach(station, first)
    tunnel = first.engine.visitors.with_nai(station.nai).tunnel  # type: ignore[union-attr]
    world.advance(5)
    world.hear(second, station.data(address))
    world.advance(1)
    first.plane.transmitted.clear()
    packet = udp_packet(Endpoint(CORRESPONDENT, 7), Endpoint(address, 5000), b"late")
    first.plane.arrive(tunnel, packet)
    assert first.plane.transmitted == [] and first.plane.tunnelled[-1:] != [(tunnel, packet)]
    assert first.plane.drops()["no-entry"] == 1
