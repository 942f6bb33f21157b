"""Nothing is said or carried out before it is durable, and what cannot be saved has not happened."""

import pytest

from pmip_tw.lma.registration.commitment import Commit
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.extension_values import RevocationSupport
from pmip_tw.wire.registration import RegistrationReply
from pmip_tw.wire.revocation import RevocationAck
from tests.conformance import covers
from tests.lma.anchor import (
    FIRST_ADDRESS,
    MAG1,
    MAG2,
    MAG3,
    Anchor,
    association,
    bound,
    nai,
    revocations,
)
from tests.lma.test_revoked import START, Scene

SUPPORT = RevocationSupport(START)


def slow(**policy: object) -> Anchor:
    """Node 1 is at MAG 1; from now on what is decided waits for the disk."""
    anchor = Anchor(**({"handover_min_interval": 0.0} | policy))
    anchor.accept(1, MAG1, revocation=SUPPORT)
    anchor.clock.advance(5)
    anchor.names()
    anchor.slow = True
    return anchor


def codes(sent) -> list[int]:
    """Those of the replies."""
    return [
        RegistrationReply.decode(send.datagram).code
        for send in sent
        if send.datagram[0] == MessageType.REGISTRATION_REPLY
    ]


class TestBefore:
    def test_a_new_binding_is_neither_answered_nor_carried_out(self) -> None:
        anchor = slow()
        assert anchor.hear(anchor.datagram(2, MAG2), MAG2) == []
        assert anchor.names() == [] and len(anchor.installed) == 1
        assert codes(anchor.flush()) == [1]
        assert anchor.names() == ["binding-created"] and len(anchor.installed) == 2

    def test_a_deregistration_too(self) -> None:
        anchor = slow()
        assert anchor.hear(anchor.datagram(1, MAG1, lifetime=0)) == []
        assert len(anchor.installed) == 1
        assert codes(anchor.flush()) == [1]
        assert anchor.installed == {} and anchor.binding() is None

    @covers("RV35")
    def test_a_revocation_too(self) -> None:
        scene = Scene.with_node()
        scene.anchor.slow = True
        message = scene.message().encode(mn_ha=association(1))
        assert scene.anchor.hear(message) == []
        assert len(scene.anchor.installed) == 1
        [send] = scene.anchor.flush()
        assert RevocationAck.decode(send.datagram).identifier == scene.message().identifier
        assert scene.anchor.installed == {}

    @covers("L5")
    def test_the_same_request_again_has_one_answer(self) -> None:
        anchor = slow()
        request = anchor.datagram(1, MAG1)
        anchor.hear(request)
        anchor.ignore("duplicate", request)
        assert codes(anchor.flush()) == [1]

    def test_who_asks_faster_than_is_saved_does_not_keep_all_that_it_asked(self) -> None:
        anchor = slow()
        anchor.hear(anchor.datagram(1, MAG1))
        for _ in range(9):
            anchor.hear(anchor.datagram(1, MAG1))
            anchor._saved(anchor.waiting.pop(0))
        [commit] = anchor.waiting
        assert isinstance(commit, Commit) and commit.before is not None and commit.before.before is None

    @covers("RV37")
    def test_the_same_revocation_again_has_one_answer(self) -> None:
        scene = Scene.with_node()
        scene.anchor.slow = True
        message = scene.message().encode(mn_ha=association(1))
        scene.anchor.hear(message)
        scene.anchor.ignore("being-saved", message)
        assert len(scene.anchor.flush()) == 1
        assert len(scene.anchor.hear(message)) == 1

    @covers("RV6")
    def test_a_revocation_is_not_repeated_while_its_node_comes_back(self) -> None:
        """Its identifier would be later than what the reply says, and end the new registration."""
        anchor = slow()
        anchor.slow = False
        anchor.accept(1, MAG2, revocation=SUPPORT)
        anchor.slow = True
        anchor.hear(anchor.datagram(1, MAG1, revocation=SUPPORT))
        assert anchor.pass_time(4) == []
        [answer, *_] = anchor.flush()
        assert RegistrationReply.decode(answer.datagram).code == 1
        assert [one.foreign_domain for one in revocations(anchor.pass_time(20))].count(MAG1) == 0


