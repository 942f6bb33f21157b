"""An accounting record as RADIUS says it (RFC 2866, 2869, AA21), in the dialect that its AAA speaks."""

import struct
from enum import Enum

import attrs

from pmip_tw.aaa.accounting.records import AccountingRecord, AccountingSession, StatusType, Usage
from pmip_tw.aaa.dictionaries import of_3gpp2 as threegpp2
from pmip_tw.aaa.dictionaries import wimax
from pmip_tw.aaa.dictionaries.dictionary import Attribute as Definition
from pmip_tw.aaa.nas import Nas, port_name
from pmip_tw.addresses import Ipv4, Mac, mac_text
from pmip_tw.wire.radius import (
    ETHERNET,
    FRAMED,
    Attribute,
    Attributes,
    AttributeType,
    Code,
    Request,
    address,
    number,
    text,
    vendor_specific,
)
from pmip_tw.wire.wimax import split_value

VIRTUAL = 5
"""NAS-Port-Type of what has no port (RFC 2865 5.41)."""

RADIUS_AUTHENTIC, LOCAL_AUTHENTIC = 1, 2
"""Acct-Authentic: who said that the node may be served (RFC 2866 5.6)."""

PROXY_MOBILE_IP = 2
"""IP-Technology: PMIP4 of WiMAX, Mobile IP of 3GPP2."""


class Dialect(Enum):
    """Whose vendor attributes a record has; values are the words of the configuration."""

    AS_PROFILE = "as-profile"
    """Of whoever has given the node an id to account by."""
    STANDARD = "standard"
    THREEGPP2 = "3gpp2"
    WIMAX = "wimax"


@attrs.frozen(slots=True, kw_only=True)
class Accountant:
    """Who tells: ``called_station``: what nodes know it by, empty if nothing, unless they are at an access point.
    ``authentic``: see ``RADIUS_AUTHENTIC``.
    """

    nas: Nas
    dialect: Dialect = Dialect.AS_PROFILE
    called_station: Mac = Mac(b"")
    authentic: int = RADIUS_AUTHENTIC

    def at(self, address: Ipv4) -> "Accountant":
        """The same when its address is this one (P82)."""
        nas = self.nas.at(address)
        return self if nas is self.nas else attrs.evolve(self, nas=nas)

    def request(self, record: AccountingRecord, delay: int) -> Request:
        """``record``, which is ``delay`` seconds old (AA22). ValueError: something in it is too long."""
        attributes = [
            number(AttributeType.ACCT_STATUS_TYPE, record.status),
            *self.nas.attributes,
            number(AttributeType.EVENT_TIMESTAMP, record.at),
            number(AttributeType.ACCT_DELAY_TIME, delay),
        ]
        session = record.session
        if session is None:
            # RFC 2866 4.1 wants one in every record.
            attributes.append(text(AttributeType.ACCT_SESSION_ID, f"{record.at:016x}"))
        else:
            attributes += self._of_session(session)
            attributes += _course(record)
            attributes += self._of_vendor(record, session)
        return Request(code=Code.ACCOUNTING_REQUEST, attributes=Attributes(attributes))

    def _of_session(self, session: AccountingSession) -> list[Attribute]:
        attributes = [
            text(AttributeType.ACCT_SESSION_ID, session.id),
            text(AttributeType.ACCT_MULTI_SESSION_ID, session.multi_id),
            (AttributeType.USER_NAME.value, session.nai),
            number(AttributeType.SERVICE_TYPE, FRAMED),
            number(AttributeType.ACCT_AUTHENTIC, self.authentic),
            address(AttributeType.FRAMED_IP_ADDRESS, session.home_address),
        ]
        attributes += ((AttributeType.CLASS.value, octets) for octets in session.classes)
        if session.chargeable_identity:
            attributes.append((AttributeType.CHARGEABLE_USER_IDENTITY.value, session.chargeable_identity))
        called = session.called_station
        if not called and self.called_station:
            called = mac_text(self.called_station, "-").upper().encode()
        if called:
            attributes.append((AttributeType.CALLED_STATION_ID.value, called))
        if session.mac:
            attributes.append(text(AttributeType.CALLING_STATION_ID, session.mac))
        attributes.append(number(AttributeType.NAS_PORT_TYPE, ETHERNET if session.port else VIRTUAL))
        if session.port:
            attributes.append(port_name(session.port))
        return attributes

    def _of_vendor(self, record: AccountingRecord, session: AccountingSession) -> list[Attribute]:
        dialect, as_profile = self.dialect, self.dialect is Dialect.AS_PROFILE
        attributes = []
        if dialect is Dialect.WIMAX or (as_profile and session.aaa_session_id):
            attributes += _of_wimax(record, session)
        if dialect is Dialect.THREEGPP2 or (as_profile and session.correlation_id):
            attributes += _of_3gpp2(record, session)
        return attributes


