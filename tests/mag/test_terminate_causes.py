"""Why a session was over is told to AAA, and once: every way in which a visit ends (AA20, RFC 2866 5.10)."""

from collections.abc import Callable

import pytest

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.verdicts import Reject
from pmip_tw.mag.effects import MagEffect, SessionOver
from pmip_tw.mag.journal.records import Departed
from pmip_tw.mobility.effects import Remove
from pmip_tw.wire.dhcp import MessageType
from tests.agents.world import GATEWAY
from tests.mag.bench import ADDRESS, LMA_CLOCK, Bench, only, order, reply, requests, revocation

Ending = Callable[[Bench], list[MagEffect]]


def _detached(bench: Bench) -> list[MagEffect]:
    return bench.take(bench.engine.detach(bench.station.nai, bench.now))


def _released(bench: Bench) -> list[MagEffect]:
    return bench.hear(bench.station.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=GATEWAY))


def _moved_port(bench: Bench) -> list[MagEffect]:
    return bench.hear(bench.station.dhcp(MessageType.DISCOVER), "eth2")


def _not_carried(bench: Bench) -> list[MagEffect]:
    entry = bench.visitor.entry(upstream=True)
    assert entry is not None
    return bench.take(bench.engine.forwarding_failed(entry, "no memory", bench.now))


@pytest.mark.parametrize(
    "policy, profile, end, cause, continues",
    [
        ({}, {}, _detached, TerminateCause.ADMIN_RESET, False),
        ({}, {}, _released, TerminateCause.USER_REQUEST, False),
        ({}, {}, lambda bench: bench.wait(910), TerminateCause.LOST_CARRIER, False),
        ({}, {"session_timeout": 60}, lambda bench: bench.wait(61), TerminateCause.SESSION_TIMEOUT, False),
        ({}, {}, _not_carried, TerminateCause.NAS_ERROR, False),
        ({"duplicate_mac": "move"}, {}, _moved_port, TerminateCause.LOST_CARRIER, True),
        ({}, {}, lambda bench: bench.arrive(revocation(LMA_CLOCK + 5)), TerminateCause.NAS_REQUEST, True),
        (
            {},
            {},
            lambda bench: bench.arrive(revocation(LMA_CLOCK + 5, inform=True)),
            TerminateCause.NAS_REQUEST,
            False,
        ),
    ],
    ids=["operator", "release", "silence", "timeout", "defect", "port", "handover", "revoked"],
)
def test_every_end_has_its_cause(
    policy: dict[str, object],
    profile: dict[str, object],
    end: Ending,
    cause: TerminateCause,
    continues: bool,
) -> None:
    bench = Bench(**policy)
    bench.profile = profile
    visitor = bench.register()
    effects = end(bench)
    assert only(SessionOver, effects) == [SessionOver(visitor.accounting_id, cause, continues)]
    # What it has moved is known by then.
    assert order(effects, Remove, SessionOver)[:2] == ["Remove", "SessionOver"]
    bench.wait(2000)
    assert len(only(SessionOver, bench.effects)) == 1


def test_a_lease_that_nobody_extends_is_idleness() -> None:
    bench = Bench()
    request = bench.begin(bench.station.dhcp(MessageType.REQUEST, requested=ADDRESS, server=GATEWAY))
    bench.arrive(reply(request, lifetime=60000))
    assert bench.visitor.lease_ends is not None
    bench.visitor.lease_ends = bench.at + 1  # before anybody looks whether it is there
    [over] = only(SessionOver, bench.wait(2))
    assert over.terminate_cause is TerminateCause.IDLE_TIMEOUT


def test_it_is_told_when_nothing_can_bring_the_visitor_back() -> None:
    """The end that AAA hears rests on the record of the departure: else a restart would go on with a session that is
    over."""
    bench = Bench()
    bench.register()
    told = bench.engine.detach(bench.station.nai, bench.now)
    [save] = [effect for effect in told if getattr(effect, "records", ())]
    assert isinstance(save.records[0], Departed) and only(SessionOver, save.then)


def test_whom_aaa_refuses_has_no_session() -> None:
    bench = Bench()
    bench.decide(bench.attach(), Reject("no"))
    assert only(SessionOver, bench.effects) == []


def test_every_visit_is_a_session_of_its_own_and_a_renewal_is_none() -> None:
    bench = Bench()
    first = bench.register().accounting_id
    bench.arrive(reply(bench.renew()))
    assert bench.visitor.accounting_id == first and len(first) == 16
    _detached(bench)
    bench.arrive(reply(requests(bench.effects)[-1]))
    assert bench.register().accounting_id not in ("", first)
