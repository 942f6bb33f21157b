"""One mobile node at several MAGs at once (L3, L4, H14)."""

import pytest

from pmip_tw.mobility.tunnels import AnchorKey, Tunnel
from pmip_tw.wire.extension_values import RevocationSupport
from pmip_tw.wire.registration import COLOCATED, REVERSE_TUNNEL, SIMULTANEOUS
from tests.conformance import covers
from tests.lma.anchor import FIRST_ADDRESS, LMA, MAG1, MAG2, MAG3, Anchor, places, reply_in, revocations

S = {"flags": REVERSE_TUNNEL | COLOCATED | SIMULTANEOUS}
REVOCABLE = {"revocation": RevocationSupport(5)}


def anchor_for(most: int = 3, **policy: object) -> Anchor:
    return Anchor(max_bindings=most, **policy)


def tunnels(anchor: Anchor) -> list[Tunnel]:
    """The first one, then those that get copies."""
    entry = anchor.installed[AnchorKey(FIRST_ADDRESS)]
    return [entry.tunnel, *entry.copies]


def to(*mags: int) -> list[Tunnel]:
    return [Tunnel(local=LMA, remote=mag) for mag in mags]


class TestBeside:
    @covers("L3")
    def test_the_new_one_is_added(self) -> None:
        anchor = anchor_for()
        first = anchor.accept(1, MAG1)
        second = anchor.accept(1, MAG2, **S)
        assert first.home_address == second.home_address == FIRST_ADDRESS
        assert places(anchor) == [MAG2, MAG1]
        assert tunnels(anchor) == to(MAG2, MAG1)
        assert anchor.names() == ["binding-created", "binding-added"]

    @covers("L4")
    def test_code_0_says_that_it_is_supported_whatever_was_asked(self) -> None:
        anchor = anchor_for()
        assert anchor.ask(1, MAG1).code == 0
        assert anchor.ask(1, MAG2, **S).code == 0
        assert anchor.ask(1, MAG2, lifetime=0).code == 0
        assert Anchor().ask(1, MAG1, **S).code == 1

    @covers("L3")
    def test_a_renewal_keeps_the_others(self) -> None:
        anchor = anchor_for()
        anchor.accept(1, MAG1)
        anchor.accept(1, MAG2, **S)
        anchor.accept(1, MAG1, **S)
        assert places(anchor) == [MAG1, MAG2]
        assert anchor.names()[-1] == "binding-renewed"

    @covers("H14", "L3")
    def test_one_too_many(self) -> None:
        anchor = anchor_for(2)
        anchor.accept(1, MAG1)
        anchor.accept(1, MAG2, **S)
        assert "max_bindings" in anchor.deny(135, 1, MAG3, **S).cause
        anchor.accept(1, MAG1, **S)  # not one more
        assert sorted(places(anchor)) == [MAG1, MAG2]

    @covers("P79")
    def test_one_more_is_no_move(self) -> None:
        """Nor do two MAGs that renew in turn flap."""
        anchor = anchor_for(handover_min_interval=1.0)
        anchor.accept(1, MAG1)
        anchor.accept(1, MAG2)
        anchor.accept(1, MAG3, **S)
        anchor.accept(1, MAG2, **S)
        anchor.deny(130, 1, MAG1)

    @covers("RV27")
    def test_nobody_is_revoked(self) -> None:
        anchor = anchor_for()
        anchor.accept(1, MAG1, **REVOCABLE)
        anchor.accept(1, MAG2, **S, **REVOCABLE)
        assert revocations(anchor.pass_time(60)) == []

    @covers("L5")
    def test_the_same_request_again_is_answered_for_each(self) -> None:
        anchor = anchor_for()
        asked = anchor.datagram(1, MAG1)
        anchor.hear(asked, MAG1)
        anchor.accept(1, MAG2, **S)
        before = anchor.state()
        anchor.clock.advance(2)
        [answer] = anchor.hear(asked, MAG1)
        assert (reply_in(answer, 1).code, reply_in(answer, 1).lifetime) == (0, 598)
        assert anchor.state() == before

    @covers("I6")
    def test_timestamps_are_compared_across_all(self) -> None:
        anchor = anchor_for()
        late = anchor.datagram(1, MAG3, **S)
        anchor.accept(1, MAG1)
        anchor.accept(1, MAG2, **S)
        assert reply_in(anchor.hear(late, MAG3)[0], 1).code == 133

    @covers("I6")
    def test_the_newest_timestamp_outlives_its_binding(self) -> None:
        """The others are older: what was captured meanwhile must not come back."""
        anchor = anchor_for()
        anchor.accept(1, MAG1)
        captured = anchor.datagram(1, MAG2, **S, lifetime=2)
        anchor.hear(captured, MAG2)
        anchor.pass_time(4)
        assert places(anchor) == [MAG1]
        assert reply_in(anchor.hear(captured, MAG2)[0], 1).code == 133


