"""What access points account for tells who has left them; what was used is counted by the MAG itself (AA27)."""

from pmip_tw.aaa.accounting.records import StatusType, TerminateCause
from pmip_tw.aaa.proxy import told
from pmip_tw.aaa.proxy.effects import Dismiss, Effect
from pmip_tw.aaa.proxy.exchanges import Exchange
from pmip_tw.aaa.proxy.stations import Stations
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.wire.radius import AttributeType

_WHY = {
    TerminateCause.USER_REQUEST: "its user has logged off",
    TerminateCause.LOST_CARRIER: "it has lost its carrier",
    TerminateCause.IDLE_TIMEOUT: "it was idle for too long",
    TerminateCause.SESSION_TIMEOUT: "its session has ended",
    TerminateCause.ADMIN_RESET: "its access point was told to end it",
    TerminateCause.SUPPLICANT_RESTART: "its supplicant begins anew",
    TerminateCause.REAUTHENTICATION_FAILURE: "it has failed to authenticate again",
}

OUT_OF_ORDER = 300
"""Seconds by which what an access point says may be older than what it has said: some of it had to be repeated."""


class Accounts:
    """Changes ``stations`` by what is accounted for."""

    def __init__(self, stations: Stations) -> None:
        self._stations = stations

    def received(self, exchange: Exchange, now: Now) -> list[Effect]:
        """A proven Accounting-Request that is heard for the first time, as far as we know."""
        status = _number(exchange, AttributeType.ACCT_STATUS_TYPE)
        old = _is_old(exchange, now)
        if status in (StatusType.ACCOUNTING_ON, StatusType.ACCOUNTING_OFF):
            return [told.discarded("repeated", exchange.source, _OLD)] if old else self._restarted(exchange)
        if exchange.mac is None or exchange.key is None:
            return []
        point = exchange.client.access_point
        if status in (StatusType.START, StatusType.INTERIM_UPDATE):
            self._stations.accounted(exchange.mac, point, exchange.account)
        elif status == StatusType.STOP and self._stations.may_end(exchange.mac, point, exchange.account):
            self._stations.forget(exchange.mac)
            cause = _cause(exchange)
            return [Dismiss(exchange.key, _WHY.get(cause, "its access point has ended it"), cause)]
        return []

    def _restarted(self, exchange: Exchange) -> list[Effect]:
        """An access point begins, or ends: it has no stations then."""
        point = exchange.client.access_point
        stations = self._stations.at(point)
        for mac in stations:
            self._stations.forget(mac)
        why = "its access point has been restarted"
        cause = TerminateCause.NAS_REBOOT
        dismissed = [Dismiss(AccessKey(point.port, mac), why, cause) for mac in stations]
        return [told.restarted(exchange.source, len(stations)), *dismissed]


_OLD = (
    f"it says that it begins or ends, {OUT_OF_ORDER} s or more before what it has said already: somebody repeats what"
    " he has heard, or its clock was set back"
)


def _is_old(exchange: Exchange, now: Now) -> bool:
    """Whether its access point has said something newer: then what it has now is not known by this any more.

    An access point whose clock is not set says no time, and one whose clock is ahead binds itself to nothing.
    """
    client, at = exchange.client, _number(exchange, AttributeType.EVENT_TIMESTAMP)
    old = 0 < at < client.said_at - OUT_OF_ORDER
    if at <= now.wall + OUT_OF_ORDER:
        client.said_at = max(client.said_at, at)
    return old


def _cause(exchange: Exchange) -> TerminateCause:
    """As the access point has it; if it says nothing that is known, the station is gone for all we know."""
    try:
        return TerminateCause(_number(exchange, AttributeType.ACCT_TERMINATE_CAUSE))
    except ValueError:
        return TerminateCause.LOST_CARRIER


def _number(exchange: Exchange, attribute_type: AttributeType) -> int:
    """0 if it is not there, or is no number."""
    value = exchange.request.attributes.first(attribute_type) or b""
    return int.from_bytes(value, "big") if len(value) == 4 else 0
