"""Diameter servers that take accounting records."""

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pmip_tw.aaa.accounting.records import AccountingRecord
from pmip_tw.aaa.diameter.access import Asker
from pmip_tw.aaa.diameter.accounting import accounting_request
from pmip_tw.aaa.diameter.node import Answered, Outcome
from pmip_tw.aaa.verdicts import Unavailable
from pmip_tw.interfaces import IAccountingServers, IDiameterClient
from pmip_tw.wire.diameter.codes import Result
from pmip_tw.wire.diameter.message import Message

Taken = Unavailable | None


@implementer(IAccountingServers)
class DiameterAccountingServers:
    """``client`` is not ours to start or stop."""

    def __init__(self, client: IDiameterClient, asker: Asker) -> None:
        self._client = client
        self._asker = asker
        self._outstanding: set[Deferred[Taken]] = set()
        self._stopped = False

    def submit(self, record: AccountingRecord, delay: int) -> "Deferred[Unavailable | None]":
        if self._stopped:
            return succeed(Unavailable("Diameter is stopped"))
        request = accounting_request(record, delay, self._asker)
        if request is None:
            return succeed(None)  # there is nothing to tell: Origin-State-Id says as much
        taken: Deferred[Taken] = Deferred()
        self._outstanding.add(taken)

        def concluded(outcome: Outcome) -> None:
            if taken in self._outstanding:
                self._outstanding.remove(taken)
                taken.callback(_taken(outcome))

        self._client.ask(request, record.session_id).addCallback(concluded)
        return taken

    def stop(self) -> None:
        self._stopped = True
        outstanding, self._outstanding = self._outstanding, set()
        for taken in outstanding:
            taken.callback(Unavailable("Diameter was stopped before an answer came"))


def _taken(outcome: Outcome) -> Taken:
    """For good, if it says so: a relay that has lost its server answers too."""
    if not isinstance(outcome, Answered):
        return Unavailable(outcome.cause)
    message: Message = outcome.message
    if message.result == Result.SUCCESS:
        return None
    return Unavailable(f"{outcome.peer}: {message.explained()}")
