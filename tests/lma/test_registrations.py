"""New registrations, renewals, handovers and de-registrations, and what may go wrong between them."""

import pytest

from pmip_tw.addresses import ALL_ONES, Endpoint, ipv4
from pmip_tw.mobility.tunnels import AnchorKey, Tunnel
from pmip_tw.wire.registration import COLOCATED, REVERSE_TUNNEL, SIMULTANEOUS
from tests.conformance import covers
from tests.lma.anchor import FIRST_ADDRESS, LMA, MAG1, MAG2, Anchor, bound, nai, reply_in, revocations


class TestNew:
    @covers("DY1", "H15")
    def test_the_reply_is_complete(self) -> None:
        """RFC 2794: name, home address and home agent."""
        anchor = Anchor()
        reply = anchor.accept()
        assert (reply.code, reply.lifetime) == (1, 600)
        assert (reply.home_address, reply.home_agent) == (FIRST_ADDRESS, LMA)
        assert anchor.names() == ["binding-created"]

    @covers("H15", "P41")
    def test_the_packet_plane_holds_the_binding(self) -> None:
        anchor = Anchor()
        anchor.accept()
        [entry] = anchor.installed.values()
        assert (entry.home_address, entry.tunnel) == (FIRST_ADDRESS, Tunnel(local=LMA, remote=MAG1))

    @covers("DY3")
    def test_all_ones_asks_for_any_address(self) -> None:
        """DY3."""
        assert Anchor().accept(home_address=ALL_ONES).home_address == FIRST_ADDRESS

    @covers("P30")
    def test_a_wanted_address(self) -> None:
        assert Anchor().accept(home_address=ipv4("10.1.0.6")).home_address == ipv4("10.1.0.6")

    def test_the_reply_goes_to_the_port_it_came_from(self) -> None:
        Anchor().accept(port=40000)

    @covers("L3", "L4")
    def test_simultaneous_bindings_replace(self) -> None:
        """L3, L4: the S bit changes nothing."""
        anchor = Anchor()
        anchor.accept(1, MAG1)
        assert anchor.accept(1, MAG2, flags=REVERSE_TUNNEL | COLOCATED | SIMULTANEOUS).code == 1
        assert bound(anchor) == {nai(1): (FIRST_ADDRESS, MAG2)}

    @covers("P23")
    def test_names_are_compared_as_they_are(self) -> None:
        anchor = Anchor()
        anchor.ignore("no-association", anchor.datagram(nai=b"MN1@example.net"))


class TestRenewal:
    @covers("P30")
    @pytest.mark.parametrize("home_address", [0, ALL_ONES, FIRST_ADDRESS])
    def test_same_address_longer_life(self, home_address: int) -> None:
        anchor = Anchor()
        anchor.accept()
        anchor.pass_time(500)
        assert anchor.accept(home_address=home_address).home_address == FIRST_ADDRESS
        anchor.pass_time(500)
        assert bound(anchor) == {nai(1): (FIRST_ADDRESS, MAG1)}
        assert anchor.names() == ["binding-created", "binding-renewed"]

    @covers("P35")
    def test_nothing_is_revoked(self) -> None:
        anchor = Anchor()
        anchor.accept()
        anchor.accept()
        assert revocations(anchor.sent) == []

    @covers("L6")
    def test_a_shorter_life_is_kept_to(self) -> None:
        """The earlier deadline wins over the one filed before."""
        anchor = Anchor()
        anchor.accept(lifetime=600)
        anchor.accept(lifetime=10)
        anchor.pass_time(11)
        assert anchor.state() == ([], {})
        assert anchor.names().count("binding-expired") == 1


