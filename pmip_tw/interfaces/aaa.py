"""Authentication, authorization, accounting."""

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from pmip_tw.aaa.dynamic_authorization import Change, Outcome, Selection
    from pmip_tw.aaa.verdicts import Credential, Verdict


class IAuthenticator(Interface):
    """Decides whether a mobile node may be served, and gives its profile."""

    def authenticate(credential: "Credential") -> "Deferred[Verdict]":
        """Fires with Accept, Reject or Unavailable, or Challenge to an EAP response; never fails, always fires."""

    def stop() -> None:
        """Close sockets; what is outstanding fires with Unavailable. Idempotent."""


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
