"""What AAA says beside the key of a node: filters, times, lifetimes (AA25); the newest counts."""

import pytest
from msgspec.structs import replace

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.dynamic_authorization import Change, Done, Selection
from pmip_tw.aaa.node_keys import Allowed, KeyGiven, KeyRefused, KeyUnavailable
from pmip_tw.addresses import Ipv4
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.journal.recording import bound_record
from pmip_tw.lma.journal.records import LMA_JOURNAL
from pmip_tw.lma.keys.policy import KeyPolicy
from pmip_tw.mobility.effects import Send
from pmip_tw.mobility.packet_filters import PacketFilter
from pmip_tw.store.rows import RowCodec
from pmip_tw.wire.extension_values import RevocationSupport
from pmip_tw.wire.registration import RegistrationReply
from pmip_tw.wire.revocation import RevocationAck
from tests.conformance import covers
from tests.lma.anchor import MAG1, MAG2, Anchor, association, nai, places, reply_in, revocations

NODE = 5
GOLD, QUIET = PacketFilter("gold", permits_others=True), PacketFilter("quiet")
FILTERS = {one.name: one for one in (GOLD, QUIET)}
POLICY = KeyPolicy(lifetime=3600, grace=600, overlap=60, refused=30, again=10)
WHO = Selection(user_name=nai(NODE).decode())


@pytest.fixture
def anchor() -> Anchor:
    return Anchor(nodes=NODE - 1, home="10.1.0.0/24", keys=POLICY, filters=FILTERS)


def given(lifetime: int = 0, **allowed: object) -> KeyGiven:
    return KeyGiven(association=association(NODE), lifetime=lifetime, allowed=Allowed(**allowed))


def ask(anchor: Anchor, mag: Ipv4 = MAG1, **fields: object) -> list[Send]:
    revocation = RevocationSupport(timestamp=int(anchor.clock.wall))
    return anchor.hear(anchor.datagram(NODE, mag, **({"revocation": revocation} | fields)), source=mag)


def register(anchor: Anchor, answer: KeyGiven, mag: Ipv4 = MAG1, **fields: object) -> RegistrationReply:
    """Its key has to be asked for, or whether the MAG may."""
    assert ask(anchor, mag, **fields) == []
    return reply_in(anchor.aaa_says(answer)[0], NODE)


def bound(anchor: Anchor) -> Binding:
    found = anchor.binding(NODE)
    assert found is not None
    return found


def unasked(anchor: Anchor) -> None:
    """A restart after which nobody looks at the bindings, as an operator would."""
    codec = RowCodec(LMA_JOURNAL)
    anchor.engine = anchor._new_engine()
    anchor.engine.restore([(0.0, codec.decode(row)) for row in anchor.journal], anchor.clock.now())


def change(anchor: Anchor, **fields: object) -> None:
    outcome, effects = anchor.engine.sessions.change(WHO, Change(**fields), anchor.clock.now())
    assert outcome == Done(1)
    anchor._run(effects)


