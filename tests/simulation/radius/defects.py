"""Defects of what has to do with RADIUS: each breaks one of its rules."""

import pytest

from pmip_tw.aaa.accounting.queue import AccountingQueue
from pmip_tw.aaa.accounting.sessions import Sessions
from pmip_tw.aaa.radius import exchanges
from pmip_tw.aaa.radius.authorization_server import AuthorizationServer
from pmip_tw.aaa.radius.exchanges import RadiusExchanges
from pmip_tw.aaa.radius.server import Server
from pmip_tw.aaa.radius.slots import Slots
from pmip_tw.aaa.radius.watching import Watching
from pmip_tw.mag.authentication.dot1x import Dot1x
from pmip_tw.mag.authentication.strangers import Strangers
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.radius import NO_ATTRIBUTES, Answer, Code, NotVerified
from tests.simulation.defects import Defect


def whoever_answers_is_believed(patch: pytest.MonkeyPatch) -> None:
    decode = exchanges.decode_answer

    def credulous(datagram: bytes, *, identifier: int, **known) -> Answer:
        try:
            return decode(datagram, identifier=identifier, **known)
        except NotVerified:
            return Answer(
                code=Code(datagram[0]), identifier=identifier, attributes=NO_ATTRIBUTES, signed=True
            )

    patch.setattr(exchanges, "decode_answer", credulous)


def who_is_not_answered_is_not_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RadiusExchanges, "_unanswered", lambda self, exchange, cause, effects: None)


def identifiers_are_used_twice(patch: pytest.MonkeyPatch) -> None:
    take = Slots.take

    def again(self) -> int | None:
        slot = take(self)
        return slot if slot is None else slot - slot % 2

    patch.setattr(Slots, "take", again)


def servers_get_any_number(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Server, "has_room", property(lambda self: True))


def dead_servers_stay_dead(patch: pytest.MonkeyPatch) -> None:
    """RFC 5997, dead_time."""
    patch.setattr(Watching, "_look_again_later", lambda self, server, now: None)


def dead_servers_are_not_asked(patch: pytest.MonkeyPatch) -> None:
    """When there is nobody else."""
    dead_servers_stay_dead(patch)
    patch.setattr(Server, "may_be_tried", property(lambda self: False))


def a_mac_is_enough(patch: pytest.MonkeyPatch) -> None:
    """X1: who has shown itself on a port that demands proof is let in for its MAC."""
    patch.setattr(Dot1x, "stranger", lambda self, key, now: self._by_mac.ask(self._visitors.get(key), now))


def crashes_end_no_session(patch: pytest.MonkeyPatch) -> None:
    """AA20: what a former process has left open is forgotten."""
    begun = Sessions.begun

    def forgetful(self, now: Now) -> list:
        self._left.clear()
        return begun(self, now)

    patch.setattr(Sessions, "begun", forgetful)


def former_entries_do_not_count(patch: pytest.MonkeyPatch) -> None:
    """AA21."""
    patch.setattr(Sessions, "entry_gone", lambda self, key, moved: None)


def records_stay(patch: pytest.MonkeyPatch) -> None:
    """AA22: what has failed once is not told again."""
    not_taken = AccountingQueue.not_taken

    def give_up(self, number: int, now: Now) -> None:
        not_taken(self, number, now)
        self._paused_until = float("inf")

    patch.setattr(AccountingQueue, "not_taken", give_up)


def old_demands_are_believed(patch: pytest.MonkeyPatch) -> None:
    """AA14."""
    patch.setattr(AuthorizationServer, "_objection", lambda self, request, now: None)


def who_was_forgotten_waits(patch: pytest.MonkeyPatch) -> None:
    """AA27: an access point passes the frames of a station on that its MAG has forgotten, and nobody does anything."""
    patch.setattr(Strangers, "stays", lambda self, mac, now: False)


RADIUS_DEFECTS = (
    Defect(who_was_forgotten_waits, "who is there is served", profile="access-points"),
    Defect(crashes_end_no_session, "a session has one beginning and one end", profile="accounting"),
    Defect(former_entries_do_not_count, "usage adds up", profile="accounting"),
    Defect(records_stay, "every record is taken", profile="accounting"),
    Defect(old_demands_are_believed, "forged demands change nothing", profile="accounting"),
    Defect(a_mac_is_enough, "only who is accepted is served", profile="supplicants"),
    Defect(whoever_answers_is_believed, "forged answers say nothing", profile="radius"),
    Defect(who_is_not_answered_is_not_told, "every question ends", profile="radius"),
    Defect(identifiers_are_used_twice, "an identifier is one request's", profile="radius"),
    Defect(servers_get_any_number, "servers have no more than they take", profile="radius"),
    Defect(dead_servers_stay_dead, "who is back is asked", profile="radius"),
    Defect(dead_servers_are_not_asked, "who asks is answered", profile="radius"),
)
