"""What a Disconnect-Request or CoA-Request demands (RFC 5176 3): all its attributes must be understood (AA16).

What is looked at first decides what is answered: whether we are meant (403), whether everything is known (401) and
makes sense (407, 404), what service is wanted (405), whether something is missing (402). Who is meant is the agent's
business.
"""

from collections.abc import Callable, Collection, Mapping

import attrs

from pmip_tw.aaa.dynamic_authorization import NOT_FOUND, Change, ErrorCause, Refused, Selection
from pmip_tw.aaa.nas import Nas
from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.wire.radius import AUTHORIZE_ONLY, ETHERNET, Attributes, AttributeType, Code, VendorType

_WIMAX = 24757
_3GPP2 = 5535
_AAA_SESSION_ID: VendorType = (_WIMAX, 4)
_DM_ACTION_CODE: VendorType = (_WIMAX, 60)
_CORRELATION_ID: VendorType = (_3GPP2, 44)

_DEREGISTER = 0
"""The one DM-Action-Code that a Disconnect-Request means anyway."""

_SHORTEST_INTERVAL = 60
"""Seconds between accounting records (RFC 2869 5.16)."""

_CHOSEN_BY_OTHERS = (0xFFFFFFFE, 0xFFFFFFFF)
"""A Framed-IP-Address that asks the NAS or the user to choose one (RFC 2865 5.8)."""


@attrs.frozen(slots=True)
class Disconnect:
    """End the sessions (RFC 5176 2.1)."""

    selection: Selection


@attrs.frozen(slots=True)
class ChangeOf:
    """Let something be different (RFC 5176 2.2)."""

    selection: Selection
    change: Change


@attrs.frozen(slots=True)
class Reauthorize:
    """Ask AAA about the sessions (RFC 5176 3.2). ``state`` goes back to it."""

    selection: Selection
    state: bytes = attrs.field(repr=False)


Demand = Disconnect | ChangeOf | Reauthorize

_Known = dict[str, object]


class _Objection(Exception):
    """Why it is not done."""

    def __init__(self, cause: ErrorCause, why: str) -> None:
        super().__init__(why)
        self.refused = Refused(cause, why)


def demand_of(
    code: Code,
    attributes: Attributes,
    nas: Nas,
    *,
    port_type: int = ETHERNET,
    told: Collection[Ipv4] = (),
) -> Demand | Refused:
    """``attributes`` of a proven request of that ``code``, at ``nas``, which is us; ``port_type``: of all our ports.

    ``told``: by which other addresses AAA may know us, that we had before (P82).
    """
    try:
        _require_us(attributes, nas, (nas.address, *told))
        reader = _Reader(disconnects=code is Code.DISCONNECT_REQUEST, port_type=port_type)
        for kind, value in attributes:
            reader.take(kind, value)
        for (vendor, kind), values in attributes.vendor.items():
            for value in values:
                reader.take_vendors(vendor, kind, value)
        return reader.demand()
    except _Objection as objection:
        return objection.refused


def _require_us(attributes: Attributes, nas: Nas, addresses: Collection[Ipv4]) -> None:
    """AA15: what names a NAS must name this one."""
    for value in attributes.all(AttributeType.NAS_IDENTIFIER):
        if value != nas.identifier.encode():
            _not_us(f"NAS-Identifier {value.decode(errors='replace')!r}", repr(nas.identifier))
    for value in attributes.all(AttributeType.NAS_IP_ADDRESS):
        if value not in [address.to_bytes(4, "big") for address in addresses]:
            _not_us(f"NAS-IP-Address {_address_text(value)}", ipv4_text(nas.address))
    if attributes.all(AttributeType.NAS_IPV6_ADDRESS):
        _not_us("NAS-IPv6-Address", ipv4_text(nas.address))


def _not_us(said: str, ours: str) -> None:
    raise _Objection(ErrorCause.NAS_IDENTIFICATION_MISMATCH, f"{said} is another's: this is {ours}")


