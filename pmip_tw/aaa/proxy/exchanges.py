"""Requests of access points that are under way, and how they are answered (RFC 2865 2.3, RFC 5080 2.2.2)."""

from collections.abc import Iterable

import attrs

from pmip_tw.aaa.examined import Examined
from pmip_tw.aaa.proxy.access_points import AccessPoint
from pmip_tw.aaa.proxy.effects import Reply
from pmip_tw.aaa.proxy.known_requests import KnownRequest, KnownRequests
from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4, Mac
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.wire.radius import (
    CALL_CHECK,
    Attribute,
    Attributes,
    AttributeType,
    Code,
    ReceivedRequest,
    encode_answer,
)
from pmip_tw.wire.station_id import station_of

MOST_KNOWN = 1024
"""Requests of one access point that are remembered; two ports of its own use up half of them."""

MOST_UNDERWAY = 256
"""Requests of one access point that wait for a server: as many as one of its ports can tell apart."""

MOST_UNPROVEN = MOST_UNDERWAY // 2
"""Of those, that anybody may have made in its name."""


@attrs.define(slots=True, eq=False)
class Client:
    """What is known of an access point while we run. ``underway``: its requests that wait for a server, ``unproven``:
    those among them that anybody may have made. ``signs``: it has signed a request; ``warned``: that it does not has
    been said. ``said_at``: the newest Event-Timestamp of its accounting, by its own clock.
    """

    access_point: AccessPoint
    known: KnownRequests = attrs.field(factory=lambda: KnownRequests(MOST_KNOWN))
    underway: int = 0
    unproven: int = 0
    signs: bool = False
    warned: bool = False
    said_at: int = 0


@attrs.frozen(slots=True, eq=False)
class Exchange:
    """One proven request from ``source``. ``mac``: the station that it is about, None if it is about none.

    ``asked_at``: our address to which it was sent, 0 if we have but one.
    """

    client: Client
    source: Endpoint
    group: str
    request: ReceivedRequest
    known: KnownRequest
    mac: Mac | None = None
    asked_at: Ipv4 = UNSPECIFIED

    @property
    def key(self) -> AccessKey | None:
        return None if self.mac is None else AccessKey(self.client.access_point.port, self.mac)

    @property
    def session(self) -> str:
        return "" if self.mac is None else str(self.key)

    @property
    def account(self) -> bytes:
        """The name of the session at the access point, empty if it does not say it."""
        return self.request.attributes.first(AttributeType.ACCT_SESSION_ID) or b""

    @property
    def is_authentic(self) -> bool:
        """Whether nobody but its access point can have made it: of an Access-Request only its signature tells."""
        return is_authentic(self.request)

    @property
    def has_eap(self) -> bool:
        return bool(self.request.attributes.all(AttributeType.EAP_MESSAGE))

    @property
    def by_eap(self) -> bool:
        """Whether the station is to prove who it is, not only to have a MAC that AAA knows.

        Some access points ask about a MAC by EAP as well, in which they answer themselves: they say Call Check then
        (RFC 2865 5.6).
        """
        service = self.request.attributes.first(AttributeType.SERVICE_TYPE)
        return self.has_eap and service != CALL_CHECK.to_bytes(4, "big")

    @property
    def examined(self) -> Examined:
        """What the access point says of the station."""
        called = self.request.attributes.first(AttributeType.CALLED_STATION_ID) or b""
        return Examined(by_eap=self.by_eap, called_station=called, access_point=self.source.address)

    def is_awaited(self) -> bool:
        """Whether the access point still waits for the answer: it may have gone on to something else."""
        return self.client.known.is_awaited(self.source, self.request.identifier, self.known)

    def give_up(self) -> None:
        """There is no answer: the same request again is a new one."""
        self.client.known.forget(self.source, self.request.identifier, self.known)

    def reply(self, code: Code, attributes: Iterable[Attribute], now: Now) -> Reply:
        """The answer, which is kept for the same request again. ValueError: it is too long for a packet."""
        request = self.request
        # What other proxies have added comes back to them in order (RFC 2865 5.33, AA19).
        states = [
            (AttributeType.PROXY_STATE.value, v) for v in request.attributes.all(AttributeType.PROXY_STATE)
        ]
        datagram = encode_answer(
            code,
            Attributes([*attributes, *states]),
            identifier=request.identifier,
            request_authenticator=request.authenticator,
            secret=self.client.access_point.secret,
        )
        self.client.known.answered(self.known, datagram, now.monotonic)
        return Reply(datagram, self.source, self.group, self.asked_at)


def is_authentic(request: ReceivedRequest) -> bool:
    """See ``Exchange.is_authentic``."""
    return request.signed or request.code is Code.ACCOUNTING_REQUEST


def station_in(request: ReceivedRequest) -> Mac | None:
    """Whom ``request`` is about, by its one Calling-Station-Id."""
    values = request.attributes.all(AttributeType.CALLING_STATION_ID)
    return station_of(values[0]) if len(values) == 1 else None
