"""What every ISessions does: the twin, and the agents on twins. Each serves mn1 and mn2; the LMA knows no access."""

from collections.abc import Callable, Iterator

import pytest
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

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
from pmip_tw.interfaces import ISessions
from pmip_tw.mobility.packet_filters import PacketFilter
from pmip_tw.testing.sessions import FakeSessions
from tests.agents.world import Station, World
from tests.conformance import covers

GUESTS = PacketFilter("guests")

MN1, MN2 = Selection(user_name="mn1@example.net"), Selection(user_name="mn2@example.net")
NOBODY = Selection(user_name="mn3@example.net")


class Provider:
    """``served()``: the names of who still is."""

    def __init__(self, sessions: ISessions, served: Callable[[], set[str]]) -> None:
        verifyObject(ISessions, sessions)
        self.sessions = sessions
        self.served = served


def told(outcome: "Deferred[Outcome]") -> Outcome:
    found: list[Outcome] = []
    outcome.addCallback(found.append)
    assert len(found) == 1, "everything is at hand"
    return found[0]


def _fake() -> Provider:
    known = {
        nai: SessionIdentity(nai=nai, home_address=ipv4(f"10.1.0.{number}"))
        for number, nai in enumerate(("mn1@example.net", "mn2@example.net"), start=2)
    }
    fake = FakeSessions(known, filters=["guests"])
    return Provider(fake, lambda: set(fake.sessions))


def _mag() -> Provider:
    world = World(mag_settings={"filters": {"guests": GUESTS}})
    node = world.mags[0]
    for number in (1, 2):
        world.attach(Station(number), node)
    served = lambda: {nai for nai, state in node.states.items() if state == "registered"}  # noqa: E731
    return Provider(node.agent.sessions, served)


def _lma() -> Provider:
    world = World(lma_settings={"filters": {"guests": GUESTS}})
    for station in world.stations:
        world.attach(station, world.mags[0])
    return Provider(
        world.lma.sessions, lambda: {binding.nai.decode() for binding in world.lma_engine.bindings}
    )


@pytest.fixture(params=[_fake, _mag, _lma], ids=["fake", "mag", "lma"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    yield request.param()


@covers("AA17")
def test_whom_it_disconnects_is_served_no_more(provider: Provider) -> None:
    assert told(provider.sessions.disconnect(MN1)) == Done(1)
    assert provider.served() == {"mn2@example.net"}
    again = told(provider.sessions.disconnect(MN1))
    assert isinstance(again, Refused) and again.cause is ErrorCause.SESSION_CONTEXT_NOT_FOUND


@covers("AA15")
def test_everything_that_is_said_must_apply(provider: Provider) -> None:
    contradiction = Selection(user_name="mn1@example.net", home_address=ipv4("10.9.9.9"))
    for selection in (NOBODY, contradiction, Selection()):
        for answer in (
            provider.sessions.disconnect(selection),
            provider.sessions.change(selection, Change(session_timeout=60)),
            provider.sessions.reauthorize(selection, b"state"),
        ):
            outcome = told(answer)
            assert isinstance(outcome, Refused)
            assert outcome.cause is ErrorCause.SESSION_CONTEXT_NOT_FOUND
    assert len(provider.served()) == 2


@covers("AA18", "AA25")
def test_a_change_is_made(provider: Provider) -> None:
    change = Change(filter_ids=("guests",))
    assert told(provider.sessions.change(MN1, change)) == Done(1)
    assert len(provider.served()) == 2


@covers("AA16", "AA25")
def test_a_filter_that_is_unknown_changes_nothing(provider: Provider) -> None:
    outcome = told(provider.sessions.change(MN2, Change(filter_ids=("unheard-of",))))
    assert isinstance(outcome, Refused) and outcome.cause is ErrorCause.INVALID_ATTRIBUTE_VALUE
    assert "unheard-of" in outcome.why
    nobody = told(provider.sessions.change(NOBODY, Change(filter_ids=("unheard-of",))))
    assert isinstance(nobody, Refused) and nobody.cause is ErrorCause.SESSION_CONTEXT_NOT_FOUND