def _address_text(value: bytes) -> str:
    return ipv4_text(Ipv4(int.from_bytes(value, "big"))) if len(value) == 4 else f"of {len(value)} octets"


class _Reader:
    """Takes attributes one by one. ``disconnects``: of a Disconnect-Request, which may only say who is meant."""

    def __init__(self, *, disconnects: bool, port_type: int) -> None:
        self._disconnects = disconnects
        self._port_type = port_type
        self._selects: _Known = {}
        self._changes: _Known = {}
        self._filters: list[str] = []
        self._state: bytes | None = None
        self._service: int | None = None
        self._nobody = False

    def take(self, kind: int, value: bytes) -> None:
        if kind in _OF_THE_PACKET or (kind == AttributeType.VENDOR_SPECIFIC and _is_readable(value)):
            return
        selects = _SELECTING.get(kind)
        if selects is not None:
            self._once(self._selects, selects, kind, value)
        elif kind in _OF_NOBODY:
            self._nobody = True
        elif kind == AttributeType.NAS_PORT_TYPE:
            self._nobody |= _number(value) != self._port_type
        elif kind == AttributeType.STATE:
            if self._state is not None:
                raise _twice(kind)
            self._state = value
        elif self._disconnects:
            raise _unsupported(f"attribute {kind} in a Disconnect-Request, which may only say whom it means")
        else:
            self._take_change(kind, value)

    def _take_change(self, kind: int, value: bytes) -> None:
        changes = _CHANGING.get(kind)
        if changes is not None:
            self._once(self._changes, changes, kind, value)
        elif kind == AttributeType.FILTER_ID:
            self._filters.append(_text(value))
        elif kind == AttributeType.SERVICE_TYPE:
            if self._service is not None:
                raise _twice(kind)
            self._service = _number(value)
        elif kind == AttributeType.FRAMED_POOL:
            raise _bad_value("Framed-Pool: the address of a session is not changed while it goes on")  # AA18
        else:
            raise _unsupported(f"attribute {kind}: it cannot be changed")

    def take_vendors(self, vendor: int, kind: int, value: bytes) -> None:
        """``value`` of WiMAX begins with its continuation octet."""
        found = (vendor, kind)
        if found == _AAA_SESSION_ID:
            self._once(self._selects, ("aaa_session", _of_wimax), kind, value)
        elif found == _CORRELATION_ID:
            self._once(self._selects, ("correlation", bytes), kind, value)
        elif found == _DM_ACTION_CODE and self._disconnects:
            if _number(_of_wimax(value)) != _DEREGISTER:
                raise _bad_value("a DM-Action-Code other than 0, to deregister")  # AA16
        else:
            raise _unsupported(f"attribute {kind} of vendor {vendor}")

    def _once(
        self, into: _Known, field: "tuple[str, Callable[[bytes], object]]", kind: int, value: bytes
    ) -> None:
        name, read = field
        if name in into:
            raise _twice(kind)
        into[name] = read(value)

    def demand(self) -> Demand | Refused:
        selection = Selection(**self._selects)  # type: ignore[arg-type] # the tables say which field is what
        changes = dict(self._changes)
        if self._filters:
            changes["filter_ids"] = tuple(self._filters)
        if self._service not in (None, AUTHORIZE_ONLY):
            why = f"Service-Type {self._service}: only {AUTHORIZE_ONLY}, Authorize-Only, can be asked for"
            raise _Objection(ErrorCause.UNSUPPORTED_SERVICE, why)
        if self._service is not None and changes:
            raise _unsupported("a change beside Authorize-Only, with which AAA is asked what it wants")
        if selection.is_empty and not self._nobody:
            raise _missing("nothing says which session is meant")
        if self._service is not None:
            if self._state is None:
                raise _missing("Authorize-Only without State")
            demand: Demand = Reauthorize(selection, self._state)
        elif self._disconnects:
            demand = Disconnect(selection)
        elif changes:
            demand = ChangeOf(selection, Change(**changes))  # type: ignore[arg-type]
        else:
            raise _missing("nothing says what is to change")
        return NOT_FOUND if self._nobody else demand


