"""The RADIUS proxy as a machine: access points ask it, it asks servers, and an Accept is an attachment (AA27).

    access point --request--> [is it one? proven? new?] --Ask--> servers
    access point <----Reply-- [readable? hidden anew]   <-------- answered     (and before it, Admit)

Nothing is done for whoever cannot prove that he is an access point. Who repeats his octets hears the same answer again,
or nothing while that is under way. What is discarded is told with what to configure, and changes nothing.
"""

from collections.abc import Mapping, Sequence

from pmip_tw.aaa.nas import port_name
from pmip_tw.aaa.proxy import told
from pmip_tw.aaa.proxy.access_points import ProxySettings
from pmip_tw.aaa.proxy.accounts import Accounts
from pmip_tw.aaa.proxy.admitting import Admitting, Reading
from pmip_tw.aaa.proxy.attributes import in_place_of, towards_server
from pmip_tw.aaa.proxy.effects import Ask, Disconnect, Effect, Reply
from pmip_tw.aaa.proxy.exchanges import (
    MOST_UNDERWAY,
    MOST_UNPROVEN,
    Client,
    Exchange,
    is_authentic,
    station_in,
)
from pmip_tw.aaa.proxy.loops import Loops
from pmip_tw.aaa.proxy.stations import Stations
from pmip_tw.aaa.proxy.throwing_off import disconnect_requests
from pmip_tw.aaa.radius.outcome import ACCOUNTING, AUTHENTICATION, Answered, RadiusOutcome
from pmip_tw.aaa.radius.received import Received
from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4, ipv4_text
from pmip_tw.errors import WireError
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.wire.radius import (
    Answer,
    AttributeType,
    Code,
    NotVerified,
    ReceivedRequest,
    Request,
    decode_request,
)

_CODES = {
    AUTHENTICATION: (Code.ACCESS_REQUEST, Code.STATUS_SERVER),
    ACCOUNTING: (Code.ACCOUNTING_REQUEST, Code.STATUS_SERVER),
}
"""What may be asked at the port of each group (RFC 2865 3, 2866 3, 5997 3)."""


def _unproven(error: NotVerified) -> str:
    return f"{error} - is the shared secret the same there and in {told.SETTINGS}?"


def _refusal(effect: Disconnect, answer: Answer) -> str:
    said = int.from_bytes(answer.attributes.first(AttributeType.ERROR_CAUSE) or b"", "big")
    known = {503: ": it does not know the station", 401: ": it does not take Acct-Session-Id"}
    why = f" (Error-Cause {said}{known.get(said, '')})" if said else ""
    return f"{effect.access_point} refuses{why}"