class TestRevocationsSent:
    """What a MAG has ended must not be there again after a crash."""

    @covers("RV21")
    def test_the_end_by_an_operator_is_durable_before_a_mag_hears_of_it(self) -> None:
        anchor = slow()
        assert anchor.revoke(1) == []
        assert anchor.names() == ["binding-revoked"]
        anchor.restart()
        assert bound(anchor) == {nai(1): (FIRST_ADDRESS, MAG1)}
        anchor.revoke(1)
        assert [revocation.foreign_domain for revocation in revocations(anchor.flush())] == [MAG1]
        anchor.restart()
        assert bound(anchor) == {}

    @covers("RV21", "RV23")
    def test_an_end_that_is_durable_is_told_after_a_crash(self) -> None:
        """Which came before anything could be sent."""
        anchor = slow()
        anchor.revoke(1)
        anchor._save(*(effect.record for effect in anchor.waiting))
        anchor.restart()
        anchor.slow = False
        assert [revocation.foreign_domain for revocation in revocations(anchor.pass_time(0.5))] == [MAG1]

    @covers("P35", "RV23")
    def test_a_move_that_is_durable_is_told_after_a_crash(self) -> None:
        """The new MAG asks again, the former one is not forgotten."""
        anchor = slow()
        anchor.hear(anchor.datagram(1, MAG2, revocation=SUPPORT), MAG2)
        anchor._save(*anchor.waiting[0].saves())
        anchor.restart()
        anchor.slow = False
        assert bound(anchor) == {nai(1): (FIRST_ADDRESS, MAG2)}
        assert [revocation.foreign_domain for revocation in revocations(anchor.pass_time(0.5))] == [MAG1]

    @covers("RV14", "RV15")
    def test_no_process_uses_an_identifier_again(self) -> None:
        """Also that of a try which the crash came before."""
        anchor = slow()
        anchor.slow = False
        anchor.revoke(1)
        anchor.slow = True
        sent = revocations(anchor.sent)
        anchor.pass_time(1.5)
        assert revocations(anchor.sent) == sent and len(anchor.waiting) == 1
        sent += revocations(anchor.flush())
        anchor.restart()
        anchor.slow = False
        sent += revocations(anchor.pass_time(60))
        identifiers = [one.identifier for one in sent]
        assert len(identifiers) > 3 and identifiers == sorted(set(identifiers))

    @covers("RV23", "RV26")
    def test_a_try_that_waits_for_the_disk_is_not_sent_when_the_node_is_back(self) -> None:
        anchor = slow()
        anchor.revoke(1)
        anchor.hear(anchor.datagram(1, MAG1, revocation=SUPPORT))
        sent = anchor.flush()
        assert codes(sent) == [1] and revocations(sent) == []
        anchor.slow = False
        assert revocations(anchor.pass_time(60)) == []

    @covers("RV23")
    def test_a_try_that_waits_for_the_disk_is_not_sent_when_another_was_acknowledged(self) -> None:
        scene = slow()
        scene.slow = False
        scene.revoke(1)
        [revocation] = revocations(scene.sent)
        scene.slow = True
        scene.pass_time(1.5)
        ack = RevocationAck(home_address=revocation.home_address, identifier=revocation.identifier)
        scene.hear(ack.encode(mn_ha=association(1)))
        assert scene.flush() == []
        assert scene.pass_time(60) == []

    @covers("RV21")
    def test_a_disk_that_fails_for_a_while_sends_each_once(self) -> None:
        anchor = slow()
        anchor.revoke(1)
        for _ in range(3):
            anchor.pass_time(10)
            assert anchor.lose() == []
        assert len(revocations(anchor.flush())) == 1

    @covers("P35")
    def test_what_failed_tells_nobody(self) -> None:
        anchor = slow()
        anchor.hear(anchor.datagram(1, MAG2, revocation=SUPPORT), MAG2)
        anchor.lose()
        anchor.slow = False
        assert revocations(anchor.pass_time(60)) == [] and anchor.engine.revoking == 0