@covers("AA25")
class TestFilters:
    def test_are_those_that_aaa_names(self, anchor: Anchor) -> None:
        register(anchor, given(filter_ids=("quiet", "gold")))
        assert bound(anchor).filters == anchor.installed[bound(anchor).key].filters == (QUIET, GOLD)
        anchor.clock.advance(5)
        assert reply_in(ask(anchor)[0], NODE).code == 1
        assert bound(anchor).filters == (QUIET, GOLD)

    def test_of_one_node_are_not_those_of_others_that_ask_in_the_same_words(self, anchor: Anchor) -> None:
        anchor.accept(1)
        anchor.hear(anchor.datagram(NODE))
        anchor.aaa_says(given(filter_ids=("quiet",)))
        anchor.accept(2)
        assert [one.filters for one in anchor.engine.bindings] == [(), (QUIET,), ()]

    def test_that_there_are_not_refuse_the_node(self, anchor: Anchor) -> None:
        ask(anchor)
        assert anchor.aaa_says(given(filter_ids=("gold", "unheard-of"))) == []
        assert anchor.binding(NODE) is None
        assert "no [[lma.filters]] of the name 'unheard-of'" in anchor.notes[-1].cause

    def test_that_there_are_not_may_be_done_without(self) -> None:
        policy = KeyPolicy(ignores_unknown_filters=True)
        anchor = Anchor(nodes=1, home="10.1.0.0/24", keys=policy, filters=FILTERS)
        register(anchor, given(filter_ids=("gold", "unheard-of")))
        assert bound(anchor).filters == (GOLD,)

    def test_of_a_coa_stay_until_aaa_names_others(self, anchor: Anchor) -> None:
        register(anchor, given(filter_ids=("gold",)))
        anchor.clock.advance(5)
        change(anchor, filter_ids=("quiet",))
        ask(anchor)
        assert bound(anchor).filters == (QUIET,), "a renewal says nothing of them"
        ask(anchor, lifetime=500)
        assert bound(anchor).filters == (QUIET,), "nor does one that is read as a whole"
        register(anchor, given(), MAG2)
        assert bound(anchor).filters == (QUIET,), "nor does an Access-Accept without"
        anchor.pass_time(POLICY.lifetime + POLICY.grace + 10)
        register(anchor, given(filter_ids=("gold",)))
        assert bound(anchor).filters == (GOLD,)

    def test_of_a_coa_stay_when_a_restart_has_the_key_fetched_again(self, anchor: Anchor) -> None:
        register(anchor, given(filter_ids=("gold",)))
        anchor.clock.advance(5)
        change(anchor, filter_ids=("quiet",))
        anchor.restart()
        register(anchor, given(filter_ids=("gold",)))
        assert bound(anchor).filters == (QUIET,)
        register(anchor, given(filter_ids=("gold",)), MAG2)
        assert bound(anchor).filters == (GOLD,), "that was for another MAG"

    def test_of_a_coa_that_a_former_version_has_written_down_stay_as_well(self, anchor: Anchor) -> None:
        register(anchor, given())
        former = replace(bound_record(bound(anchor)), filter_ids=("quiet",))
        anchor.journal = [RowCodec(LMA_JOURNAL).encode([former])]
        anchor.restart()
        register(anchor, given(filter_ids=("gold",)))
        assert bound(anchor).filters == (QUIET,)

    def test_change_when_aaa_is_asked_again_for_the_key(self, anchor: Anchor) -> None:
        """The renewal that has it asked is one on known terms, but for that."""
        register(anchor, given(300, filter_ids=("gold",)))
        anchor.pass_time(302)
        register(anchor, given(300, filter_ids=("quiet",)))
        assert bound(anchor).filters == (QUIET,)

    def test_change_with_a_renewal_that_has_a_key_without_a_limit_asked_for_again(
        self, anchor: Anchor
    ) -> None:
        register(anchor, given(filter_ids=("gold",)))
        for _ in range(7):
            anchor.pass_time(500)
            assert reply_in(ask(anchor)[0], NODE).code == 1
        anchor.pass_time(102)
        register(anchor, given(filter_ids=("quiet",)))
        assert bound(anchor).filters == (QUIET,)


@covers("AA18")
def test_limits_of_a_coa_go_with_a_node_to_a_mag_that_asks_in_known_words() -> None:
    anchor = Anchor(home="10.1.0.0/24")
    anchor.accept(1)
    who = Selection(user_name=nai(1).decode())
    _, effects = anchor.engine.sessions.change(who, Change(session_timeout=300), anchor.clock.now())
    anchor._run(effects)
    anchor.accept(2, MAG2)
    anchor.clock.advance(5)
    anchor.accept(1, MAG2)
    anchor.pass_time(290)
    assert places(anchor, 1) == [MAG2]
    anchor.pass_time(10)
    assert places(anchor, 1) == []


