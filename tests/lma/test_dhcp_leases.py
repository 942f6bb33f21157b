"""Leases and bindings in step at the LMA: durable, whose they are, and what ends what (N54, D31, D37, P38, P65)."""

import pytest

from pmip_tw.addresses import Ipv4, ipv4, prefix
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.dhcp.leases import DhcpLease, DhcpLeases
from pmip_tw.mobility.tunnels import AnchorKey
from pmip_tw.wire.dhcp import MessageType
from pmip_tw.wire.extension_values import RevocationSupport
from pmip_tw.wire.pretunnel import ethernet_device
from pmip_tw.wire.relay_information import RelayInformation
from tests.conformance import covers
from tests.lma.anchor import LMA, MAG1, MAG2, nai, revocations
from tests.lma.dhcp_anchor import (
    DIRECT,
    EVERYTHING,
    HOME,
    SECOND_SERVER,
    DhcpAnchor,
    answer,
    message,
    station,
)

OTHER = ipv4("10.1.0.102")


def registered(node: int = 1, address: Ipv4 = HOME, **settings: object) -> DhcpAnchor:
    """A node that has got its address by DHCP, and is registered with it; revocation is agreed upon."""
    anchor = DhcpAnchor(**settings)
    anchor.open(node)
    overridden = {"server": LMA} if settings.get("option_82") else {}
    anchor.lease(node, address, **overridden)
    anchor.accept(node, home_address=address, revocation=RevocationSupport(1))
    anchor.told()
    anchor.names()
    return anchor


def ended(anchor: DhcpAnchor, why: str, node: int = 1, address: Ipv4 = HOME) -> None:
    """Lease and binding are over, and the MAG is told by a revocation."""
    assert anchor.leased(node) is None and anchor.binding(node) is None
    assert AnchorKey(address) not in anchor.installed
    told = revocations(anchor.sent)
    assert {(one.home_address, one.foreign_domain) for one in told} == {(address, MAG1)}
    assert anchor.last("lease-ended").reason == why
    assert "binding-revoked" in [note.name for note in anchor.notes]


@covers("N54")
def test_the_ack_goes_down_when_the_lease_is_durable() -> None:
    anchor = DhcpAnchor()
    anchor.open()
    anchor.slow = True
    anchor.lease()
    assert anchor.told() == []
    anchor.lose()
    assert anchor.told() == []
    anchor.flush()
    [(_, _, ack)] = anchor.told()
    assert ack.message_type is MessageType.ACK


@covers("N54", "H10")
def test_nobody_else_gets_a_leased_address() -> None:
    anchor = DhcpAnchor()
    anchor.open()
    anchor.lease()
    note = anchor.deny(129, 2, home_address=HOME)
    assert "not leased to it" in note.cause
    anchor.accept(1, home_address=HOME)
    anchor.deny(129, 2, home_address=HOME)


@covers("N54")
def test_without_a_lease_there_is_nothing() -> None:
    """Neither by name nor for 0.0.0.0; who has one gets it in either way."""
    anchor = DhcpAnchor()
    anchor.deny(129, 1, home_address=HOME)
    note = anchor.deny(130, 1)
    assert "DHCP assigns its addresses" in note.cause
    anchor.open()
    anchor.lease()
    anchor.deny(129, 1, home_address=OTHER)
    assert anchor.accept(1).home_address == HOME


@covers("N54")
def test_a_restart_brings_leases_back() -> None:
    anchor = registered()
    anchor.open(2)
    anchor.lease(2, OTHER)
    anchor.restart(downtime=30)
    assert (anchor.leased(1), anchor.leased(2)) == (AnchorKey(HOME), AnchorKey(OTHER))
    anchor.deny(129, 1, home_address=OTHER)
    anchor.deny(129, 3, home_address=OTHER)
    anchor.accept(2, home_address=OTHER)


