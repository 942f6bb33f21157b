"""One question, from the moment when it is asked until it is answered or given up."""

from typing import TYPE_CHECKING

from pmip_tw.addresses import Endpoint
from pmip_tw.wire.radius import AttributeType, Request

if TYPE_CHECKING:
    from pmip_tw.aaa.radius.server import Server

_PROXY_STATE = AttributeType.PROXY_STATE.value

LIKELY = "the server is down, or drops requests of an unknown client or with a wrong shared secret"
"""Why a server says nothing."""

JITTER = 0.1
"""Times vary by a tenth either way (RFC 5080 2.2.1)."""


class Exchange:
    """``number``: 0 for a probe of ours, of which nobody is told.

    With ``server``: it is asked, by ``datagram``, since ``asked_at``; ``tried``: who was asked before, with ``causes``.
    ``due``: the monotonic instant at which something is to happen to it; None when it is over.
    """

    __slots__ = (
        "asked_at", "authenticator", "causes", "complaint", "complaints", "datagram", "due", "flow", "group", "limit",
        "number", "pinned", "request", "server", "slot", "started", "subject", "tried", "tries", "unreachable",
        "unsent", "wait",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        request: Request,
        group: str,
        *,
        started: float,
        pinned: Endpoint | None = None,
        subject: str = "",
        flow: str = "",
    ) -> None:
        self.number = number
        self.request = request
        self.group = group
        self.pinned = pinned
        self.subject = subject
        self.flow = flow
        self.started = started
        self.due: float | None = None
        self.server: Server | None = None
        self.tried: tuple[Server, ...] = ()
        self.causes: tuple[str, ...] = ()
        self.slot = 0
        self.datagram = self.authenticator = b""
        self.limit = self.tries = 0
        self.wait = self.asked_at = 0.0
        self.complaint = self.unreachable = ""
        self.complaints = 0
        self.unsent = False
        """Whether it waits for a connection to its server."""

    @property
    def is_probe(self) -> bool:
        return self.number == 0

    @property
    def proxy_states(self) -> tuple[bytes, ...]:
        return tuple(value for kind, value in self.request.attributes.pairs if kind == _PROXY_STATE)

    def complain(self, cause: str) -> None:
        """Something came as if from ``server``, and is no answer."""
        self.complaint, self.complaints = cause, self.complaints + 1

    def cause(self, otherwise: str = "") -> str:
        """Why ``server`` gave no usable answer, as far as is known. ``otherwise``: what silence means.

        It is silent that is asked again and again, and heard but once: that may have been anybody.
        """
        if 2 * self.complaints >= max(self.tries, 1):
            return self.complaint
        if self.unreachable:
            return self.unreachable
        packets = f"{self.tries} {'try' if self.tries == 1 else 'tries'}"
        silent = otherwise or f"no answer in {packets} - {LIKELY}"
        return (
            f"{silent}; what came besides, perhaps of somebody else: {self.complaint}"
            if self.complaint
            else silent
        )
