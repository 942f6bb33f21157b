"""Authentication, authorization, accounting."""

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from pmip_tw.aaa.verdicts import Credential, Verdict


class IAuthenticator(Interface):
    """Decides whether a mobile node may be served, and gives its profile."""

    def authenticate(credential: "Credential") -> "Deferred[Verdict]":
        """Fires with Accept, Reject or Unavailable, or Challenge to an EAP response; never fails, always fires."""

    def stop() -> None:
        """Close sockets; what is outstanding fires with Unavailable. Idempotent."""