def _course(record: AccountingRecord) -> list[Attribute]:
    """What has been moved since the beginning, and how long that took; of a Start nothing."""
    if record.status is StatusType.START:
        return []
    usage = record.usage
    attributes = [number(AttributeType.ACCT_SESSION_TIME, record.session_time)]
    for low, high, moved in (
        (AttributeType.ACCT_INPUT_OCTETS, AttributeType.ACCT_INPUT_GIGAWORDS, usage.input_octets),
        (AttributeType.ACCT_OUTPUT_OCTETS, AttributeType.ACCT_OUTPUT_GIGAWORDS, usage.output_octets),
    ):
        attributes += [number(low, moved & 0xFFFFFFFF), number(high, moved >> 32)]
    attributes += [
        number(AttributeType.ACCT_INPUT_PACKETS, usage.input_packets & 0xFFFFFFFF),
        number(AttributeType.ACCT_OUTPUT_PACKETS, usage.output_packets & 0xFFFFFFFF),
    ]
    if record.terminate_cause is not None:
        attributes.append(number(AttributeType.ACCT_TERMINATE_CAUSE, record.terminate_cause))
    return attributes


def _of_wimax(record: AccountingRecord, session: AccountingSession) -> list[Attribute]:
    attributes = []
    if session.aaa_session_id:
        attributes += _wimax(wimax.AAA_SESSION_ID, session.aaa_session_id)
    if session.home_agent:
        attributes += _wimax(wimax.HHA_IP_MIP4, _word(session.home_agent))
    attributes += _wimax(wimax.IP_TECHNOLOGY, _word(PROXY_MOBILE_IP))
    if record.status is StatusType.START:
        attributes += _wimax(wimax.BEGINNING_OF_SESSION, _word(session.begins))
    else:
        attributes += _packet_gigawords(record.usage)
    if record.status is StatusType.STOP:
        attributes += _wimax(wimax.SESSION_CONTINUE, _word(record.continues))
    return attributes


def _packet_gigawords(usage: Usage) -> list[Attribute]:
    return [
        *_wimax(wimax.ACCT_INPUT_PACKETS_GIGAWORD, _word(usage.input_packets >> 32)),
        *_wimax(wimax.ACCT_OUTPUT_PACKETS_GIGAWORD, _word(usage.output_packets >> 32)),
    ]


def _of_3gpp2(record: AccountingRecord, session: AccountingSession) -> list[Attribute]:
    """Where AAA has given no Correlation-Id, what all our agents make of the node is one."""
    correlation_id = session.correlation_id or session.multi_id.encode()
    attributes = [
        _3gpp2(threegpp2.CORRELATION_ID, correlation_id),
        _3gpp2(threegpp2.IP_TECHNOLOGY, _word(PROXY_MOBILE_IP)),
    ]
    if session.home_agent:
        attributes.append(_3gpp2(threegpp2.HOME_AGENT_IP_ADDRESS, _word(session.home_agent)))
    if session.care_of_address:
        attributes.append(_3gpp2(threegpp2.FOREIGN_AGENT_ADDRESS, _word(session.care_of_address)))
    if record.status is StatusType.START:
        attributes.append(_3gpp2(threegpp2.BEGIN_SESSION, _word(session.begins)))
    if record.status is StatusType.STOP:
        attributes.append(_3gpp2(threegpp2.SESSION_CONTINUE, _word(record.continues)))
    return attributes


def _wimax(defined: Definition, value: bytes) -> list[Attribute]:
    return [vendor_specific(*defined.key, part) for part in split_value(value)]


def _3gpp2(defined: Definition, value: bytes) -> Attribute:
    return vendor_specific(*defined.key, value)


def _word(value: int) -> bytes:
    return struct.pack("!L", value)