@covers("N54")
def test_a_crash_between_lease_and_registration_loses_nothing() -> None:
    anchor = DhcpAnchor()
    anchor.open()
    anchor.lease()
    anchor.restart()
    assert not anchor.engine.dhcp.pre_tunnels
    anchor.accept(1, home_address=HOME)


@covers("N54")
def test_what_ended_stays_ended_over_a_restart() -> None:
    anchor = registered()
    anchor.open()
    anchor.up(message(MessageType.RELEASE, ciaddr=HOME))
    anchor.restart(one_row=True)
    assert anchor.leased() is None
    anchor.deny(129, 1, home_address=HOME)


@covers("D37")
def test_the_address_is_kept_while_the_lease_runs() -> None:
    anchor = registered()
    anchor.release(home_address=HOME)
    assert anchor.leased() == AnchorKey(HOME)
    anchor.deny(129, 2, home_address=HOME)
    anchor.accept(1, home_address=HOME)
    anchor.release(home_address=HOME)
    anchor.pass_time(601)
    assert anchor.leased() is None
    assert anchor.last("lease-ended").reason == "expired"
    anchor.deny(129, 1, home_address=HOME)


@covers("D31", "P38", "P65")
def test_a_lease_that_we_see_renewed_ends_its_binding() -> None:
    """By server id override its renewals come by us: no renewal means that it is over."""
    anchor = registered(option_82=EVERYTHING)
    anchor.pass_time(500)
    anchor.accept(home_address=HOME, revocation=RevocationSupport(2))
    anchor.pass_time(103)
    ended(anchor, "expired")


@covers("D30", "P65")
def test_a_lease_that_we_do_not_see_renewed_lives_as_long_as_its_binding() -> None:
    anchor = registered()
    for _ in range(4):
        anchor.pass_time(400)
        anchor.accept(home_address=HOME)
    assert anchor.leased() == AnchorKey(HOME)
    anchor.restart()
    assert anchor.leased() == AnchorKey(HOME)
    anchor.pass_time(602)
    assert anchor.leased() is None and anchor.binding() is None


@covers("D30", "P65")
def test_a_node_whose_server_is_silent_asks_the_others_through_a_tunnel() -> None:
    """By a broadcast from its address (RFC 2131 4.4.5), for which its MAG has asked for a pre-tunnel."""
    anchor = registered()
    anchor.pass_time(550)
    anchor.accept(home_address=HOME)
    anchor.open()
    anchor.up(message(MessageType.REQUEST, ciaddr=HOME, xid=9))
    [asked] = anchor.relayed()
    anchor.server_says(answer(MessageType.ACK, asked), SECOND_SERVER)
    [(tunnel, packet, ack)] = anchor.told()
    assert (tunnel, packet.destination, ack.message_type) == (DIRECT, HOME, MessageType.ACK)
    [lease] = anchor.engine.leases
    assert lease.deadline == anchor.clock.monotonic + 600
    assert anchor.binding() is not None


@covers("D14", "D30", "P65")
def test_a_renewal_comes_by_us() -> None:
    anchor = registered(option_82=EVERYTHING)
    anchor.pass_time(300)
    anchor.from_home(message(MessageType.REQUEST, ciaddr=HOME, xid=9))
    [asked] = anchor.relayed()
    assert (asked.giaddr, asked.ciaddr, asked.hops) == (LMA, HOME, 1)
    told = RelayInformation.decode(asked.options[-1][1])
    assert dict(told.sub_options)[10] == b"\x80"
    anchor.server_says(answer(MessageType.ACK, asked, server=LMA))
    [(tunnel, packet, ack)] = anchor.told()
    assert (tunnel, packet.source, packet.destination) == (DIRECT, LMA, HOME)
    assert ack.message_type is MessageType.ACK
    anchor.pass_time(290)
    anchor.accept(home_address=HOME)
    anchor.pass_time(200)
    assert anchor.leased() == AnchorKey(HOME)
    assert anchor.binding() is not None