class TestHandover:
    @covers("P23", "P34")
    def test_same_address_elsewhere(self) -> None:
        anchor = Anchor()
        anchor.accept(1, MAG1)
        assert anchor.accept(1, MAG2).home_address == FIRST_ADDRESS
        assert bound(anchor) == {nai(1): (FIRST_ADDRESS, MAG2)}
        assert anchor.installed[AnchorKey(FIRST_ADDRESS)].tunnel == Tunnel(local=LMA, remote=MAG2)
        assert anchor.names() == ["binding-created", "binding-moved"]

    @covers("P34")
    def test_the_lifetime_starts_again(self) -> None:
        """P34."""
        anchor = Anchor()
        anchor.accept(1, MAG1)
        anchor.pass_time(599)
        anchor.accept(1, MAG2)
        anchor.pass_time(599)
        assert anchor.binding() is not None

    @covers("H14")
    def test_failing_to_install_keeps_the_old_binding(self) -> None:
        anchor = Anchor()
        anchor.accept(1, MAG1)
        anchor.broken = "no memory"
        anchor.deny(130, 1, MAG2)
        anchor.broken = ""
        anchor.pass_time(601)
        assert anchor.state() == ([], {})  # with its old deadline

    @covers("P31")
    def test_an_older_request_of_the_former_mag_does_not_pull_it_back(self) -> None:
        """P31: requests are ordered by their timestamps, whoever sends them."""
        anchor = Anchor(handover_min_interval=0.0)
        late = anchor.datagram(1, MAG1)
        anchor.accept(1, MAG2)
        assert reply_in(anchor.hear(late)[0], 1).code == 133
        assert bound(anchor) == {nai(1): (FIRST_ADDRESS, MAG2)}


class TestDeregistration:
    @covers("L2")
    def test_ends_the_binding(self) -> None:
        anchor = Anchor()
        anchor.accept()
        assert anchor.release(home_address=FIRST_ADDRESS).home_address == FIRST_ADDRESS
        assert anchor.state() == ([], {})
        assert anchor.names()[-1] == "binding-released"

    def test_without_a_home_address_the_reply_tells_it(self) -> None:
        """M6: an accepting reply names it."""
        anchor = Anchor()
        anchor.accept()
        assert anchor.release().home_address == FIRST_ADDRESS

    @covers("L2")
    def test_care_of_address_equal_to_home_address_ends_all(self) -> None:
        """L2."""
        anchor = Anchor()
        anchor.accept(1, MAG1)
        anchor.release(1, FIRST_ADDRESS, home_address=FIRST_ADDRESS)
        assert anchor.binding() is None

    @covers("L2", "P37")
    def test_of_the_former_mag_changes_nothing(self) -> None:
        """P37: it is answered, and the new binding stays."""
        anchor = Anchor()
        anchor.accept(1, MAG1)
        anchor.accept(1, MAG2)
        before = anchor.state()
        anchor.release(1, MAG1, home_address=FIRST_ADDRESS)
        assert anchor.state() == before
        assert anchor.names()[-1] == "deregistration-without-binding"

    @covers("L2")
    def test_of_another_address_changes_nothing(self) -> None:
        anchor = Anchor()
        anchor.accept()
        before = anchor.state()
        anchor.release(home_address=ipv4("10.1.0.5"))
        assert anchor.state() == before

    @covers("L2")
    def test_zero_addresses_are_not_the_home_address(self) -> None:
        """Care-of and home address both 0 are equal, but name no binding."""
        anchor = Anchor()
        anchor.accept()
        before = anchor.state()
        anchor.release(1, MAG1, care_of_address=0)
        assert anchor.state() == before

    @covers("L2")
    def test_twice_is_accepted_twice(self) -> None:
        """L2, with a new Identification (I5)."""
        anchor = Anchor()
        anchor.accept()
        anchor.release()
        anchor.release()
        assert anchor.state() == ([], {})

    @covers("L2")
    def test_of_a_node_never_seen(self) -> None:
        anchor = Anchor()
        anchor.release()
        assert anchor.state() == ([], {})

    @covers("RV27")
    def test_nothing_is_revoked(self) -> None:
        """RV27: the MAG ended it by itself."""
        anchor = Anchor()
        anchor.accept()
        anchor.release()
        assert revocations(anchor.pass_time(60)) == []


