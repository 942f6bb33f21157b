"""Authentication, authorization, accounting."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from pmip_tw.aaa.accounting.records import TerminateCause
    from pmip_tw.aaa.dynamic_authorization import Change, Outcome, Selection
    from pmip_tw.aaa.examined import Examined
    from pmip_tw.aaa.node_keys import Brought, KeyAnswer, KeyQuestion
    from pmip_tw.aaa.profiles.profile import Profile
    from pmip_tw.aaa.radius.outcome import RadiusOutcome
    from pmip_tw.aaa.verdicts import Credential, Verdict
    from pmip_tw.addresses import Endpoint
    from pmip_tw.mobility.tunnels import AccessKey
    from pmip_tw.wire.radius import Request


class IAuthenticator(Interface):
    """Decides whether a mobile node may be served, and gives its profile."""

    def authenticate(credential: "Credential") -> "Deferred[Verdict]":
        """Fires with Accept, Reject or Unavailable, or Challenge to an EAP response; never fails, always fires."""

    def stop() -> None:
        """Close sockets; what is outstanding fires with Unavailable. Idempotent."""


class IAaaSessions(Interface):
    """AAA servers that keep a session for whom they have accepted, until they are told of its end."""

    def session_over(aaa_session: bytes, cause: "TerminateCause", *, continues: bool = False) -> None:
        """Of ``Profile.aaa_session_id``; nothing happens if it is none of theirs. ``continues``: elsewhere."""


class INodeKeys(Interface):
    """Gives an LMA the keys of mobile nodes, with leave to register them (AA10, P29)."""

    def fetch(question: "KeyQuestion") -> "Deferred[KeyAnswer]":
        """Fires with KeyGiven, KeyRefused or KeyUnavailable; never fails, always fires."""

    def stop() -> None:
        """Close sockets; what is outstanding fires with KeyUnavailable. Idempotent."""


class IHomeAgent(Interface):
    """An LMA to which AAA brings registrations (RFC 4004 5.3)."""

    def register(
        question: "KeyQuestion", brought: "Brought", identification: int
    ) -> "Deferred[bytes | None]":
        """Fires with the octets of the reply; None: the request gets none, and observers know why. Never fails unless
        it is cancelled, by whoever does not wait any longer.

        ``identification``: the low half of the request's.
        """


class IAccessPointsReceiver(Interface):
    """Whoever serves the stations of access points."""

    def judged(verdict: "Verdict") -> "Verdict":
        """AAA's verdict on a station; a Reject in its place if nobody can be served here as it says."""

    def attached_elsewhere(key: "AccessKey", profile: "Profile", examined: "Examined") -> None:
        """AAA has accepted the station ``key``, which was ``examined`` there; its access point hears of it next."""

    def detached_elsewhere(key: "AccessKey", why: str, terminate_cause: "TerminateCause") -> None:
        """Its access point, or AAA by way of it, does not let it in any more."""


class IAccessPoints(Interface):
    """Access points that authenticate their stations by themselves, and ask AAA by us (AA27)."""

    def start(receiver: "IAccessPointsReceiver") -> None:
        """Begin to hear them. PmipError: it cannot be, and why."""

    def expel(key: "AccessKey") -> None:
        """Have the station ``key`` thrown off by the access point that has let it in; lost if that does not take it."""

    def stop() -> None:
        """Idempotent."""


class ISessions(Interface):
    """The sessions that an agent serves, for AAA to act upon (RFC 5176): every session that ``selection`` includes.

    Each outcome fires when what it says has happened, and never fails. Refused: to no session, for whatever reason;
    nothing has changed then. An agent that is several processes answers for all of them.
    """

    def disconnect(selection: "Selection") -> "Deferred[Outcome]":
        """End them: at a MAG de-registrations have been sent then, at an LMA the bindings are gone (AA17).

        Terminate-Cause is Admin-Reset; a node that is still there may be served again after a while.
        """

    def change(selection: "Selection", change: "Change") -> "Deferred[Outcome]":
        """Let ``change`` apply to all of them from now on, or to none (AA16, AA18)."""

    def reauthorize(selection: "Selection", state: bytes) -> "Deferred[Outcome]":
        """Done: AAA is about to be asked about them, with ``state`` (RFC 5176 3.2), while they go on.

        REQUEST_INITIATED is what to answer then; UNSUPPORTED_SERVICE: this agent asks AAA nothing.
        """


class IRadiusClient(Interface):
    """Asks RADIUS servers: which of a group, how often, and when to give up is its business."""

    def ask(
        request: "Request", group: str, pinned: "Endpoint | None" = None, subject: str = "", flow: str = ""
    ) -> "Deferred[RadiusOutcome]":
        """Fires with Answered or Unanswered; never fails, always fires.

        ``group``: one that it was made with, mostly ``AUTHENTICATION`` or ``ACCOUNTING``. ``pinned``: the ``server`` of
        an Answered, if nobody else can answer (State, RFC 2865 5.24); when that one is dead it is Unanswered.
        ``subject``: whom it is about, for observations. ``flow``: whose request it is, such as an access port's: when
        more is asked than servers take, all flows are served alike, and the longest is refused first.
        """

    def servers() -> Sequence[Mapping[str, object]]:
        """What is known of each server, in rows of plain values for operators; without secrets."""

    def stop() -> None:
        """Close sockets; what is outstanding fires with Unanswered. Idempotent."""