class TestReplaced:
    @covers("L3", "RV21")
    def test_without_the_s_bit_one_replaces_all_and_each_is_told(self) -> None:
        anchor = anchor_for()
        anchor.accept(1, MAG1, **REVOCABLE)
        anchor.accept(1, MAG2, **S, **REVOCABLE)
        before = len(anchor.sent)
        anchor.accept(1, MAG3, **REVOCABLE)
        assert places(anchor) == [MAG3]
        assert tunnels(anchor) == to(MAG3)
        told = [one.foreign_domain for one in revocations(anchor.sent[before:])]
        assert sorted(told) == [MAG1, MAG2]
        assert anchor.names()[-3:] == ["binding-moved", "revocation-sent", "revocation-sent"]

    @covers("L3", "RV26")
    def test_by_one_of_them(self) -> None:
        anchor = anchor_for()
        anchor.accept(1, MAG1, **REVOCABLE)
        anchor.accept(1, MAG2, **S, **REVOCABLE)
        before = len(anchor.sent)
        anchor.accept(1, MAG1, **REVOCABLE)
        assert places(anchor) == [MAG1]
        assert [one.foreign_domain for one in revocations(anchor.sent[before:])] == [MAG2]

    @covers("L3")
    def test_by_the_newest_of_them(self) -> None:
        anchor = anchor_for()
        anchor.accept(1, MAG1, **REVOCABLE)
        anchor.accept(1, MAG2, **S, **REVOCABLE)
        effects = anchor.hear(anchor.datagram(1, MAG2, **REVOCABLE), MAG2)
        assert places(anchor) == [MAG2]
        assert [message.foreign_domain for message in revocations(effects)] == [MAG1]

    @covers("L3")
    def test_failing_to_install_keeps_all(self) -> None:
        anchor = anchor_for()
        anchor.accept(1, MAG1)
        anchor.accept(1, MAG2, **S)
        anchor.broken = "no memory"
        anchor.deny(130, 1, MAG3)
        anchor.deny(130, 1, MAG3, **S)
        assert places(anchor) == [MAG2, MAG1]

    @covers("L3", "L4")
    @pytest.mark.parametrize("mag", [MAG1, MAG2])
    def test_the_s_bit_means_nothing_where_one_is_the_most(self, mag: int) -> None:
        anchor = Anchor()
        anchor.accept(1, MAG1)
        anchor.accept(1, mag, **S)
        assert places(anchor) == [mag]


class TestEnds:
    def three(self, **fields: object) -> Anchor:
        anchor = anchor_for()
        for mag in (MAG1, MAG2, MAG3):
            anchor.accept(1, mag, **S, **fields)
        anchor.names()
        return anchor

    @covers("L2")
    @pytest.mark.parametrize("mag", [MAG1, MAG2, MAG3])
    def test_a_deregistration_ends_that_of_its_care_of_address(self, mag: int) -> None:
        anchor = self.three()
        anchor.release(1, mag)
        left = [other for other in (MAG3, MAG2, MAG1) if other != mag]
        assert places(anchor) == left
        assert tunnels(anchor) == to(*left)
        assert anchor.names() == ["binding-released"]

    @covers("L2")
    def test_one_from_home_ends_all(self) -> None:
        anchor = self.three(**REVOCABLE)
        anchor.release(1, FIRST_ADDRESS, home_address=FIRST_ADDRESS)
        assert anchor.state() == ([], {})
        assert anchor.names() == ["binding-released"] * 3
        assert revocations(anchor.pass_time(60)) == []

    @covers("L2")
    def test_of_none_of_them_changes_nothing(self) -> None:
        anchor = self.three()
        before = anchor.state()
        anchor.release(1, FIRST_ADDRESS + 1)
        assert anchor.state() == before

    @covers("L2")
    def test_what_cannot_be_taken_back_from_the_packet_plane_is_refused(self) -> None:
        """One tunnel less is an entry to install, and that may fail."""
        anchor = self.three()
        anchor.broken = "no memory"
        anchor.deny(130, 1, MAG2, lifetime=0)
        assert places(anchor) == [MAG3, MAG2, MAG1]

    @covers("L6")
    def test_each_has_its_own_lifetime(self) -> None:
        anchor = anchor_for()
        anchor.accept(1, MAG1, **S, lifetime=30)
        anchor.accept(1, MAG2, **S, lifetime=10)
        anchor.accept(1, MAG3, **S, lifetime=20)
        anchor.names()
        for seconds, left in ((11, [MAG3, MAG1]), (10, [MAG1]), (10, [])):
            anchor.pass_time(seconds)
            assert places(anchor) == left
            assert anchor.installed == {} or tunnels(anchor) == to(*left)
        assert anchor.names() == ["binding-expired"] * 3
        assert anchor.installed == {}

    @covers("L6")
    def test_the_last_one_ends_too(self) -> None:
        """When the first came due, this one had never been the first to come due."""
        anchor = anchor_for()
        anchor.accept(1, MAG1, lifetime=10)
        anchor.accept(1, MAG2, **S, lifetime=30)
        anchor.pass_time(11)
        assert places(anchor) == [MAG2]
        anchor.pass_time(20)
        assert anchor.state() == ([], {})

    @covers("L6")
    def test_all_at_once(self) -> None:
        anchor = self.three()
        anchor.clock.advance(601)
        anchor.wake()
        assert anchor.state() == ([], {})
        assert anchor.names() == ["binding-expired"] * 3

    @covers("P80")
    def test_the_address_is_held_when_the_last_one_ends(self) -> None:
        anchor = self.three()
        anchor.release(1, MAG1)
        anchor.deny(129, 2, home_address=FIRST_ADDRESS)
        anchor.release(1, MAG2)
        anchor.release(1, MAG3)
        anchor.deny(129, 2, home_address=FIRST_ADDRESS)
        assert anchor.accept(1).home_address == FIRST_ADDRESS

    @covers("T5")
    def test_keys_of_each_are_kept_and_freed(self) -> None:
        anchor = anchor_for()
        anchor.clock._entropy = lambda octets: b"\0" * (octets - 1) + b"\x09"
        assert [anchor.accept(1, mag, **S, gre_key=0).gre_key for mag in (MAG1, MAG2)] == [9, 10]
        assert anchor.accept(1, MAG1, **S, gre_key=0).gre_key == 9
        assert anchor.accept(2, MAG1, gre_key=0).gre_key == 11
        anchor.release(1, MAG1)
        assert anchor.accept(3, MAG1, gre_key=0).gre_key == 9