class TestReplyLast:
    """An accepting reply leaves when the packet plane holds what it promises."""

    def test_receive_alone_sends_nothing(self) -> None:
        anchor = Anchor()
        source = Endpoint(MAG1, 434)
        [commit] = anchor.engine.receive(anchor.datagram(), source, LMA, anchor.clock.now())
        assert type(commit).__name__ == "Commit"

    def test_a_failed_new_binding_is_undone(self) -> None:
        """Its address is nobody's, and kept for the node that will try again."""
        anchor = Anchor(home="10.1.0.0/30")
        anchor.broken = "no memory"
        anchor.deny(130)
        anchor.broken = ""
        assert anchor.accept().home_address == FIRST_ADDRESS

    def test_a_failed_new_binding_uses_no_address_up(self) -> None:
        anchor = Anchor(home="10.1.0.0/30")
        anchor.broken = "no memory"
        anchor.deny(130, 1)
        anchor.broken = ""
        assert anchor.accept(2).home_address == FIRST_ADDRESS

    @covers("P80")
    def test_a_failure_does_not_cost_a_node_its_former_address(self) -> None:
        """P80."""
        anchor = Anchor()
        anchor.accept(1)
        anchor.accept(2)
        former = anchor.accept(3).home_address
        anchor.release(3)
        anchor.broken = "no memory"
        anchor.deny(130, 3)
        anchor.broken = ""
        assert anchor.accept(4).home_address != former
        assert anchor.accept(3).home_address == former

    @covers("P35")
    def test_no_former_mag_is_revoked_for_a_failed_handover(self) -> None:
        anchor = Anchor()
        anchor.accept(1, MAG1)
        anchor.broken = "no memory"
        anchor.deny(130, 1, MAG2)
        assert revocations(anchor.pass_time(60)) == []


class TestLifetime:
    @covers("L1", "L6")
    @pytest.mark.parametrize(
        ("asked", "granted"), [(1, 1), (600, 600), (3600, 3600), (3601, 3600), (65534, 3600), (65535, 3600)]
    )
    def test_never_longer_than_asked_or_allowed(self, asked: int, granted: int) -> None:
        """L1, L6; 65535 is infinite and granted the maximum."""
        anchor = Anchor()
        assert anchor.accept(lifetime=asked).lifetime == granted

    @covers("L6")
    def test_expiry(self) -> None:
        anchor = Anchor()
        anchor.accept(1, lifetime=30)
        anchor.accept(2, lifetime=60)
        anchor.pass_time(29.9)
        assert len(anchor.engine.bindings) == 2
        sent = anchor.pass_time(1.2)
        assert sent == []  # the home agent never speaks unasked of an expiry
        assert list(bound(anchor)) == [nai(2)]
        assert len(anchor.installed) == 1
        assert anchor.names() == ["binding-created", "binding-created", "binding-expired"]

    def test_waking_early_or_often_ends_nothing(self) -> None:
        anchor = Anchor()
        anchor.accept(lifetime=30)
        for _ in range(29):
            anchor.clock.advance(1)
            assert anchor.wake() == []
        assert anchor.binding() is not None

    def test_waking_late_ends_each_binding_once(self) -> None:
        """Also one that was filed for several deadlines."""
        anchor = Anchor()
        anchor.accept(lifetime=10)
        anchor.release()
        anchor.pass_time(5)
        anchor.accept(lifetime=10)
        anchor.names()
        anchor.clock.advance(100)
        anchor.wake()
        assert anchor.names() == ["binding-expired"]

    def test_waking_moves_the_deadline_on(self) -> None:
        """Whoever wakes when asked to makes progress: no loop without end."""
        anchor = Anchor(handover_min_interval=0.0)
        for node in range(1, 4):
            anchor.accept(node, MAG1, lifetime=node, revocation=None)
            anchor.accept(node, MAG2, lifetime=2 * node)
        anchor.release(3, MAG2)
        deadlines = []
        while (deadline := anchor.engine.next_deadline()) is not None:
            assert deadline >= anchor.clock.monotonic
            anchor.clock.advance(deadline - anchor.clock.monotonic)
            anchor.wake()
            deadlines.append(deadline)
            assert len(deadlines) < 50
        assert deadlines == sorted(set(deadlines))
