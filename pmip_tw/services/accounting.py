"""How a role is wired to those who take its accounting."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import attrs
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.accounting.queue import AccountingQueue
from pmip_tw.aaa.accounting.sessions import Sessions
from pmip_tw.agents.accounts import Accounts
from pmip_tw.agents.rows.tables import Row
from pmip_tw.agents.spooling import Spooling
from pmip_tw.config.settings.accounting import AccountingSettings
from pmip_tw.interfaces import IAccountingServers, IForwardingPlane, IObserver
from pmip_tw.mobility.tunnels import AccessKey, AnchorKey
from pmip_tw.net.clock import ReactorClock
from pmip_tw.store.spool import SqliteSpool

_MEBIBYTE = 1 << 20

Key = TypeVar("Key", AccessKey, AnchorKey)


@attrs.frozen
class Accounting(Generic[Key]):
    """``tables``: what operators may look at."""

    accounts: Accounts[Key]
    tables: dict[str, Callable[[], Sequence[Row]]]


def accounting_by(
    servers: IAccountingServers,
    settings: AccountingSettings,
    reactor: PosixReactorBase,
    forwarding: IForwardingPlane,
    observer: IObserver,
    sessions: Sessions[Key],
) -> Accounting[Key]:
    """Spool and agent: each wakes up by a clock of its own."""
    spooling = Spooling(
        AccountingQueue(most_octets=settings.spool_size * _MEBIBYTE),
        SqliteSpool(settings.spool, reactor=reactor),
        servers,
        ReactorClock(reactor),
        [observer],
        on_off=settings.on_off,
    )
    accounts = Accounts(sessions, spooling, forwarding, ReactorClock(reactor))

    def rows() -> list[Row]:
        return [{"sessions": len(sessions), **row} for row in spooling.rows()]

    return Accounting(accounts, {"accounting": rows})
