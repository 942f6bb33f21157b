"""Which access point a station is at, and by which session: what another one says of it counts no more (AA27)."""

from collections import OrderedDict

import attrs

from pmip_tw.aaa.proxy.access_points import MOST_STATIONS, AccessPoint
from pmip_tw.addresses import Mac


@attrs.frozen(slots=True)
class Station:
    """``session``: the access point's Acct-Session-Id, empty while it has not said it; ``former``: the one before.

    ``by_eap``: it has proven there who it is; False: nothing but its MAC has let it in; None: nobody knows any more.
    """

    access_point: AccessPoint
    session: bytes = b""
    former: bytes = b""
    by_eap: bool | None = None


class Stations:
    """By MAC, at most ``most``: whoever was accepted longest ago is forgotten first."""

    def __init__(self, most: int = MOST_STATIONS) -> None:
        self._most = most
        self._by_mac: OrderedDict[Mac, Station] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_mac)

    def get(self, mac: Mac) -> Station | None:
        return self._by_mac.get(mac)

    def accepted(
        self, mac: Mac, access_point: AccessPoint, session: bytes, *, by_eap: bool | None = None
    ) -> None:
        """AAA has let it in there, in a session that may have no name yet.

        Who has proven itself is where it has done so: whoever has its MAC let in elsewhere may be somebody else.
        """
        before = self._by_mac.get(mac)
        if before is not None and before.by_eap and by_eap is False:
            return
        self._by_mac.pop(mac, None)
        former = before.session if before is not None and before.session != session else b""
        self._by_mac[mac] = Station(access_point, session, former, by_eap)
        if len(self._by_mac) > self._most:
            self._by_mac.popitem(last=False)

    def accounted(self, mac: Mac, access_point: AccessPoint, session: bytes) -> None:
        """A session began or goes on: its name, if that was not known yet; after a restart nothing is."""
        station = self._by_mac.get(mac)
        if station is None:
            self.accepted(mac, access_point, session)
        elif station.access_point is access_point and not station.session and session != station.former:
            self._by_mac[mac] = attrs.evolve(station, session=session)

    def may_end(self, mac: Mac, access_point: AccessPoint, session: bytes = b"") -> bool:
        """Whether ``mac`` is there in that session, as far as we know: it may have gone elsewhere, or come anew."""
        station = self._by_mac.get(mac)
        if station is None:
            return True
        other = bool(session) and (session == station.former or session != (station.session or session))
        return station.access_point is access_point and not other

    def is_there_by_mac(self, mac: Mac) -> bool:
        """Whether its MAC alone has let it in; not if nothing is known of it, as after a restart."""
        station = self._by_mac.get(mac)
        return station is not None and station.by_eap is False

    def forget(self, mac: Mac) -> None:
        self._by_mac.pop(mac, None)

    def at(self, access_point: AccessPoint) -> list[Mac]:
        return [mac for mac, station in self._by_mac.items() if station.access_point is access_point]