@covers("D31", "P38", "P65")
def test_a_release_comes_by_us() -> None:
    anchor = registered(option_82=EVERYTHING)
    anchor.from_home(message(MessageType.RELEASE, ciaddr=HOME, server=LMA))
    [asked] = anchor.relayed()
    assert asked.message_type is MessageType.RELEASE
    ended(anchor, "released")


@covers("D35", "N54")
@pytest.mark.parametrize(
    ("source", "node", "ciaddr", "domain"),
    [(OTHER, 1, HOME, ""), (HOME, 2, HOME, ""), (OTHER, 2, OTHER, ""), (HOME, 1, HOME, "blue")],
)
def test_nobody_releases_anothers_lease(source, node, ciaddr, domain) -> None:
    """Not from another address, not another client, not without a lease, not from another address space."""
    anchor = registered(option_82=EVERYTHING)
    before = anchor.state()
    anchor.from_home(message(MessageType.RELEASE, node, ciaddr=ciaddr, server=LMA), source, domain)
    assert anchor.relayed() == [] and anchor.state() == before
    assert anchor.leased() == AnchorKey(HOME)
    assert anchor.notes[-1].reason in ("dhcp-spoofed-source", "dhcp-others-lease")


@covers("D35")
def test_only_who_is_registered_renews_by_us() -> None:
    anchor = registered(option_82=EVERYTHING)
    anchor.release(home_address=HOME)
    anchor.from_home(message(MessageType.REQUEST, ciaddr=HOME))
    assert anchor.relayed() == []
    assert anchor.notes[-1].reason == "dhcp-others-lease"


@covers("D31")
def test_a_refused_renewal_ends_both() -> None:
    anchor = registered(option_82=EVERYTHING)
    anchor.from_home(message(MessageType.REQUEST, ciaddr=HOME))
    [asked] = anchor.relayed()
    anchor.server_says(answer(MessageType.NAK, asked, server=LMA))
    [(_, packet, nak)] = anchor.told()
    assert (packet.destination, nak.message_type) == (HOME, MessageType.NAK)
    ended(anchor, "refused")


@covers("D31")
def test_a_refusal_of_another_address_ends_nothing() -> None:
    anchor = registered()
    anchor.open()
    anchor.up(message(MessageType.REQUEST, requested=OTHER))
    [asked] = anchor.relayed()
    anchor.server_says(answer(MessageType.NAK, asked))
    assert anchor.leased() == AnchorKey(HOME) and anchor.binding() is not None


@covers("D31", "D35")
def test_release_and_decline_out_of_the_pre_tunnel() -> None:
    anchor = registered()
    anchor.open()
    anchor.up(message(MessageType.RELEASE, ciaddr=HOME))
    assert len(anchor.relayed()) == 1
    ended(anchor, "released")


def test_a_declined_address_is_given_to_nobody_for_a_while() -> None:
    anchor = registered()
    anchor.open()
    anchor.up(message(MessageType.DECLINE, requested=HOME, server=ipv4("203.0.113.67")))
    assert len(anchor.relayed()) == 1
    ended(anchor, "declined")
    for restart in (False, True):
        if restart:
            anchor.restart()
        anchor.open(2)
        anchor.lease(2)
        assert anchor.told() == [] and anchor.leased(2) is None
        assert anchor.notes[-1].reason == "dhcp-unusable-address"
    anchor.pass_time(601)
    anchor.open(2)
    anchor.lease(2)
    assert len(anchor.told()) == 1


@covers("D31")
def test_a_server_that_gives_it_to_another_has_it_back() -> None:
    """Nobody is registered with it; so its client has released it, and we have not seen that."""
    anchor = registered()
    anchor.release(home_address=HOME)
    anchor.open(2)
    anchor.lease(2, HOME)
    assert anchor.last("lease-ended").reason == "replaced"
    assert (anchor.leased(1), anchor.leased(2)) == (None, AnchorKey(HOME))
    anchor.accept(2, home_address=HOME)
    anchor.deny(129, 1, home_address=HOME)


