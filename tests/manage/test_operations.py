"""Operations from parts, and the interfaces that this room provides."""

import pytest
from zope.interface.verify import verifyObject

from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IObserver, IOperations
from pmip_tw.manage.counters import Tally
from pmip_tw.manage.log import LogObserver
from pmip_tw.manage.operations import Operations
from pmip_tw.manage.trace import Trace
from tests.manage.observations import NAI, accepted, at


def test_the_interfaces_are_provided() -> None:
    for observer in (Tally(), Trace(), LogObserver()):
        assert verifyObject(IObserver, observer)
    assert verifyObject(IOperations, Operations("lma", {}, Trace()))


def test_tables_are_asked_when_they_are_shown() -> None:
    rows: list[dict[str, object]] = []
    operations = Operations("lma", {"bindings": lambda: rows}, Trace())
    assert operations.tables == ("bindings",)
    assert operations.show("bindings") == []
    rows.append({"nai": NAI})
    assert operations.show("bindings") == [{"nai": NAI}]


def test_an_unknown_table_names_the_known_ones() -> None:
    operations = Operations("lma", {"bindings": list, "counters": list}, Trace())
    with pytest.raises(PmipError, match="the LMA has no table 'visitors'; it has bindings, counters"):
        operations.show("visitors")


def test_traces_come_from_the_trace() -> None:
    trace = Trace()
    trace.observe(accepted(), at(0))
    assert [row["name"] for row in Operations("mag", {}, trace).trace(NAI)] == ["access-accepted"]


def test_a_role_that_cannot_revoke_says_who_can() -> None:
    with pytest.raises(PmipError, match="the MAG cannot revoke: ask the LMA"):
        Operations("mag", {}, Trace()).revoke(NAI)


def test_a_role_that_cannot_detach_says_who_can() -> None:
    with pytest.raises(PmipError, match="the LMA cannot detach: ask the MAG"):
        Operations("lma", {}, Trace()).detach(NAI)
