"""What AAA was told of sessions, held against who is bound when everything is at rest (AA20, AA22)."""

from collections.abc import Mapping

from pmip_tw.aaa.accounting.records import AccountingSession, StatusType
from pmip_tw.addresses import Ipv4
from pmip_tw.lma.bindings import Binding
from pmip_tw.testing.accounting import FakeLedger


class Broken(Exception):
    """A promise does not hold."""

    def __init__(self, promise: str, seen: str) -> None:
        super().__init__(f"{promise}: {seen}")
        self.promise = promise


def require_true_accounts(ledger: FakeLedger, bound: Mapping[Ipv4, Binding]) -> None:
    """Every session has one Start and then at most one Stop; those without are of who is bound, wherever that is."""
    going_on: dict[str, AccountingSession] = {}
    begun: set[str] = set()
    for record in ledger.told:
        session = record.session
        if session is None:
            if record.status is StatusType.ACCOUNTING_ON and going_on:
                raise Broken("On ends nothing that goes on", f"{going_on}")
            continue
        if (record.status is StatusType.START) is (session.id in begun):
            raise Broken("a session begins once", f"{record}")
        if record.status is not StatusType.START and session.id not in going_on:
            raise Broken("a session ends once", f"{record}")
        begun.add(session.id)
        going_on[session.id] = session
        if record.status is StatusType.STOP:
            del going_on[session.id]
    if going_on.keys() != ledger.last.keys():
        raise Broken("what goes on is written down", f"{going_on.keys() ^ ledger.last.keys()}")
    told = sorted((session.home_address, session.nai) for session in going_on.values())
    if told != sorted((address, binding.nai) for address, binding in bound.items()):
        raise Broken("AAA knows who is bound", f"{told}, and not {bound}")
