"""A DHCP server at the LMA has an address back (P38): the binding ends, the MAG is told, and others may have it."""

import pytest

from pmip_tw.addresses import Ipv4, prefix
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.mobility.tunnels import AnchorKey
from pmip_tw.wire.extension_values import RevocationSupport
from tests.conformance import covers
from tests.lma.anchor import BLUE, FIRST_ADDRESS, MAG1, MAG2, Anchor, nai, revocations
from tests.lma.test_address_spaces import two_realms

SUPPORT = RevocationSupport(77, inform=True)
LEASED = FIRST_ADDRESS
MAIN, OTHER = AnchorKey(LEASED), AnchorKey(LEASED, "blue")


@covers("P38", "RV27")
def test_the_binding_of_that_address_ends_and_its_mag_is_told() -> None:
    """The node need not be told what it, or its own lease time, has brought about (RV22)."""
    anchor = Anchor(revocation_inform=True)
    anchor.accept(1, MAG1, home_address=LEASED, revocation=SUPPORT)
    anchor.accept(2, MAG1, revocation=SUPPORT)
    [revocation] = revocations(anchor.lease_ends(MAIN))
    assert (revocation.home_address, revocation.foreign_domain) == (LEASED, MAG1)
    assert revocation.nai == nai(1) and not revocation.inform
    assert anchor.binding(1) is None and anchor.binding(2) is not None
    assert MAIN not in anchor.installed
    assert anchor.names()[-2:] == ["binding-revoked", "revocation-sent"]


@covers("P38", "P80")
def test_the_server_may_give_it_to_another_node_at_once() -> None:
    anchor = Anchor()
    anchor.accept(1, MAG1, home_address=LEASED)
    anchor.lease_ends(MAIN)
    anchor.accept(2, MAG2, home_address=LEASED)
    anchor.deny(129, 1, MAG1, home_address=LEASED)


@covers("P38", "P80")
def test_also_if_the_mag_was_first() -> None:
    """It has seen the release, too, and has de-registered the node: the address is held until the server speaks."""
    anchor = Anchor()
    anchor.accept(1, MAG1, home_address=LEASED)
    anchor.release(1, MAG1)
    anchor.deny(129, 2, MAG2, home_address=LEASED)
    assert anchor.lease_ends(MAIN) == []
    anchor.accept(2, MAG2, home_address=LEASED)


@covers("P38", "P80")
def test_its_node_has_it_again_if_it_comes_first() -> None:
    anchor = Anchor()
    anchor.accept(1, MAG1)
    anchor.lease_ends(MAIN)
    assert anchor.accept(2, MAG1).home_address != LEASED
    assert anchor.accept(1, MAG1).home_address == LEASED


@covers("P80")
def test_an_address_whose_lease_has_ended_goes_before_those_that_are_held() -> None:
    anchor = Anchor(home="10.1.0.0/29")
    for node in range(1, 6):
        anchor.accept(node, MAG1)
    anchor.release(1, MAG1)
    anchor.lease_ends(AnchorKey(Ipv4(LEASED + 2)))
    assert anchor.accept(6, MAG1).home_address == LEASED + 2


@covers("P38", "P85")
def test_the_same_address_of_another_realm_is_another_one() -> None:
    anchor = Anchor(pools=two_realms())
    anchor.accept(1, MAG1)
    anchor.accept(BLUE, MAG2)
    anchor.lease_ends(OTHER)
    assert list(anchor.installed) == [MAIN]
    anchor.lease_ends(AnchorKey(LEASED, "green"))
    assert list(anchor.installed) == [MAIN]


@covers("P38")
def test_a_fixed_address_is_found_as_well() -> None:
    pools = Pools([(AddressPool(prefix("10.1.0.0/29")), [])], {nai(1).decode(): LEASED})
    anchor = Anchor(pools=pools)
    anchor.accept(1, MAG1)
    anchor.lease_ends(MAIN)
    assert anchor.state() == ([], {})


@pytest.mark.parametrize("address", [Ipv4(LEASED + 1), Ipv4(0), Ipv4(0xFFFFFFFF)])
def test_of_nobody(address: Ipv4) -> None:
    anchor = Anchor()
    anchor.accept(1, MAG1)
    before = anchor.state()
    assert anchor.lease_ends(AnchorKey(address)) == []
    assert anchor.state() == before
