"""What accounting tells its observers; here, so that the rules read without it."""

from pmip_tw.aaa.accounting.records import AccountingRecord, StatusType
from pmip_tw.mobility.observations import Observation

_NAMES = {StatusType.START: "accounting-start", StatusType.STOP: "accounting-stop"}


def told(record: AccountingRecord) -> Observation | None:
    """What is worth a line in a node's trace: beginning and end."""
    name = _NAMES.get(record.status)
    session = record.session
    if name is None or session is None:
        return None
    details: dict[str, str | int | float | bool] = {"accounting_id": session.id}
    if record.terminate_cause is not None:
        details |= {
            "terminate_cause": record.terminate_cause.name.lower().replace("_", "-"),
            "session_time": record.session_time,
            "input_octets": record.usage.input_octets,
            "output_octets": record.usage.output_octets,
        }
    return Observation(
        name=name, nai=session.nai.decode(errors="replace"), session=session.id, details=details
    )


def unanswered(cause: str, waiting: int) -> Observation:
    """Servers take nothing any more."""
    return Observation(
        name="accounting-unanswered",
        reason="no-answer",
        cause=f"{cause}; records wait on the disk until a server takes them",
        details={"waiting": waiting},
    )


def answered_again(waiting: int) -> Observation:
    return Observation(name="accounting-answered-again", details={"waiting": waiting})


def dropped(record: AccountingRecord) -> Observation:
    """The spool is full: AAA will never hear of this one."""
    session = record.session
    return Observation(
        name="accounting-dropped",
        nai="" if session is None else session.nai.decode(errors="replace"),
        session=record.session_id,
        reason="spool-full",
        cause="so much waits for AAA that 'spool_size' is used up: bring the servers back, or raise it",
        details={"record": record.status.name.lower().replace("_", "-")},
    )


def stuck(record: AccountingRecord, cause: str) -> Observation:
    """What is behind it of the same session waits; others do not."""
    session = record.session
    return Observation(
        name="accounting-stuck",
        nai="" if session is None else session.nai.decode(errors="replace"),
        session=record.session_id,
        reason="not-taken",
        cause=f"{cause}; servers take other records: something about this one is wrong, and it is tried for a day",
        details={"record": record.status.name.lower().replace("_", "-")},
    )


def given_up(record: AccountingRecord, cause: str) -> Observation:
    """Servers do not take it, though others. On or Off, later, would end at AAA what has begun since."""
    session = record.session
    return Observation(
        name="accounting-dropped",
        nai="" if session is None else session.nai.decode(errors="replace"),
        session=record.session_id,
        reason="not-taken",
        cause=f"{cause}; servers take other records, and are to answer this one, too",
        details={"record": record.status.name.lower().replace("_", "-")},
    )


def unreadable(what: str, cause: str) -> Observation:
    """Something on the disk is no record."""
    return Observation(
        name="accounting-dropped",
        session=what,
        reason="unreadable",
        cause=f"{cause}: it was written by another version, or changed",
    )


def spool_failed(cause: str) -> Observation:
    return Observation(
        name="accounting-spool-failed",
        reason="not-saved",
        cause=f"{cause}; AAA is told all the same, but a restart would not know what it has not heard yet",
    )


def spool_works_again() -> Observation:
    return Observation(name="accounting-spool-works-again")