class RadiusProxy:
    """All access points of a MAG. ``group`` is AUTHENTICATION or ACCOUNTING: at which port something came."""

    def __init__(self, settings: ProxySettings, read: Reading, now: Now) -> None:
        self._clients: dict[Ipv4, Client] = {
            access_point.address: Client(access_point) for access_point in settings.access_points
        }
        self._stations = Stations()
        self._admitting = Admitting(self._stations, read)
        self._accounts = Accounts(self._stations)
        self._loops = Loops(settings.nas.identifier, now)
        self._forward_accounting = settings.forward_accounting
        self._nas = None if settings.as_access_point else settings.nas
        self._exchanges: dict[int, Exchange] = {}
        self._count = 0

    def use_address(self, address: Ipv4) -> None:
        """Ours is another one now (P82)."""
        if self._nas is not None:
            self._nas = self._nas.at(address)

    def datagram_received(
        self, datagram: bytes, source: Endpoint, group: str, now: Now, asked_at: Ipv4 = UNSPECIFIED
    ) -> Received[Effect]:
        """Something arrived at the port of ``group`` of ``asked_at``, 0: our one address."""
        client = self._clients.get(source.address)
        if client is None:
            cause = (
                f"no access point has that address: if it is one, add it to {told.SETTINGS} with address, secret and"
                " interface"
            )
            return Received([told.discarded("unknown-access-point", source, cause)])
        try:
            request = decode_request(datagram, client.access_point.secret)
        except NotVerified as error:
            return Received([told.discarded(error.reason, source, _unproven(error))])
        except WireError as error:
            return Received([told.discarded(error.reason, source, str(error))])
        if request.code not in _CODES[group]:
            cause = f"{request.code.label} does not belong to the port for {group}; look at the access point's ports"
            return Received([told.discarded("wrong-port", source, cause)])
        known = client.known.find(source, request.identifier, request.authenticator, now.monotonic)
        if known is not None:
            return Received([] if known.answer is None else [Reply(known.answer, source, group, asked_at)])
        proven = is_authentic(request) and not client.known.was_used(request.authenticator)
        return Received(self._new(client, source, group, request, now, asked_at), proven)

    def answered(self, exchange: int, outcome: RadiusOutcome, now: Now) -> list[Effect]:
        """How an Ask has ended."""
        asked = self._exchanges.pop(exchange)
        asked.client.underway -= 1
        asked.client.unproven -= not asked.is_authentic
        if not asked.is_awaited():
            return []  # the access point waits for something else, and would not know what was decided here
        if not isinstance(outcome, Answered):
            asked.give_up()
            return [told.unanswered(asked.session, asked.source, outcome.cause)]
        if asked.group == ACCOUNTING:
            return [asked.reply(Code.ACCOUNTING_RESPONSE, (), now)]
        return self._admitting.answered(asked, outcome, now)

    def expel(self, key: AccessKey, now: Now) -> list[Effect]:
        """The station ``key`` is to be thrown off by its access point, as far as that takes such requests."""
        station = self._stations.get(key.mac)
        if station is None and self._admitting.is_examined(key.mac, now):
            return []
        self._stations.forget(key.mac)
        points = [client.access_point for client in self._clients.values()]
        return [*disconnect_requests(key, station, points, now)]

    def disconnected(self, effect: Disconnect, outcome: RadiusOutcome) -> list[Effect]:
        """How a Disconnect has ended."""
        session = str(effect.key)
        if isinstance(outcome, Answered) and outcome.answer.code is Code.DISCONNECT_ACK:
            return [told.disconnected(session, effect.access_point)]
        cause = _refusal(effect, outcome.answer) if isinstance(outcome, Answered) else outcome.cause
        return [told.not_disconnected(session, effect.access_point, cause)]

    def rows(self) -> Sequence[Mapping[str, object]]:
        """The access points, for operators."""
        return [
            {
                "access_point": ipv4_text(address),
                "interface": client.access_point.port,
                "stations": len(self._stations.at(client.access_point)),
                "waiting": client.underway,
                "signs": client.signs,
            }
            for address, client in self._clients.items()
        ]

    def _new(
        self,
        client: Client,
        source: Endpoint,
        group: str,
        request: ReceivedRequest,
        now: Now,
        asked_at: Ipv4,
    ) -> list[Effect]:
        """A request that is proven, as far as it can be, and was not answered lately."""
        access = request.code is Code.ACCESS_REQUEST
        repeated = client.known.was_used(request.authenticator)
        refusal = self._loops.refusal(source, request)
        if refusal is None and access:
            refusal = self._admitting.refusal(client, source, request, now)
        if refusal is None and repeated and request.code is not Code.ACCOUNTING_REQUEST:
            cause = "it repeats an earlier request: it has the same Request Authenticator"
            refusal = told.discarded("repeated", source, cause)
        if refusal is None and client.underway >= MOST_UNDERWAY:
            cause = f"{MOST_UNDERWAY} requests of this access point wait for a server already"
            refusal = told.discarded("overload", source, cause)
        if refusal is None and client.unproven >= MOST_UNPROVEN and not is_authentic(request):
            cause = f"{MOST_UNPROVEN} requests without Message-Authenticator wait for a server already"
            refusal = told.discarded("overload", source, cause)
        if refusal is not None:
            return [refusal]
        known = client.known.add(source, request.identifier, request.authenticator, now.monotonic)
        exchange = Exchange(client, source, group, request, known, station_in(request), asked_at)
        if access:
            server = self._admitting.server_for(exchange, now)
            return [*self._admitting.began(exchange), *self._ask(exchange, server)]
        if request.code is Code.STATUS_SERVER:
            code = Code.ACCESS_ACCEPT if group == AUTHENTICATION else Code.ACCOUNTING_RESPONSE
            return [exchange.reply(code, (), now)]  # RFC 5997 3
        answered = client.known.was_answered(request.authenticator)
        client.known.use(request.authenticator)
        # What was heard long ago changes nothing any more; its access point may have missed the answer.
        effects = [] if repeated else self._accounts.received(exchange, now)
        if self._forward_accounting and not answered:
            return [*effects, *self._ask(exchange)]
        return [*effects, exchange.reply(Code.ACCOUNTING_RESPONSE, (), now)]

    def _ask(self, exchange: Exchange, pinned: Endpoint | None = None) -> list[Effect]:
        self._count += 1
        self._exchanges[self._count] = exchange
        exchange.client.underway += 1
        exchange.client.unproven += not exchange.is_authentic
        received = exchange.request
        attributes = received.attributes
        if self._nas is not None and received.code is Code.ACCESS_REQUEST:
            place = (*self._nas.attributes, port_name(exchange.client.access_point.port))
            attributes = in_place_of(attributes, place)
        proxy_state = self._loops.mark(self._count)
        request = Request(
            code=received.code,
            attributes=towards_server(attributes, received.authenticator, proxy_state),
            password=received.password,
        )
        flow = ipv4_text(exchange.source.address)
        return [
            told.asked(exchange.session, exchange.source, request.code.label),
            Ask(
                exchange=self._count,
                request=request,
                group=exchange.group,
                pinned=pinned,
                subject=exchange.session,
                flow=flow,
            ),
        ]