@covers("N54", "D35")
@pytest.mark.parametrize("kind", [MessageType.OFFER, MessageType.ACK])
def test_nobody_gets_the_address_of_a_node_that_is_registered(kind: MessageType) -> None:
    """A server believes option 61: whoever copies it from another would have his address, and that one none."""
    anchor = registered()
    before = anchor.state()
    anchor.open(2)
    asks = MessageType.DISCOVER if kind is MessageType.OFFER else MessageType.REQUEST
    anchor.up(message(asks, 2, requested=HOME, options=((61, b"\1" + station(1)),)))
    [asked] = anchor.relayed()
    anchor.server_says(answer(kind, asked))
    assert anchor.told() == [] and anchor.state() == before
    assert (anchor.leased(1), anchor.leased(2)) == (AnchorKey(HOME), None)
    note = anchor.notes[-1]
    assert note.reason == "dhcp-unusable-address" and "'mn1@example.net'" in note.cause


@covers("D31")
def test_a_station_with_another_name_takes_its_address_along() -> None:
    """It has authenticated anew, as somebody else: the server knows the client."""
    anchor = registered()
    anchor.open(2, identifiers=(ethernet_device(station(1)),))
    anchor.up(message(MessageType.REQUEST, 1, requested=HOME))
    [asked] = anchor.relayed()
    anchor.server_says(answer(MessageType.ACK, asked))
    ended(anchor, "replaced")
    assert anchor.leased(2) == AnchorKey(HOME)
    anchor.accept(2, home_address=HOME)
    anchor.deny(129, 1, home_address=HOME)


def test_another_address_for_the_same_node_ends_the_former() -> None:
    anchor = registered()
    anchor.open()
    anchor.lease(1, OTHER)
    assert anchor.leased() == AnchorKey(OTHER) and anchor.binding() is None
    anchor.deny(129, 1, home_address=HOME)
    anchor.accept(1, home_address=OTHER)


@covers("P38")
def test_who_tells_us_of_the_end_of_a_lease_is_still_heard() -> None:
    """``pmip-lease-ended``."""
    anchor = registered()
    anchor.lease_ends(AnchorKey(HOME))
    ended(anchor, "told")
    anchor.restart()
    anchor.deny(129, 1, home_address=HOME)


@covers("P34", "D38")
def test_a_lease_goes_with_its_node_to_another_mag() -> None:
    anchor = registered()
    anchor.pass_time(10)
    anchor.accept(1, MAG2, home_address=HOME)
    assert anchor.leased() == AnchorKey(HOME)


def test_leases_for_ever_and_for_long_are_written_down_again() -> None:
    """A journal keeps an hour more than its bindings: what is older than half of that is said anew."""
    anchor = DhcpAnchor()
    for node, seconds in ((1, 0xFFFFFFFF), (2, 7 * 86_400)):
        anchor.open(node)
        anchor.lease(node, ipv4(f"10.1.0.10{node}"), lease=seconds)
    anchor.journal.clear()
    anchor.pass_time(1802)
    anchor.restart()
    assert {lease.nai for lease in anchor.engine.leases} == {nai(1), nai(2)}
    anchor.pass_time(86_400)
    assert len(anchor.engine.leases) == 2
    assert anchor.engine.next_deadline() is not None
    anchor.pass_time(7 * 86_400)
    assert [lease.nai for lease in anchor.engine.leases] == [nai(1)]


def test_leases_without_the_feature_end_all_the_same() -> None:
    """It was switched off, and on again."""
    anchor = registered()
    anchor.restart(policy={"pre_tunnel": False})
    assert anchor.engine.dhcp is None and anchor.leased() == AnchorKey(HOME)
    anchor.release(home_address=HOME)
    anchor.pass_time(602)
    assert anchor.leased() is None