class TestOvertaken:
    def test_only_the_newer_request_is_answered(self) -> None:
        anchor = slow()
        anchor.hear(anchor.datagram(1, MAG1))
        anchor.hear(anchor.datagram(1, MAG1))
        assert codes(anchor.flush()) == [1]
        assert anchor.names() == ["message-discarded", "binding-renewed"]

    @covers("P35", "RV21")
    def test_who_is_told_is_who_believed_to_serve_it(self) -> None:
        """Through a MAG that was never answered to a third one."""
        anchor = slow()
        anchor.hear(anchor.datagram(1, MAG2, revocation=SUPPORT), MAG2)
        anchor.hear(anchor.datagram(1, MAG3, revocation=SUPPORT), MAG3)
        sent = anchor.flush()
        assert codes(sent) == [1] and sent[0].destination.address == MAG3
        assert [revocation.foreign_domain for revocation in revocations(sent)] == [MAG1]
        assert anchor.installed[anchor.binding().key].tunnel.remote == MAG3

    def test_what_is_told_of_is_what_somebody_has_seen(self) -> None:
        """By a MAG that was never answered nobody has moved, neither away from it nor there."""
        anchor = slow()
        anchor.hear(anchor.datagram(1, MAG2), MAG2)
        anchor.hear(anchor.datagram(1, MAG1))
        anchor.hear(anchor.datagram(2, MAG1))
        anchor.hear(anchor.datagram(2, MAG2), MAG2)
        assert codes(anchor.flush()) == [1, 1]
        names = anchor.names()
        assert [name for name in names if name.startswith("binding")] == [
            "binding-renewed",
            "binding-created",
        ]

    @covers("P35", "P37")
    def test_back_before_the_move_was_answered(self) -> None:
        """It is nowhere then, and the MAG where it was is told."""
        anchor = slow()
        anchor.hear(anchor.datagram(1, MAG2, revocation=SUPPORT), MAG2)
        anchor.hear(anchor.datagram(1, MAG2, lifetime=0), MAG2)
        sent = anchor.flush()
        assert codes(sent) == [1]
        assert [revocation.foreign_domain for revocation in revocations(sent)] == [MAG1]
        assert anchor.installed == {}

    @covers("P37")
    def test_the_former_mag_deregisters_meanwhile(self) -> None:
        """That ends nothing, and overtakes nothing: both are answered."""
        anchor = slow()
        anchor.hear(anchor.datagram(1, MAG2), MAG2)
        anchor.hear(anchor.datagram(1, MAG1, lifetime=0), MAG1)
        assert codes(anchor.flush()) == [1, 1]
        assert bound(anchor) == {nai(1): (FIRST_ADDRESS, MAG2)}

    @covers("RV21", "RV27")
    def test_an_operator_ends_it(self) -> None:
        """All MAGs are told that may believe to serve it, and what waited is not answered."""
        anchor = slow()
        anchor.hear(anchor.datagram(1, MAG2, revocation=SUPPORT), MAG2)
        assert anchor.revoke(1) == []
        assert anchor.installed == {}
        sent = anchor.flush()
        assert {revocation.foreign_domain for revocation in revocations(sent)} == {MAG1, MAG2}
        assert codes(sent) == []
        assert anchor.installed == {} and anchor.binding() is None

    @covers("RV21", "P35")
    def test_a_renewal_at_the_new_mag_tells_the_former_one(self) -> None:
        """Which the move does not do any more, nor would a restart forget it."""
        anchor = slow()
        anchor.hear(anchor.datagram(1, MAG2, revocation=SUPPORT), MAG2)
        anchor.hear(anchor.datagram(1, MAG2, revocation=SUPPORT), MAG2)
        sent = anchor.flush()
        assert codes(sent) == [1]
        assert [revocation.foreign_domain for revocation in revocations(sent)] == [MAG1]
        anchor.restart()
        anchor.slow = False
        assert [revocation.foreign_domain for revocation in revocations(anchor.pass_time(1))] == [MAG1]

    def test_released_and_back_with_another_address(self) -> None:
        anchor = slow()
        other = FIRST_ADDRESS + 1
        anchor.hear(anchor.datagram(1, MAG1, lifetime=0))
        anchor.hear(anchor.datagram(1, MAG2, home_address=other), MAG2)
        assert codes(anchor.flush()) == [1]
        assert [key.home_address for key in anchor.installed] == [other]

    def test_an_address_that_goes_to_another_node_before_its_release_is_durable(self) -> None:
        """And its former node has another one before that. The entry of the address is that of the new node."""
        anchor = Anchor(address_hold=0.0)
        anchor.accept(1, MAG1)
        anchor.slow = True
        anchor.hear(anchor.datagram(1, MAG1, lifetime=0))
        anchor.hear(anchor.datagram(2, MAG2, home_address=FIRST_ADDRESS), MAG2)
        anchor.hear(anchor.datagram(1, MAG1, home_address=FIRST_ADDRESS + 1))
        anchor.hear(anchor.datagram(1, MAG1, home_address=FIRST_ADDRESS + 1))
        assert codes(anchor.flush()) == [1, 1]
        assert bound(anchor) == {nai(1): (FIRST_ADDRESS + 1, MAG1), nai(2): (FIRST_ADDRESS, MAG2)}
        assert set(anchor.installed.values()) == {one.entry for one in anchor.engine.bindings}

    @pytest.mark.parametrize("taken", [False, True])
    def test_a_packet_plane_that_does_not_take_the_other_address(self, taken: bool) -> None:
        """Its node has the former one again, unless that is another's by now."""
        anchor = Anchor(address_hold=0.0)
        anchor.accept(1, MAG1)
        anchor.slow = True
        anchor.hear(anchor.datagram(1, MAG1, lifetime=0))
        if taken:
            anchor.hear(anchor.datagram(2, MAG2, home_address=FIRST_ADDRESS), MAG2)
            carried, anchor.waiting = anchor.waiting, []
        anchor.hear(anchor.datagram(1, MAG1, home_address=FIRST_ADDRESS + 1))
        if taken:
            later, anchor.waiting = anchor.waiting, carried
            assert codes(anchor.flush()) == [1]
            anchor.waiting = later
        anchor.broken = "no memory"
        assert codes(anchor.flush()) == [130]
        anchor.broken = ""
        owner, mag = (nai(2), MAG2) if taken else (nai(1), MAG1)
        assert bound(anchor) == {owner: (FIRST_ADDRESS, mag)}
        assert set(anchor.installed.values()) == {one.entry for one in anchor.engine.bindings}
        anchor.flush()
        anchor.restart()
        assert bound(anchor) == {owner: (FIRST_ADDRESS, mag)}

    def test_a_release_that_is_durable_stays_one_when_all_that_followed_is_not(self) -> None:
        """The address was another node's for a moment, the former one had another: nobody has anything."""
        anchor = Anchor(address_hold=0.0)
        anchor.accept(1, MAG1)
        anchor.slow = True
        anchor.hear(anchor.datagram(1, MAG1, lifetime=0))
        release, anchor.waiting = anchor.waiting, []
        anchor.hear(anchor.datagram(2, MAG2, home_address=FIRST_ADDRESS), MAG2)
        anchor.hear(anchor.datagram(1, MAG1, home_address=FIRST_ADDRESS + 1))
        rest, anchor.waiting = anchor.waiting, release
        assert anchor.flush() == []
        anchor.waiting = rest
        assert codes(anchor.lose()) == [130, 130]
        assert bound(anchor) == {} and anchor.installed == {}
        anchor.flush()
        anchor.restart()
        assert bound(anchor) == {}

    @covers("L6")
    def test_a_lifetime_that_ends_meanwhile(self) -> None:
        """What waits may fail, and must find what it began with; then that ends."""
        anchor = Anchor()
        anchor.accept(1, MAG1, lifetime=3)
        anchor.slow = True
        anchor.hear(anchor.datagram(1, MAG1, lifetime=3))
        anchor.pass_time(6)
        assert anchor.binding() is not None
        assert codes(anchor.lose()) == [130]
        anchor.slow = False
        anchor.pass_time(2)
        assert anchor.binding() is None and anchor.installed == {}