@covers("AA18", "P35")
def test_a_coa_in_the_middle_of_a_handover_does_not_keep_the_former_mag_from_hearing_of_it(
    anchor: Anchor,
) -> None:
    """MAG2 - request -> LMA; AAA - CoA -> LMA; only then is the disk ready; LMA - revocation -> MAG1."""
    register(anchor, given())
    anchor.clock.advance(10)
    assert ask(anchor, MAG2) == []
    anchor.slow = True
    assert anchor.aaa_says(given()) == []
    change(anchor, filter_ids=("quiet",))
    change(anchor, session_timeout=300)
    sent = [send for _ in range(2) for send in anchor.flush()]
    assert [told.foreign_domain for told in revocations(sent)] == [MAG1]
    assert (places(anchor, NODE), bound(anchor).filters) == ([MAG2], (QUIET,))
    assert anchor.installed[bound(anchor).key].tunnel.remote == MAG2


@covers("AA25")
class TestTimes:
    def test_the_session_ends_and_its_mag_is_told(self, anchor: Anchor) -> None:
        """LMA -- revocation -> MAG -- acknowledgment, with the key, which is good for that long."""
        register(anchor, given(300, session_timeout=300))
        anchor.pass_time(200)
        assert reply_in(ask(anchor)[0], NODE).code == 1
        anchor.pass_time(99)
        assert places(anchor, NODE) == [MAG1]
        [told] = revocations(anchor.pass_time(3))
        assert told.home_address and places(anchor, NODE) == []
        answer = RevocationAck(
            inform=told.inform, home_address=told.home_address, identifier=told.identifier, nai=told.nai
        )
        anchor.hear(answer.encode(mn_ha=association(NODE)))
        assert anchor.engine.revoking == 0
        assert [one.terminate_cause for one in anchor.over] == [TerminateCause.SESSION_TIMEOUT]
        [note] = [note for note in anchor.notes if note.name == "binding-revoked"]
        assert "time" in note.cause

    def test_another_session_has_a_time_of_its_own(self, anchor: Anchor) -> None:
        """AAA is asked for it, although the key of the former one is still valid."""
        register(anchor, given(300, session_timeout=300))
        anchor.pass_time(200)
        anchor.release(NODE)
        register(anchor, given(300, session_timeout=300))
        anchor.pass_time(290)
        assert places(anchor, NODE) == [MAG1]
        anchor.pass_time(15)
        assert places(anchor, NODE) == []

    def test_another_mag_brings_another_time(self, anchor: Anchor) -> None:
        register(anchor, given(300, session_timeout=300))
        anchor.pass_time(200)
        register(anchor, given(300, session_timeout=300), MAG2)
        anchor.pass_time(290)
        assert places(anchor, NODE) == [MAG2]
        anchor.pass_time(15)
        assert places(anchor, NODE) == []

    def test_of_which_aaa_is_to_be_asked_again_only_the_key_is_over(self, anchor: Anchor) -> None:
        """Termination-Action: see the mapping."""
        register(anchor, given(300, session_timeout=0))
        anchor.pass_time(302)
        assert places(anchor, NODE) == [MAG1]
        register(anchor, given(300, session_timeout=0))
        assert places(anchor, NODE) == [MAG1]

    def test_go_on_over_a_restart(self, anchor: Anchor) -> None:
        register(anchor, given(300, session_timeout=300, idle_timeout=9999))
        anchor.restart(downtime=100, reboot=True)
        register(anchor, given(300, session_timeout=300))
        anchor.pass_time(190)
        assert places(anchor, NODE) == [MAG1]
        anchor.pass_time(15)
        assert places(anchor, NODE) == []

    def test_that_are_over_when_we_come_back(self, anchor: Anchor) -> None:
        register(anchor, given(300, session_timeout=300))
        anchor.restart(downtime=400)
        assert places(anchor, NODE) == [MAG1]
        anchor.pass_time(2)
        assert places(anchor, NODE) == []

    def test_wait_with_a_binding_for_which_nobody_has_asked_since_a_restart(self, anchor: Anchor) -> None:
        """There may be a million of them."""
        register(anchor, given(300, session_timeout=300, idle_timeout=900))
        anchor.clock.advance(100)
        unasked(anchor)
        [waiting] = anchor.engine.bindings.waiting()
        anchor.pass_time(190)
        assert [*anchor.engine.bindings.waiting()] == [waiting]
        anchor.pass_time(15)
        assert places(anchor, NODE) == []
        assert [one.terminate_cause for one in anchor.over] == [TerminateCause.SESSION_TIMEOUT]

    def test_of_silence_wait_as_well(self, anchor: Anchor) -> None:
        register(anchor, given(idle_timeout=40))
        unasked(anchor)
        anchor.pass_time(30)
        assert len([*anchor.engine.bindings.waiting()]) == 1
        anchor.pass_time(20)
        assert [one.terminate_cause for one in anchor.over] == [TerminateCause.IDLE_TIMEOUT]

    def test_are_there_when_somebody_asks(self, anchor: Anchor) -> None:
        register(anchor, given(300, session_timeout=300, idle_timeout=900, interim_interval=90))
        before = bound(anchor).terms.limits
        assert before is not None
        unasked(anchor)
        assert bound(anchor).terms.limits == before

    def test_who_moves_nothing_for_so_long_is_not_served_on(self, anchor: Anchor) -> None:
        register(anchor, given(idle_timeout=40))
        for _ in range(3):
            anchor.moved += 1
            anchor.pass_time(38)
        assert places(anchor, NODE) == [MAG1]
        anchor.pass_time(50)
        assert places(anchor, NODE) == []
        assert [one.terminate_cause for one in anchor.over] == [TerminateCause.IDLE_TIMEOUT]

    def test_silence_begins_anew_after_a_restart(self, anchor: Anchor) -> None:
        register(anchor, given(idle_timeout=40))
        anchor.pass_time(30)
        anchor.restart(downtime=20)
        anchor.pass_time(30)
        assert places(anchor, NODE) == [MAG1]
        anchor.pass_time(20)
        assert places(anchor, NODE) == []

    def test_while_aaa_is_away_the_last_word_counts(self, anchor: Anchor) -> None:
        register(anchor, given(300, session_timeout=300))
        anchor.pass_time(100)
        ask(anchor, MAG2)
        anchor.aaa_says(KeyUnavailable("nobody answers"))
        assert places(anchor, NODE) == [MAG2]
        anchor.pass_time(195)
        assert places(anchor, NODE) == [MAG2]
        anchor.pass_time(15)
        assert places(anchor, NODE) == []


