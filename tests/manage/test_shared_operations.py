"""One answer for all workers."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed

from pmip_tw.errors import PmipError
from pmip_tw.manage.operations import Operations
from pmip_tw.manage.shared_operations import SharedOperations
from pmip_tw.manage.trace import Trace
from pmip_tw.mobility.observations import Observation
from pmip_tw.testing.clock import FakeClock

Rows = list[dict[str, Any]]


def found(answer: object) -> Any:
    """The result, which is there."""
    assert isinstance(answer, Deferred)
    results: list[Any] = []
    answer.addBoth(results.append)
    (result,) = results
    if hasattr(result, "raiseException"):
        result.raiseException()
    return result


class House:
    """Worker 0 and two others, whose answers are ``answers`` by worker and command."""

    def __init__(self, **own: Rows) -> None:
        self.asked: list[tuple[int, str, str]] = []
        self.answers: dict[tuple[int, str], Rows | PmipError] = {}
        self.trace = Trace()
        self.revoked: list[str] = []
        tables = {name: (lambda rows=rows: rows) for name, rows in own.items()}
        self.operations = SharedOperations(
            Operations("lma", tables, self.trace, revoke=self.revoke),
            3,
            ask=self.ask,
            whose={"a@b": 0, "c@d": 2}.get,
            completed={"bindings": lambda rows: [{**row, "packets": 7} for row in rows]},
        )

    def revoke(self, whom: str) -> dict[str, object]:
        self.revoked.append(whom)
        return {"nai": whom}

    def ask(self, worker: int, command: str, what: str) -> "Deferred[Rows]":
        self.asked.append((worker, command, what))
        answer = self.answers[worker, command]
        return fail(answer) if isinstance(answer, PmipError) else succeed(answer)


def test_bindings_are_those_of_all_with_what_only_worker_0_knows() -> None:
    house = House(bindings=[{"nai": "a@b", "packets": 1}])
    house.answers = {(1, "show"): [], (2, "show"): [{"nai": "c@d", "packets": 0}]}
    assert found(house.operations.show("bindings")) == [
        {"nai": "a@b", "packets": 1},
        {"nai": "c@d", "packets": 7},
    ]


def test_what_is_counted_is_added_up() -> None:
    house = House(counters=[{"name": "x", "reason": "", "count": 1, "last": 5.0}])
    house.answers = {
        (1, "show"): [{"name": "x", "reason": "", "count": 2, "last": 9.0}],
        (2, "show"): [
            {"name": "x", "reason": "y", "count": 4, "last": 3.0},
            {"name": "d", "reason": "", "count": 1},
        ],
    }
    assert found(house.operations.show("counters")) == [
        {"name": "x", "reason": "", "count": 3, "last": 9.0},
        {"name": "x", "reason": "y", "count": 4, "last": 3.0},
        {"name": "d", "reason": "", "count": 1},
    ]


def test_tunnels_are_worker_0s() -> None:
    house = House(tunnels=[{"nodes": 3}])
    assert house.operations.show("tunnels") == [{"nodes": 3}]
    assert house.asked == []


def test_a_worker_that_cannot_be_asked_is_told_and_never_taken_for_an_empty_one() -> None:
    house = House(bindings=[{"nai": "a@b"}])
    house.answers = {(1, "show"): PmipError("worker 1 is being started"), (2, "show"): []}
    with pytest.raises(PmipError, match="worker 1 is being started"):
        found(house.operations.show("bindings"))


def test_a_trace_is_that_of_whoever_knows_the_node() -> None:
    house = House()
    unknown = PmipError("nothing is known of 'c@d'")
    house.answers = {(1, "trace"): unknown, (2, "trace"): [{"name": "binding-created", "time": 1.0}]}
    assert [row["name"] for row in found(house.operations.trace("c@d"))] == ["binding-created"]
    house.answers[2, "trace"] = unknown
    with pytest.raises(PmipError, match="nothing is known"):
        found(house.operations.trace("c@d"))


def test_a_trace_of_several_is_in_order_of_time() -> None:
    house = House()
    clock = FakeClock()
    house.trace.observe(Observation(name="binding-expired", nai="a@b"), clock.now())
    later = clock.now().wall + 1
    house.answers = {(1, "trace"): [{"name": "binding-created", "time": later}], (2, "trace"): []}
    assert [row["name"] for row in found(house.operations.trace("a@b"))] == [
        "binding-expired",
        "binding-created",
    ]


def test_who_has_a_node_revokes_it() -> None:
    house = House()
    house.answers = {(2, "revoke"): [{"nai": "c@d"}]}
    assert house.operations.revoke("a@b") == {"nai": "a@b"}
    assert found(house.operations.revoke("c@d")) == {"nai": "c@d"}
    assert house.revoked == ["a@b"] and house.asked == [(2, "revoke", "c@d")]


def test_leases_are_those_of_all() -> None:
    house = House(leases=[{"nai": "a@b"}])
    house.answers = {(1, "show"): [], (2, "show"): [{"nai": "c@d"}]}
    assert found(house.operations.show("leases")) == [{"nai": "a@b"}, {"nai": "c@d"}]


def test_an_address_of_nobody_is_taken_from_whoever_has_a_lease_of_it() -> None:
    house = House()
    nobody = PmipError("nobody is registered with it")
    house.answers = {(1, "revoke"): nobody, (2, "revoke"): nobody}
    assert found(house.operations.revoke("10.1.0.9")) == {"nai": "10.1.0.9"}
    assert [asked[0] for asked in house.asked] == [1, 2] and house.revoked == ["10.1.0.9"]
    house.answers[2, "revoke"] = [{"nai": "c@d"}]
    assert found(house.operations.revoke("10.1.0.9")) == {"nai": "c@d"}
