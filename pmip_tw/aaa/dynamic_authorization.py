"""What AAA may do to sessions that are going on, whatever protocol it says it in (RFC 5176, RFC 6733 8.3, 8.5).

A protocol's edge makes a ``Selection`` of what it was told and asks ``ISessions``; the ``Outcome`` is what it answers.
"""

from enum import IntEnum

import attrs

from pmip_tw.addresses import Ipv4, Mac


class ErrorCause(IntEnum):
    """Why a request is not done; the values are those of RADIUS Error-Cause (RFC 5176 3.5)."""

    RESIDUAL_CONTEXT_REMOVED = 201
    INVALID_EAP_PACKET = 202
    UNSUPPORTED_ATTRIBUTE = 401
    MISSING_ATTRIBUTE = 402
    NAS_IDENTIFICATION_MISMATCH = 403
    INVALID_REQUEST = 404
    UNSUPPORTED_SERVICE = 405
    UNSUPPORTED_EXTENSION = 406
    INVALID_ATTRIBUTE_VALUE = 407
    ADMINISTRATIVELY_PROHIBITED = 501
    REQUEST_NOT_ROUTABLE = 502
    SESSION_CONTEXT_NOT_FOUND = 503
    SESSION_CONTEXT_NOT_REMOVABLE = 504
    OTHER_PROXY_PROCESSING_ERROR = 505
    RESOURCES_UNAVAILABLE = 506
    REQUEST_INITIATED = 507
    MULTIPLE_SESSION_SELECTION_UNSUPPORTED = 508


@attrs.frozen(slots=True, kw_only=True)
class SessionIdentity:
    """One session, by everything that AAA may name it with; what it does not have is empty.

    ``aaa_session``: the name that AAA itself gave it (WiMAX AAA-Session-Id, Diameter Session-Id).
    """

    nai: str = ""
    mac: Mac = Mac(b"")
    home_address: Ipv4 = Ipv4(0)
    port: str = ""
    called_station: str = ""
    accounting_session: str = ""
    multi_session: str = ""
    chargeable_identity: bytes = b""
    aaa_session: bytes = b""
    correlation: bytes = b""


@attrs.frozen(slots=True, kw_only=True)
class Selection:
    """The sessions that a request is about: all to which everything that it says applies (RFC 5176 3, AA15).

    None: it does not say. ``calling_station`` is a MAC in any usual spelling.
    """

    user_name: str | None = None
    calling_station: str | None = None
    home_address: Ipv4 | None = None
    port: str | None = None
    called_station: str | None = None
    accounting_session: str | None = None
    multi_session: str | None = None
    chargeable_identity: bytes | None = None
    aaa_session: bytes | None = None
    correlation: bytes | None = None

    @property
    def is_empty(self) -> bool:
        """It names nobody, which does not mean everybody."""
        return self == _NOBODY

    def includes(self, session: SessionIdentity) -> bool:
        """An empty Selection includes none; what a session does not have is not what it was named with."""
        return not self.is_empty and all(
            (
                self.user_name is None or _is_name(self.user_name, session),
                self.calling_station is None or _is_station(self.calling_station, session.mac),
                self.home_address is None or self.home_address == session.home_address != 0,
                _is(self.port, session.port),
                self.called_station is None or _same_station(self.called_station, session.called_station),
                _is(self.accounting_session, session.accounting_session),
                _is(self.multi_session, session.multi_session),
                _is(self.chargeable_identity, session.chargeable_identity),
                _is(self.aaa_session, session.aaa_session),
                _is(self.correlation, session.correlation),
            )
        )


_NOBODY = Selection()


@attrs.frozen(slots=True, kw_only=True)
class Change:
    """What is to be different from now on (AA18); None: nothing about that.

    Seconds, counted from now: ``session_timeout``, 0 = no limit; ``idle_timeout``, 0 = none; ``interim_interval``,
    between accounting records, 0 = as configured. ``filter_ids``: the filters, in place of those there were.
    """

    session_timeout: int | None = None
    idle_timeout: int | None = None
    interim_interval: int | None = None
    filter_ids: tuple[str, ...] | None = None


@attrs.frozen(slots=True)
class Done:
    """To so many sessions, at least one."""

    sessions: int


@attrs.frozen(slots=True)
class Refused:
    """To none, and nothing is different; ``why`` in words for a person."""

    cause: ErrorCause
    why: str = ""


Outcome = Done | Refused

NOT_FOUND = Refused(ErrorCause.SESSION_CONTEXT_NOT_FOUND, "no session is like that")


def _is(said: str | bytes | None, has: str | bytes) -> bool:
    return said is None or (said == has and bool(has))


def _is_name(said: str, session: SessionIdentity) -> bool:
    """A user name is the NAI, whatever its case, or the MAC, if AAA was asked with that (AA24).

    Not an outer identity of EAP: ``anonymous@example.net`` is everybody.
    """
    if not said:
        return False
    return said.lower() == session.nai.lower() or _is_station(said, session.mac)


def _is_station(said: str, mac: Mac) -> bool:
    return len(mac) == 6 and _digits(said) == mac.hex()


def _same_station(said: str, has: str) -> bool:
    """As text, or as the same digits differently written; an SSID may follow (RFC 3580 3.20)."""
    return bool(has) and (said == has or _digits(said) == _digits(has))


def _digits(text: str) -> str:
    return text.lower().replace("-", "").replace(":", "").replace(".", "")
