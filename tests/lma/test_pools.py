"""Home addresses: who gets which, and who does not (P30, P80)."""

from pmip_tw.addresses import Ipv4, ipv4, ipv4_text, prefix
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.mobility.tunnels import AnchorKey
from tests.conformance import covers
from tests.lma.anchor import FIRST_ADDRESS, Anchor


def pool(text: str = "10.1.0.0/29", **settings: object) -> AddressPool:
    return AddressPool(prefix(text), **settings)


def take(pools: Pools, nai: bytes, wanted: str = "0.0.0.0", at: float = 0.0) -> str | None:
    """What ``nai`` gets, which is its own then."""
    found = pools.choose(nai, nai, ipv4(wanted), at)
    if found is None:
        return None
    pools.take(found, nai, nai)
    return ipv4_text(found.home_address)


@covers("P30")
def test_hosts_in_order_without_network_gateway_broadcast_and_exclusions() -> None:
    pools = Pools([(pool(exclude=[ipv4("10.1.0.3")]), [])])
    found = [take(pools, b"%d@a" % number) for number in range(6)]
    assert found == ["10.1.0.2", "10.1.0.4", "10.1.0.5", "10.1.0.6", None, None]


def test_the_first_that_is_left_among_those_that_are_used_held_and_excluded() -> None:
    addresses = pool("10.1.0.0/22", exclude=[ipv4("10.1.1.255"), ipv4("10.1.2.7")])
    rest = [ipv4("10.1.1.254"), ipv4("10.1.2.8"), ipv4("10.1.3.254")]
    for number, address in enumerate(range(ipv4("10.1.0.2"), ipv4("10.1.3.255"))):
        if address not in rest and addresses.gives(Ipv4(address)):
            addresses.take(Ipv4(address), b"%d" % number)
            if number % 3 == 0:
                addresses.release(Ipv4(address), 0)
    found = []
    while (fresh := addresses.fresh()) is not None:
        found.append(fresh)
        addresses.take(fresh, b"new")
    assert found == rest


def test_a_prefix_without_room() -> None:
    for text in ("10.1.0.0/31", "10.1.0.0/32"):
        assert take(Pools([(pool(text), [])]), b"a@a") is None


@covers("P80")
class TestHold:
    """P80."""

    def test_the_same_node_gets_its_address_back(self) -> None:
        pools = Pools([(pool(), [])])
        take(pools, b"a@a")
        pools.release(AnchorKey(ipv4("10.1.0.2")), 0)
        assert take(pools, b"b@a") == "10.1.0.3"
        assert take(pools, b"a@a", at=1e6) == "10.1.0.2"

    def test_others_do_not_get_it_by_asking(self) -> None:
        pools = Pools([(pool(hold=100), [])])
        take(pools, b"a@a")
        pools.release(AnchorKey(ipv4("10.1.0.2")), 0)
        assert take(pools, b"b@a", "10.1.0.2", at=99) is None
        assert take(pools, b"a@a", "10.1.0.2", at=99) == "10.1.0.2"
        pools.release(AnchorKey(ipv4("10.1.0.2")), 100)
        assert take(pools, b"b@a", "10.1.0.2", at=200) == "10.1.0.2"

    def test_when_nothing_else_is_left_the_oldest_goes_first(self) -> None:
        pools = Pools([(pool("10.1.0.0/29"), [])])
        for nai in (b"a@a", b"b@a", b"c@a", b"d@a", b"e@a"):
            assert take(pools, nai)
        for order, last in enumerate((4, 2, 6)):
            pools.release(AnchorKey(ipv4(f"10.1.0.{last}")), order)
        found = [take(pools, nai, at=10) for nai in (b"x@a", b"y@a", b"z@a", b"zz@a")]
        assert found == ["10.1.0.4", "10.1.0.2", "10.1.0.6", None]

    def test_who_lost_its_address_gets_another(self) -> None:
        pools = Pools([(pool("10.1.0.0/30"), [])])
        take(pools, b"a@a")
        pools.release(AnchorKey(FIRST_ADDRESS), 0)
        assert take(pools, b"b@a") == "10.1.0.2"
        assert take(pools, b"a@a") is None

    def test_asking_for_another_address_does_not_free_the_former_for_others(self) -> None:
        pools = Pools([(pool(hold=100), [])])
        take(pools, b"a@a")
        pools.release(AnchorKey(ipv4("10.1.0.2")), 0)
        assert take(pools, b"a@a", "10.1.0.6", at=1) == "10.1.0.6"
        assert take(pools, b"b@a", "10.1.0.2", at=2) is None
        pools.release(AnchorKey(ipv4("10.1.0.6")), 3)
        assert take(pools, b"a@a", at=4) == "10.1.0.6"  # the last one it had

    def test_a_hold_taken_over_does_not_spoil_the_former_users_newer_one(self) -> None:
        pools = Pools([(pool(hold=10), [])])
        take(pools, b"a@a")
        pools.release(AnchorKey(ipv4("10.1.0.2")), 0)
        take(pools, b"a@a", "10.1.0.6", at=1)
        pools.release(AnchorKey(ipv4("10.1.0.6")), 2)
        assert take(pools, b"b@a", "10.1.0.2", at=11) == "10.1.0.2"
        assert take(pools, b"a@a", at=11) == "10.1.0.6"

    def test_releasing_twice_or_what_nobody_has_is_nothing(self) -> None:
        pools = Pools([(pool(), [])])
        take(pools, b"a@a")
        for _ in range(2):
            pools.release(AnchorKey(ipv4("10.1.0.2")), 0)
        pools.release(AnchorKey(ipv4("10.1.0.5")), 0)
        pools.release(AnchorKey(ipv4("172.16.0.1")), 0)
        assert [take(pools, nai) for nai in (b"b@a", b"c@a", b"d@a")] == ["10.1.0.3", "10.1.0.4", "10.1.0.5"]

    def test_address_hold_reaches_the_pool(self) -> None:
        anchor = Anchor(address_hold=50.0)
        anchor.accept(1)
        anchor.release(1)
        anchor.deny(129, 2, home_address=FIRST_ADDRESS)
        anchor.pass_time(51)
        anchor.accept(2, home_address=FIRST_ADDRESS)


