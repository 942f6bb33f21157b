"""How access points are told to serve a station no longer (RFC 5176 2.1): with the server it was we who let it in."""

from collections.abc import Iterable, Iterator

from pmip_tw.aaa.proxy.access_points import AccessPoint
from pmip_tw.aaa.proxy.effects import Disconnect
from pmip_tw.aaa.proxy.stations import Station
from pmip_tw.addresses import Endpoint
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.wire.radius import Attributes, AttributeType, Code, Request, number
from pmip_tw.wire.station_id import station_id


def disconnect_requests(
    key: AccessKey, station: Station | None, access_points: Iterable[AccessPoint], now: Now
) -> Iterator[Disconnect]:
    """For the access point of ``station``; if a restart has made us forget that, for all of its interface."""
    if station is not None:
        access_points = [station.access_point]
    attributes = [
        (AttributeType.CALLING_STATION_ID.value, station_id(key.mac)),
        number(AttributeType.EVENT_TIMESTAMP, int(now.wall) & 0xFFFFFFFF),
    ]
    if station is not None and station.session:
        attributes.append((AttributeType.ACCT_SESSION_ID.value, station.session))
    request = Request(code=Code.DISCONNECT_REQUEST, attributes=Attributes(attributes))
    for point in access_points:
        if point.port == key.port and point.disconnect_port:
            yield Disconnect(request, Endpoint(point.address, point.disconnect_port), key)
