"""AAA asks an LMA of three workers: each knows its own nodes only, and worker 0 puts one answer together."""

from typing import Any

import msgspec
import pytest
from twisted.internet.defer import Deferred, fail

from pmip_tw.aaa.dynamic_authorization import (
    Change,
    Done,
    ErrorCause,
    Outcome,
    Refused,
    Selection,
    SessionIdentity,
)
from pmip_tw.addresses import ipv4
from pmip_tw.agents.workers.messages import Carry
from pmip_tw.agents.workers.messages import Change as Carried
from pmip_tw.agents.workers.sessions import SessionsOfWorkers, answer
from pmip_tw.errors import PmipError
from pmip_tw.mobility.effects import Install
from pmip_tw.mobility.filter_grammar import filter_rule
from pmip_tw.mobility.packet_filters import PacketFilter
from pmip_tw.mobility.tunnels import AnchorEntry, Tunnel
from pmip_tw.testing.sessions import FakeSessions
from tests.agents.test_dynamic_authorization import heard
from tests.conformance import covers

HOME = ipv4("10.1.0.2")


class Crew:
    """Worker ``number`` has the node of that number; all have one called "everywhere", such as in two realms."""

    def __init__(self) -> None:
        self.workers = [
            FakeSessions(
                {
                    f"mn{number}": SessionIdentity(
                        nai=f"mn{number}", chargeable_identity=bytes((number, 0xFF))
                    ),
                    "everywhere": SessionIdentity(nai="everywhere", home_address=HOME),
                },
                filters=["guests"],
            )
            for number in range(3)
        ]
        self.absent: set[int] = set()
        self.sessions = SessionsOfWorkers(self.workers[0], 3, self._ask)

    def _ask(self, worker: int, command: str, what: str) -> "Deferred[list[dict[str, Any]]]":
        if worker in self.absent:
            return fail(PmipError(f"worker {worker} is being started"))
        rows = answer(self.workers[worker], command, what)
        return rows.addCallback(lambda found: [dict(row) for row in found])


def told(outcome: "Deferred[Outcome]") -> Outcome:
    [found] = heard(outcome)
    return found


@covers("AA17")
@pytest.mark.parametrize("number", [0, 1, 2])
def test_whoever_has_the_session_ends_it(number: int) -> None:
    crew = Crew()
    assert told(crew.sessions.disconnect(Selection(user_name=f"mn{number}"))) == Done(1)
    assert [f"mn{one}" in worker.sessions for one, worker in enumerate(crew.workers)] == [
        one != number for one in range(3)
    ]


@covers("AA15")
def test_several_are_added_up_and_nobody_is_nobody() -> None:
    crew = Crew()
    assert told(crew.sessions.disconnect(Selection(home_address=HOME))) == Done(3)
    nobody = told(crew.sessions.disconnect(Selection(home_address=HOME)))
    assert isinstance(nobody, Refused) and nobody.cause is ErrorCause.SESSION_CONTEXT_NOT_FOUND


@covers("AA18")
def test_octets_and_changes_get_through_a_pipe() -> None:
    crew = Crew()
    change = Change(filter_ids=("guests",), idle_timeout=300)
    who = Selection(chargeable_identity=bytes((2, 0xFF)))
    assert told(crew.sessions.change(who, change)) == Done(1)
    assert crew.workers[2].changes["mn2"] == [change]
    assert told(crew.sessions.reauthorize(who, b"\0\xff")) == Done(1)
    assert crew.workers[2].reauthorized == [("mn2", b"\0\xff")]


@covers("AA25")
def test_a_refusal_is_everybodys() -> None:
    outcome = told(Crew().sessions.change(Selection(user_name="mn1"), Change(filter_ids=("?",))))
    assert isinstance(outcome, Refused)
    assert (outcome.cause, outcome.why) == (ErrorCause.INVALID_ATTRIBUTE_VALUE, "there is no filter '?'")


def test_a_worker_that_is_not_there_may_have_been_the_one() -> None:
    """AAA asks again, and is not told that nobody is like that."""
    crew = Crew()
    crew.absent = {2}
    outcome = told(crew.sessions.disconnect(Selection(user_name="mn2")))
    assert isinstance(outcome, Refused) and outcome.cause is ErrorCause.RESOURCES_UNAVAILABLE
    assert "worker 2" in outcome.why


@covers("AA25")
def test_a_filter_gets_through_a_pipe() -> None:
    """The packet plane is worker 0's."""
    tunnel = Tunnel(local=ipv4("192.0.2.1"), remote=ipv4("192.0.2.10"))
    rules = (filter_rule("deny both udp 10.9.0.0/16 port 1,5-7 node-port 9"), filter_rule("permit up ip any"))
    entry = AnchorEntry(home_address=HOME, tunnel=tunnel, filters=(PacketFilter("guests", rules, True),))
    octets = msgspec.msgpack.encode(Carry(1, [Carried.of(Install(entry))]))
    [change] = msgspec.msgpack.Decoder(Carry).decode(octets).changes
    assert change.installed == entry
    assert change.installed.filters[0].admits(bytes((0x45,)) + bytes(19), up=True)