@covers("P30")
def test_choosing_changes_nothing() -> None:
    """Who is refused for another reason has cost nobody an address."""
    pools = Pools([(pool(hold=100), [])])
    take(pools, b"a@a")
    pools.release(AnchorKey(ipv4("10.1.0.2")), 0)
    for wanted in (0, 0, ipv4("10.1.0.4"), ipv4("10.1.0.3")):
        assert pools.choose(b"b@a", b"b@a", wanted, 0) is not None
    assert pools.users(ipv4("10.1.0.3")) == pools.users(ipv4("10.1.0.4")) == []
    assert [take(pools, nai) for nai in (b"c@a", b"a@a", b"d@a")] == ["10.1.0.3", "10.1.0.2", "10.1.0.4"]


class TestRealms:
    def test_each_realm_its_pools_then_those_for_all(self) -> None:
        pools = Pools([(pool("10.9.0.0/29"), []), (pool("10.1.0.0/30"), ["One.example"])])
        assert take(pools, b"a@one.EXAMPLE") == "10.1.0.2"
        assert take(pools, b"b@one.example") == "10.9.0.2"
        assert take(pools, b"c@two.example") == "10.9.0.3"

    def test_no_realm_is_no_realm(self) -> None:
        """A name without @ is not the realm of that name."""
        pools = Pools([(pool(), ["one.example"])])
        assert take(pools, b"one.example") is None
        assert take(pools, b"a@one.example") == "10.1.0.2"

    def test_wanted_from_another_realms_pool(self) -> None:
        pools = Pools([(pool("10.1.0.0/29"), ["one"]), (pool("10.2.0.0/29"), ["two"])])
        assert take(pools, b"a@one", "10.2.0.2") is None

    def test_former_address_in_a_later_pool_before_a_fresh_one_in_an_earlier(self) -> None:
        pools = Pools([(pool("10.1.0.0/30"), []), (pool("10.2.0.0/29"), [])])
        take(pools, b"a@a")
        assert take(pools, b"b@a") == "10.2.0.2"
        pools.release(AnchorKey(ipv4("10.2.0.2")), 0)
        pools.release(AnchorKey(ipv4("10.1.0.2")), 0)
        assert take(pools, b"b@a", at=1) == "10.2.0.2"

    def test_fresh_in_a_later_pool_before_a_held_one_in_an_earlier(self) -> None:
        pools = Pools([(pool("10.1.0.0/30"), []), (pool("10.2.0.0/30"), [])])
        take(pools, b"a@a")
        pools.release(AnchorKey(ipv4("10.1.0.2")), 0)
        assert take(pools, b"b@a", at=1) == "10.2.0.2"
        assert take(pools, b"c@a", at=1) == "10.1.0.2"

    def test_oldest_hold_over_all_pools(self) -> None:
        pools = Pools([(pool("10.1.0.0/30"), []), (pool("10.2.0.0/30"), [])])
        take(pools, b"a@a"), take(pools, b"b@a")
        pools.release(AnchorKey(ipv4("10.2.0.2")), 0)
        pools.release(AnchorKey(ipv4("10.1.0.2")), 1)
        assert take(pools, b"c@a", at=2) == "10.2.0.2"


@covers("P30")
class TestStatic:
    STATIC = ipv4("10.1.0.2")

    def pools(self) -> Pools:
        return Pools([(pool(), [])], {"fixed@a": self.STATIC})

    def test_always_the_same_one(self) -> None:
        pools = self.pools()
        for wanted in ("0.0.0.0", "10.1.0.2"):
            assert take(pools, b"fixed@a", wanted) == "10.1.0.2"
            pools.release(AnchorKey(self.STATIC), 0)

    def test_it_has_a_user_while_it_is_bound(self) -> None:
        pools = self.pools()
        assert pools.users(self.STATIC) == []
        take(pools, b"fixed@a")
        take(pools, b"a@a")
        assert pools.users(self.STATIC) == [b"fixed@a"]
        assert pools.users(ipv4("10.1.0.3")) == [b"a@a"]
        pools.release(AnchorKey(self.STATIC), 0)
        assert pools.users(self.STATIC) == []

    def test_no_other_one(self) -> None:
        assert take(self.pools(), b"fixed@a", "10.1.0.3") is None

    def test_nobody_elses(self) -> None:
        pools = self.pools()
        assert take(pools, b"a@a", "10.1.0.2") is None
        assert [take(pools, b"%d@a" % number) for number in range(5)] == [
            "10.1.0.3",
            "10.1.0.4",
            "10.1.0.5",
            "10.1.0.6",
            None,
        ]

    def test_not_even_after_it_was_released(self) -> None:
        pools = self.pools()
        take(pools, b"fixed@a")
        pools.release(AnchorKey(self.STATIC), 0)
        assert [take(pools, b"%d@a" % number, at=1e6) for number in range(5)][-1] is None

    def test_outside_every_pool(self) -> None:
        pools = Pools([(pool(), [])], {"fixed@a": ipv4("192.168.5.5")})
        assert take(pools, b"fixed@a") == "192.168.5.5"
        pools.release(AnchorKey(ipv4("192.168.5.5")), 0)
