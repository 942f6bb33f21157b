"""Diameter: what is asked of peers, and what they ask."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from pmip_tw.aaa.diameter.node import Outcome
    from pmip_tw.wire.diameter.message import Message


class IDiameterClient(Interface):
    """Asks Diameter peers: to whom a request goes, and whether it goes there again, is its business."""

    identity = Attribute("Identity: who we are")

    def new_session_id() -> str:
        """A Session-Id that nothing had before."""

    def ask(request: "Message", subject: str = "") -> "Deferred[Outcome]":
        """Fires with Answered or Unanswered; never fails, always fires.

        ``request``: complete but for its identifiers. ``subject``: whom it is about, for observations.
        """

    def serve(command: int, carry_out: "Callable[[Message], Deferred[Message]]") -> None:
        """What others ask of us by ``command`` is carried out by that, which gives the answer and never fails."""

    def peers() -> Sequence[Mapping[str, object]]:
        """What is known of each peer, in rows of plain values for operators; none where another process has them."""

    def start() -> None:
        """Connect to all peers; those that are not there are tried again for ever."""

    def stop() -> "Deferred[None]":
        """Say goodbye; what is outstanding fires with Unanswered. Idempotent."""