def test_who_has_a_fixed_address_gets_that_by_dhcp_and_no_other() -> None:
    def pools() -> Pools:
        by_dhcp = AddressPool(prefix("10.1.0.0/24"), by_dhcp=True)
        return Pools([(by_dhcp, ["example.net"])], {nai(1).decode(): OTHER})

    anchor = DhcpAnchor(pools=pools)
    for node, address in ((1, HOME), (2, OTHER)):
        anchor.open(node)
        anchor.lease(node, address)
        assert anchor.told() == [] and anchor.leased(node) is None
        assert anchor.notes[-1].reason == "dhcp-unusable-address"
    anchor.lease(1, OTHER)
    assert anchor.leased() == AnchorKey(OTHER) and len(anchor.told()) == 1
    anchor.accept(1, home_address=OTHER)
    anchor.restart()
    assert anchor.leased() == AnchorKey(OTHER)


@pytest.mark.parametrize("realms", [["example.net"], ["other.example"]])
def test_leases_of_what_dhcp_does_not_assign_any_more_are_nobodys(realms: list[str]) -> None:
    """The pool is the LMA's own now, or serves others; what the node says of its lease is not relayed."""

    def pools() -> Pools:
        by_dhcp = AddressPool(prefix("10.3.0.0/24"), by_dhcp=True)
        return Pools([(AddressPool(prefix("10.1.0.0/24")), realms), (by_dhcp, ["red.example"])])

    anchor = registered(option_82=EVERYTHING)
    anchor.restart(pools=pools)
    assert anchor.leased() is None
    bound = anchor.binding()
    assert (bound is not None) == (realms == ["example.net"])
    anchor.from_home(message(MessageType.REQUEST, ciaddr=HOME))
    assert anchor.relayed() == [] and anchor.notes[-1].reason == "dhcp-others-lease"
    anchor.pass_time(599)
    assert anchor.binding() is bound


def test_the_clients_mac_is_the_leases() -> None:
    anchor = registered()
    [lease] = anchor.engine.leases
    assert (lease.nai, lease.mac, lease.seen) == (nai(1), station(1), False)
    assert [one.seen for one in registered(option_82=EVERYTHING).engine.leases] == [True]


def test_a_lease_that_is_over_is_none_before_anybody_looks() -> None:
    anchor = DhcpAnchor()
    anchor.open()
    anchor.lease()
    anchor.clock.advance(600.5)
    anchor.deny(129, 1, home_address=HOME)


def test_a_server_that_says_our_name_unasked_is_not_seen_renewing() -> None:
    """Nobody listens for renewals then."""
    anchor = DhcpAnchor()
    anchor.open()
    anchor.lease(server=LMA)
    assert [lease.seen for lease in anchor.engine.leases] == [False]


@covers("D31")
def test_who_was_bound_without_a_lease_gives_way() -> None:
    """The pool was the LMA's own before."""
    anchor = DhcpAnchor(pools=Pools([(AddressPool(prefix("10.1.0.0/24")), [])]))
    home = anchor.accept(1).home_address
    anchor.restart(pools=Pools([(AddressPool(prefix("10.1.0.0/24"), by_dhcp=True), [])]))
    assert anchor.binding(1) is not None
    anchor.open(2)
    anchor.lease(2, home)
    assert anchor.binding(1) is None
    assert anchor.accept(2).home_address == home


def test_a_node_has_one_lease_and_an_address_one_node() -> None:
    leases = DhcpLeases()
    one, other = AnchorKey(HOME), AnchorKey(OTHER)
    for name, key in ((b"a", one), (b"b", one), (b"b", other)):
        leases.put(DhcpLease(name, station(1), key, 600.0, False, 0.0))
    assert leases.of(b"a") is None and leases.at(one) is None
    assert leases.at(other) is leases.of(b"b") is not None
    assert len(leases) == 1
