"""Who is heard first, without sockets."""

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.interfaces import Datagram
from pmip_tw.net.overload import FOR_STRANGERS, MOST_WAITING, WINDOW, Crowd, Proven

LOCAL = Ipv4(0x7F000002)


def source(port: int, address: int = 0x7F000001) -> Endpoint:
    return Endpoint(Ipv4(address), port)


def datagrams(port: int, count: int = 1) -> list[Datagram]:
    return [Datagram(b"%d" % number, source(port), LOCAL) for number in range(count)]


def ports(batch: list[Datagram]) -> list[int]:
    return [one.source.port for one in batch]


class TestProven:
    def test_a_source_is_an_address_and_a_port(self) -> None:
        proven = Proven()
        proven.note([source(434)])
        assert source(434) in proven
        assert source(435) not in proven
        assert source(434, 0x7F000009) not in proven

    def test_the_last_half_at_least_is_remembered(self) -> None:
        proven = Proven(most=10)
        for port in range(100):
            proven.note([source(port)])
            assert all(source(recent) in proven for recent in range(max(0, port - 4), port + 1))
        assert sum(source(port) in proven for port in range(100)) <= 10

    def test_it_is_crowded_when_most_is_worthless(self) -> None:
        proven = Proven()
        for _ in range(WINDOW):
            proven.handled(2)
            proven.note([source(1)])
        assert not proven.crowded_out
        for _ in range(WINDOW):
            proven.handled(3)
            proven.note([source(1)])
        assert proven.crowded_out

    def test_a_few_bad_ones_are_no_crowd(self) -> None:
        proven = Proven()
        proven.handled(WINDOW // 4 - 1)
        assert not proven.crowded_out
        proven.handled(1)
        assert proven.crowded_out

    def test_what_was_long_ago_does_not_count(self) -> None:
        """The flood is over after as many good ones as are looked at."""
        proven = Proven()
        for _ in range(100):
            proven.handled(WINDOW // 2)
        assert proven.crowded_out
        for _ in range(WINDOW):
            proven.handled(1)
            proven.note([source(1)])
        assert not proven.crowded_out


class TestCrowd:
    def test_who_authenticated_lately_goes_first(self) -> None:
        proven = Proven()
        proven.note([source(1), source(2)])
        crowd = Crowd(proven)
        crowd.admit([*datagrams(8, 3), *datagrams(1, 2), *datagrams(9), *datagrams(2)])
        assert ports(crowd.choose(4)) == [1, 2, 1, 8]
        assert ports(crowd.choose(4)) == [9, 8, 8]
        assert (len(crowd), crowd.dropped) == (0, 0)

    def test_strangers_are_heard_all_the_same(self) -> None:
        """Somebody who floods in the name of a good source keeps nobody from becoming one."""
        proven = Proven()
        proven.note([source(1)])
        crowd = Crowd(proven)
        crowd.admit([*datagrams(1, 100), *datagrams(8, 100)])
        chosen = ports(crowd.choose(8 * FOR_STRANGERS))
        assert (chosen.count(1), chosen.count(8)) == (8 * FOR_STRANGERS - 8, 8)

    def test_nobody_is_kept_waiting_for_nobody(self) -> None:
        proven = Proven()
        proven.note([source(1)])
        crowd = Crowd(proven)
        crowd.admit(datagrams(1, 20))
        assert len(crowd.choose(16)) == 16
        crowd.admit(datagrams(8, 20))
        assert len(crowd.choose(30)) == 24

    def test_what_a_source_sends_keeps_its_order_when_it_becomes_known(self) -> None:
        proven = Proven()
        crowd = Crowd(proven)
        earlier, later = datagrams(1, 2)
        crowd.admit([earlier])
        proven.note([source(1)])
        crowd.admit([later])
        assert crowd.choose(2) == [earlier, later]

    def test_a_flood_costs_the_good_nothing(self) -> None:
        """Whatever the strangers' room."""
        proven = Proven()
        proven.note([source(1)])
        crowd = Crowd(proven)
        for port in range(2, 5002):
            crowd.admit(datagrams(port))
        crowd.admit(datagrams(1, 10))
        assert crowd.good == 10
        assert ports(crowd.choose(20))[:10] == [1] * 10
        assert len(crowd) == MOST_WAITING
        assert crowd.dropped == 5000 - 10 - MOST_WAITING

    def test_who_borrows_a_good_source_gets_no_more_than_its_share(self) -> None:
        proven = Proven()
        proven.note([source(1), source(2)])
        crowd = Crowd(proven)
        crowd.admit(datagrams(1, 10 * MOST_WAITING))
        crowd.admit(datagrams(2, 5))
        assert ports(crowd.choose(10)) == [1, 2] * 5
        assert crowd.dropped == 9 * MOST_WAITING - 5