def _unsupported(why: str) -> _Objection:
    return _Objection(ErrorCause.UNSUPPORTED_ATTRIBUTE, why)


def _missing(why: str) -> _Objection:
    return _Objection(ErrorCause.MISSING_ATTRIBUTE, why)


def _bad_value(why: str) -> _Objection:
    return _Objection(ErrorCause.INVALID_ATTRIBUTE_VALUE, why)


def _twice(kind: int) -> _Objection:
    return _Objection(ErrorCause.INVALID_REQUEST, f"attribute {kind} twice")


def _is_readable(value: bytes) -> bool:
    """Whether ``Attributes.vendor`` has it; what is no attribute of a vendor is nothing that we understand."""
    if not Attributes(((AttributeType.VENDOR_SPECIFIC.value, value),)).vendor:
        raise _unsupported("a vendor's attribute that cannot be read")
    return True


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise _bad_value("a text that is not UTF-8") from None


def _number(value: bytes) -> int:
    if len(value) != 4:
        raise _bad_value(f"a number of {len(value)} octets instead of 4")
    return int.from_bytes(value, "big")


def _home_address(value: bytes) -> Ipv4:
    address = Ipv4(_number(value))
    if address in _CHOSEN_BY_OTHERS:
        raise _bad_value(
            "Framed-IP-Address: the address of a session is not changed while it goes on"
        )  # AA18
    return address


def _interval(value: bytes) -> int:
    seconds = _number(value)
    if seconds < _SHORTEST_INTERVAL:
        raise _bad_value(f"Acct-Interim-Interval {seconds}: at least {_SHORTEST_INTERVAL} seconds")
    return seconds


def _of_wimax(value: bytes) -> bytes:
    if not value or value[0] & 0x80:
        raise _bad_value("a WiMAX attribute in parts, which none of those has that are understood here")
    return value[1:]


_OF_THE_PACKET = frozenset(
    {
        AttributeType.NAS_IP_ADDRESS.value,
        AttributeType.NAS_IDENTIFIER.value,
        AttributeType.PROXY_STATE.value,
        AttributeType.EVENT_TIMESTAMP.value,
    }
)
"""Looked at elsewhere."""

_OF_NOBODY = frozenset(
    {
        AttributeType.NAS_PORT.value,
        AttributeType.FRAMED_INTERFACE_ID.value,
        AttributeType.FRAMED_IPV6_PREFIX.value,
    }
)
"""They name a session as well, and none of ours has one."""

_SELECTING: Mapping[int, tuple[str, Callable[[bytes], object]]] = {
    AttributeType.USER_NAME: ("user_name", _text),
    AttributeType.FRAMED_IP_ADDRESS: ("home_address", _home_address),
    AttributeType.CALLED_STATION_ID: ("called_station", _text),
    AttributeType.CALLING_STATION_ID: ("calling_station", _text),
    AttributeType.ACCT_SESSION_ID: ("accounting_session", _text),
    AttributeType.ACCT_MULTI_SESSION_ID: ("multi_session", _text),
    AttributeType.NAS_PORT_ID: ("port", _text),
    AttributeType.CHARGEABLE_USER_IDENTITY: ("chargeable_identity", bytes),
}
"""RFC 5176 3: the field of a Selection, and how it is read."""

_CHANGING: Mapping[int, tuple[str, Callable[[bytes], object]]] = {
    AttributeType.SESSION_TIMEOUT: ("session_timeout", _number),
    AttributeType.IDLE_TIMEOUT: ("idle_timeout", _number),
    AttributeType.ACCT_INTERIM_INTERVAL: ("interim_interval", _interval),
}
"""AA18: the field of a Change, and how it is read."""