@covers("AA25")
class TestLifetimes:
    """MIP-Lifetime: of registrations."""

    def test_are_no_longer_than_aaa_says(self, anchor: Anchor) -> None:
        assert register(anchor, given(lifetime=0)).lifetime == 600
        anchor.pass_time(5)
        assert register(anchor, KeyGiven(association=association(NODE)), MAG2).lifetime == 600
        other = Anchor(nodes=1, home="10.1.0.0/24", keys=POLICY)
        short = KeyGiven(association=association(NODE), allowed=Allowed(lifetime=300))
        assert register(other, short).lifetime == 300
        assert reply_in(ask(other)[0], NODE).lifetime == 300
        assert reply_in(ask(other, lifetime=200)[0], NODE).lifetime == 200
        assert bound(other).terms.limits is None

    def test_of_one_node_are_not_those_of_others_that_ask_in_the_same_words(self, anchor: Anchor) -> None:
        anchor.hear(anchor.datagram(NODE))
        short = KeyGiven(association=association(NODE), allowed=Allowed(lifetime=300))
        assert reply_in(anchor.aaa_says(short)[0], NODE).lifetime == 300
        assert anchor.accept(1).lifetime == 600
        assert reply_in(anchor.hear(anchor.datagram(NODE))[0], NODE).lifetime == 300


@covers("P29")
def test_a_refusal_changes_nothing_of_what_is_allowed(anchor: Anchor) -> None:
    register(anchor, given(filter_ids=("gold",), session_timeout=300))
    anchor.clock.advance(20)
    ask(anchor, MAG2)
    anchor.aaa_says(KeyRefused("not from there"))
    assert bound(anchor).filters == (GOLD,)
    assert places(anchor, NODE) == [MAG1]
