"""Accounting records as ACR (RFC 6733 9, RFC 7155 4.6): the same that RADIUS servers are told, in other AVPs."""

from typing import Final

from pmip_tw.aaa.accounting.records import AccountingRecord, AccountingSession, StatusType
from pmip_tw.aaa.diameter.access import Asker, as_avps
from pmip_tw.aaa.dictionaries.of_3gpp2 import CORRELATION_ID, VENDOR_3GPP2
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avp, Avps
from pmip_tw.wire.diameter.codes import AccountingRecordType, Application, Code, Command
from pmip_tw.wire.diameter.message import Header, Message

_NTP_EPOCH: Final = 2_208_988_800
"""Of the type Time (RFC 6733 4.3.1), in which Event-Timestamp counts from 1900."""

_TYPES: Final = {
    StatusType.START: AccountingRecordType.START,
    StatusType.INTERIM_UPDATE: AccountingRecordType.INTERIM,
    StatusType.STOP: AccountingRecordType.STOP,
}


def accounting_request(record: AccountingRecord, delay: int, asker: Asker) -> Message | None:
    """ACR; None for what Diameter has no record for: On and Off, which Origin-State-Id tells."""
    kind, session = _TYPES.get(record.status), record.session
    if kind is None or session is None:
        return None
    return Message(
        header=Header(command=Command.ACCOUNTING, application=Application.ACCOUNTING, request=True),
        avps=Avps(
            (
                avps.text(Code.SESSION_ID, session_id(session, asker)),
                *asker.identity.origin,
                avps.text(Code.DESTINATION_REALM, asker.realm),
                avps.unsigned32(Code.ACCOUNTING_RECORD_TYPE, kind),
                avps.unsigned32(Code.ACCOUNTING_RECORD_NUMBER, record_number(record)),
                avps.unsigned32(Code.ACCT_APPLICATION_ID, Application.ACCOUNTING),
                avps.octets(Code.USER_NAME, session.nai),
                asker.identity.state,
                *as_avps(asker.nas.attributes),
                *_of_session(session),
                *_of_record(record, kind, delay),
            )
        ),
    )


def session_id(session: AccountingSession, asker: Asker) -> str:
    """That of its authorization, if Diameter gave it (RFC 6733 9.4); else one made of Acct-Session-Id."""
    given = session.aaa_session_id.decode(errors="replace")
    if given.startswith(f"{asker.identity.host};"):
        return given
    try:
        digits = int(session.id, 16)
    except ValueError:
        return f"{asker.identity.host};0;0;{session.id}"
    return f"{asker.identity.host};{digits >> 32 & 0xFFFFFFFF};{digits & 0xFFFFFFFF};acct"


def record_number(record: AccountingRecord) -> int:
    """Unique in its session, and the same whenever it is said again (RFC 6733 9.8.3): 0 for the Start; the others are
    told apart by the age of the session, and the Stop is the last one."""
    if record.status is StatusType.START:
        return 0
    return min(max(1, record.session_time) + (record.status is StatusType.STOP), 0xFFFFFFFF)


def _of_session(session: AccountingSession) -> list[Avp]:
    found = [avps.text(Code.ACCT_SESSION_ID, session.id)]
    if session.multi_id:
        found.append(avps.text(Code.ACCT_MULTI_SESSION_ID, session.multi_id))
    if session.home_address:
        found.append(avps.octets(Code.FRAMED_IP_ADDRESS, session.home_address.to_bytes(4, "big")))
    if session.mac:
        found.append(avps.text(Code.CALLING_STATION_ID, session.mac))
    if session.port:
        found.append(avps.text(Code.NAS_PORT_ID, session.port))
    found += [avps.octets(Code.CLASS, value) for value in session.classes]
    if session.chargeable_identity:
        found.append(avps.octets(Code.CHARGEABLE_USER_IDENTITY, session.chargeable_identity))
    if session.correlation_id:
        found.append(
            Avp(
                code=CORRELATION_ID.number,
                vendor=VENDOR_3GPP2,
                data=session.correlation_id,
                mandatory=False,
            )
        )
    return found


def _of_record(record: AccountingRecord, kind: AccountingRecordType, delay: int) -> list[Avp]:
    found = [avps.unsigned32(Code.EVENT_TIMESTAMP, (record.at + _NTP_EPOCH) & 0xFFFFFFFF)]
    if delay:
        found.append(avps.unsigned32(Code.ACCT_DELAY_TIME, min(delay, 0xFFFFFFFF)))
    if kind is AccountingRecordType.START:
        return found
    usage = record.usage
    found += [
        avps.unsigned32(Code.ACCT_SESSION_TIME, min(record.session_time, 0xFFFFFFFF)),
        avps.unsigned64(Code.ACCOUNTING_INPUT_OCTETS, usage.input_octets),
        avps.unsigned64(Code.ACCOUNTING_OUTPUT_OCTETS, usage.output_octets),
        avps.unsigned64(Code.ACCOUNTING_INPUT_PACKETS, usage.input_packets),
        avps.unsigned64(Code.ACCOUNTING_OUTPUT_PACKETS, usage.output_packets),
    ]
    if record.terminate_cause is not None:
        found.append(avps.unsigned32(Code.ACCT_TERMINATE_CAUSE, record.terminate_cause))
    return found
