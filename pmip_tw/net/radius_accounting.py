"""RADIUS servers that take accounting records."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pmip_tw.aaa.accounting.records import AccountingRecord
from pmip_tw.aaa.accounting.request import Accountant
from pmip_tw.aaa.radius.outcome import ACCOUNTING, Answered, RadiusOutcome
from pmip_tw.aaa.verdicts import Unavailable
from pmip_tw.addresses import Ipv4
from pmip_tw.interfaces import IAccountingServers, IRadiusClient


@implementer(IAccountingServers)
class RadiusAccountingServers:
    """Who is asked, how often, and with the same octets, is the client's business (AA6): a record that is submitted
    once more is another packet, with its own identifier and the delay of then (AA22). The client is not ours to stop.

    ``address``: ours at the moment, if it may change (P82).
    """

    def __init__(
        self,
        client: IRadiusClient,
        accountant: Accountant,
        *,
        address: Callable[[], Ipv4] | None = None,
    ) -> None:
        self._client = client
        self._address = address
        self._accountant = accountant
        self._outstanding: dict[Deferred[Unavailable | None], None] = {}
        self._stopped = False

    def submit(self, record: AccountingRecord, delay: int) -> "Deferred[Unavailable | None]":
        if self._stopped:
            return succeed(Unavailable("accounting is stopped"))
        if self._address is not None:
            self._accountant = self._accountant.at(self._address())
        try:
            request = self._accountant.request(record, delay)
        except ValueError as error:
            return succeed(Unavailable(f"the record cannot be written: {error}"))
        taken: Deferred[Unavailable | None] = Deferred()
        self._outstanding[taken] = None

        def concluded(outcome: RadiusOutcome) -> None:
            if taken in self._outstanding:
                del self._outstanding[taken]
                taken.callback(None if isinstance(outcome, Answered) else Unavailable(outcome.cause))

        subject = "" if record.session is None else record.session.nai.decode(errors="replace")
        self._client.ask(request, ACCOUNTING, subject=subject, flow=record.session_id).addCallback(concluded)
        return taken

    def stop(self) -> None:
        self._stopped = True
        outstanding, self._outstanding = self._outstanding, {}
        for taken in outstanding:
            taken.callback(Unavailable("accounting was stopped before an answer came"))