class TestFailed:
    def test_everything_is_as_before(self) -> None:
        anchor = slow()
        before = anchor.state()
        for node, mag, fields in (
            (1, MAG1, {}),
            (1, MAG2, {}),
            (1, MAG2, {"lifetime": 0}),
            (1, MAG3, {}),
            (2, MAG2, {}),
            (2, MAG2, {"lifetime": 0}),
        ):
            assert anchor.hear(anchor.datagram(node, mag, **fields), mag) == []
        sent = anchor.lose("/var/lib/pmip/lma.journal: the disk is full")
        assert codes(sent) == [130] * 6 and revocations(sent) == []
        assert anchor.state() == before
        refusals = [note for note in anchor.notes if note.name == "registration-refused"]
        assert all("the disk is full" in note.cause for note in refusals)
        anchor.slow = False
        assert anchor.accept(1, MAG1).home_address == FIRST_ADDRESS
        assert anchor.accept(2, MAG2).home_address != FIRST_ADDRESS

    def test_an_address_that_was_released_is_its_owners_again(self) -> None:
        """Though another one had taken it."""
        anchor = Anchor(home="10.1.0.0/30")
        anchor.accept(1, MAG1)
        before = anchor.state()
        anchor.slow = True
        anchor.hear(anchor.datagram(1, MAG1, lifetime=0))
        anchor.hear(anchor.datagram(2, MAG2), MAG2)
        assert codes(anchor.lose()) == [130, 130]
        assert anchor.state() == before
        anchor.slow = False
        anchor.deny(130, 2, MAG2)
        assert anchor.accept(1, MAG1).home_address == FIRST_ADDRESS

    @covers("RV35")
    def test_a_revocation_is_not_acknowledged_and_may_come_again(self) -> None:
        scene = Scene.with_node()
        anchor = scene.anchor
        anchor.slow = True
        before = anchor.state()
        anchor.hear(scene.message().encode(mn_ha=association(1)))
        assert anchor.lose() == []
        assert anchor.state() == before
        assert (anchor.notes[-1].name, anchor.notes[-1].reason) == ("message-discarded", "not-saved")
        anchor.slow = False
        scene.revoke()
        assert anchor.binding() is None

    @covers("I6", "I10")
    def test_what_failed_cannot_be_replayed(self) -> None:
        anchor = slow()
        captured = anchor.datagram(1, MAG2)
        anchor.hear(captured, MAG2)
        anchor.lose()
        assert codes(anchor.hear(captured, MAG2)) == [133]

    @covers("H14")
    @pytest.mark.parametrize("node", [1, 2])
    def test_a_packet_plane_that_does_not_take_it_is_told_to_the_journal(self, node: int) -> None:
        """Or a restart would bring back what was refused."""
        anchor = slow()
        anchor.broken = "no memory"
        anchor.hear(anchor.datagram(node, MAG2), MAG2)
        before = dict(anchor.installed)
        assert codes(anchor.flush()) == [130]
        assert anchor.installed == before
        anchor.flush()
        anchor.restart()
        assert bound(anchor) == {nai(1): (FIRST_ADDRESS, MAG1)}

    def test_overtaken_and_the_newer_one_fails(self) -> None:
        """The older one was not answered: it is not what a restart may bring back."""
        anchor = slow()
        anchor.hear(anchor.datagram(1, MAG2), MAG2)
        first, anchor.waiting = anchor.waiting, []
        anchor.hear(anchor.datagram(1, MAG3), MAG3)
        second, anchor.waiting = anchor.waiting, first
        assert anchor.flush() == []
        anchor.waiting = second
        assert codes(anchor.lose()) == [130]
        assert bound(anchor) == {nai(1): (FIRST_ADDRESS, MAG1)}
        anchor.flush()
        anchor.restart()
        assert bound(anchor) == {nai(1): (FIRST_ADDRESS, MAG1)}
