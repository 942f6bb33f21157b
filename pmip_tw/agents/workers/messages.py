"""What worker 0 and the other workers of an LMA say to each other, over one pipe each (docs/decisions/0014)."""

from typing import Any

import attrs
from msgspec import Struct
from msgspec.structs import replace

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.addresses import Endpoint, Ipv4, Mac
from pmip_tw.interfaces import Datagram
from pmip_tw.lma.accounted import Stay
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.lma.workers.leases import Ask, InUse, Lease, Returned, Spare
from pmip_tw.mobility.effects import Install, Remove, Send
from pmip_tw.mobility.tunnels import AnchorEntry, AnchorKey, Tunnel


class Change(Struct, array_like=True):
    """An Install, or the Remove of ``key``."""

    key: AnchorKey | None = None
    entry: AnchorEntry | None = None

    @classmethod
    def of(cls, change: Install | Remove) -> "Change":
        if isinstance(change, Remove):
            assert isinstance(change.key, AnchorKey)
            return cls(key=change.key)
        assert isinstance(change.entry, AnchorEntry)
        return cls(entry=change.entry)

    @property
    def installed(self) -> AnchorEntry:
        """The entry, made anew: what comes out of a pipe has not been through its class."""
        assert self.entry is not None
        tunnel, copies = attrs.evolve(self.entry.tunnel), tuple(map(attrs.evolve, self.entry.copies))
        return replace(self.entry, tunnel=tunnel, copies=copies)


class Passed(Struct, tag="passed", array_like=True):
    """From worker 0: a datagram that the kernel gave it, and that is about a node of yours."""

    datagram: Datagram


class Carry(Struct, tag="carry", array_like=True):
    """To worker 0: make the packet plane hold this; Carried answers, but for ``number`` 0."""

    number: int
    changes: list[Change]


class Carried(Struct, tag="carried", array_like=True):
    """From worker 0: done, or it cannot be: the ``code`` of the refusal, and why."""

    number: int
    code: int = 0
    cause: str = ""

    @classmethod
    def of(cls, number: int, refusal: Refusal | None) -> "Carried":
        return cls(number) if refusal is None else cls(number, refusal.code, refusal.cause)

    @property
    def refusal(self) -> Refusal | None:
        return Refusal(self.code, self.cause) if self.code else None


class Serving(Struct, tag="serving", array_like=True):
    """To worker 0: everything that the journal had is back; what else the plane has of this worker may go."""


class Question(Struct, tag="question", array_like=True):
    """From worker 0: an operator's ``command`` about ``what``; ``number`` is in the Answer."""

    number: int
    command: str
    what: str


class Answer(Struct, tag="answer", array_like=True):
    """To worker 0: ``rows`` of plain values, or why there are none."""

    number: int
    rows: list[dict[str, Any]]
    error: str = ""


class DhcpExpected(Struct, tag="dhcp-expected", array_like=True):
    """To worker 0: an Expect."""

    tunnel: Tunnel
    mac: Mac | None


class DhcpGranted(Struct, tag="dhcp-granted", array_like=True):
    """To worker 0: a Grant."""

    tunnel: Tunnel
    mac: Mac | None
    answer: Send


class DhcpForgotten(Struct, tag="dhcp-forgotten", array_like=True):
    """To worker 0: a Forget."""

    tunnel: Tunnel
    mac: Mac | None


class DhcpDown(Struct, tag="dhcp-down", array_like=True):
    """To worker 0: a SendThrough."""

    tunnel: Tunnel
    packet: bytes


class DhcpToServer(Struct, tag="dhcp-to-server", array_like=True):
    """To worker 0: a ToServer."""

    payload: bytes
    server: Ipv4
    source: Ipv4


class DhcpUp(Struct, tag="dhcp-up", array_like=True):
    """From worker 0: DHCP that came out of a tunnel, of a node that you expect, or perhaps do."""

    tunnel: Tunnel
    packet: bytes


class DhcpAnswered(Struct, tag="dhcp-answered", array_like=True):
    """From worker 0: a server's answer to what you have asked."""

    payload: bytes
    source: Endpoint


class DhcpFromHome(Struct, tag="dhcp-from-home", array_like=True):
    """From worker 0: DHCP to us from a home address that is yours."""

    payload: bytes
    source: Endpoint
    domain: str


class SessionsBack(Struct, tag="sessions-back", array_like=True):
    """To worker 0, if it accounts: some of those who are back after a restart; ``last``: now they are all."""

    stays: list[Stay]
    last: bool = False


class SessionServed(Struct, tag="session-served", array_like=True):
    """To worker 0, if it accounts: the packet plane has the node's entry."""

    stay: Stay


class SessionEnded(Struct, tag="session-ended", array_like=True):
    """To worker 0, if it accounts: the node is served no longer, and why."""

    key: AnchorKey
    terminate_cause: TerminateCause


class DiameterAsked(Struct, tag="diameter-asked", array_like=True):
    """To worker 0: ask AAA; ``octets`` are the request. ``subject``: whom it is about; ``number`` is in the answer."""

    number: int
    octets: bytes
    subject: str


class DiameterAnswered(Struct, tag="diameter-answered", array_like=True):
    """From worker 0: the answer that ``peer`` gave, and whether its ``keys`` may be used; or why there is none."""

    number: int
    octets: bytes = b""
    peer: str = ""
    keys: bool = False
    cause: str = ""

    def __repr__(self) -> str:
        """The octets may be keys."""
        return f"DiameterAnswered({self.number}, {len(self.octets)} octets)"


class DiameterRequested(Struct, tag="diameter-requested", array_like=True):
    """From worker 0: a peer asks something about a node of yours; DiameterResponded answers."""

    number: int
    octets: bytes

    def __repr__(self) -> str:
        """As above."""
        return f"DiameterRequested({self.number}, {len(self.octets)} octets)"


class DiameterResponded(Struct, tag="diameter-responded", array_like=True):
    """To worker 0: the answer to a DiameterRequested; nothing, if there can be none."""

    number: int
    octets: bytes


class Stop(Struct, tag="stop", array_like=True):
    """From worker 0: save and answer what is under way, and end."""


FromWorker0 = (
    Passed
    | Carried
    | Question
    | Stop
    | Lease
    | Spare
    | DhcpUp
    | DhcpAnswered
    | DhcpFromHome
    | DiameterAnswered
    | DiameterRequested
)
DhcpToWorker0 = DhcpExpected | DhcpGranted | DhcpForgotten | DhcpDown | DhcpToServer
SessionToWorker0 = SessionsBack | SessionServed | SessionEnded
DiameterToWorker0 = DiameterAsked | DiameterResponded
ToWorker0 = (
    Carry | Serving | Answer | InUse | Ask | Returned | DhcpToWorker0 | SessionToWorker0 | DiameterToWorker0
)
