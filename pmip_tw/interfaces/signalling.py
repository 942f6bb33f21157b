"""UDP port 434, and the address of ours that it is sent from."""

from collections.abc import Collection, Sequence

import attrs
from msgspec import Struct
from zope.interface import Attribute, Interface

from pmip_tw.addresses import Endpoint, Ipv4


class Datagram(Struct, frozen=True, gc=False):
    """A datagram of UDP port 434 as it arrived: from ``source`` to our address ``local``."""

    payload: bytes
    source: Endpoint
    local: Ipv4


@attrs.frozen(slots=True)
class Unreachable:
    """ICMP says that ``peer`` cannot be reached; ``code`` as in RFC 792 (3 = nothing listens on that port).

    ICMP is easily forged: it explains, it never removes state.
    """

    peer: Endpoint
    code: int


class ISignallingReceiver(Interface):
    """Whoever is told about signalling datagrams."""

    def datagrams_received(batch: Sequence[Datagram]) -> None:
        """Datagrams, of each source in order of arrival; every one is for us, none is tunnel data (type 4)."""

    def peer_unreachable(report: Unreachable) -> None:
        """ICMP about something that we sent."""


class ITunnelDataReceiver(Interface):
    """Whoever takes RFC 3519 tunnel data (message type 4) that shares port 434 with the signalling."""

    def tunnel_data_received(batch: Sequence[Datagram]) -> None:
        """Datagrams whose first octet is 4."""


class ISignalling(Interface):
    """UDP port 434, on each of our own addresses."""

    addresses = Attribute("tuple of Ipv4: the local addresses it is bound to")

    def start(receiver: "ISignallingReceiver", tunnel_data: "ITunnelDataReceiver | None") -> None:
        """Bind and begin to deliver. PmipError says which address could not be bound and why."""

    def send(payload: bytes, destination: Endpoint, source: Ipv4, tos: int = 0) -> int:
        """Send from port 434 of ``source``, one of ``addresses``; 0, or the error number if it did not get away.
        ``tos``: the type of service in its header.

        It is lost then, as in a network: so is what a full socket buffer does not take. Once stopped nothing is sent:
        an answer that comes late finds nobody to send it.
        """

    def send_all(messages: Sequence[tuple[bytes, Endpoint]], source: Ipv4) -> None:
        """As ``send``, of many at once, none of them empty, each with its destination: those to one peer are cheaper.

        Two of different sizes may overtake each other.
        """

    def authenticated(sources: Collection[Endpoint]) -> None:
        """What came from ``sources`` was authentic, each named once for each datagram.

        When more arrives than can be handled, theirs is handled first.
        """

    def drops() -> dict[str, int]:
        """Datagrams that arrived since start and were not delivered, by reason."""

    def use_address(old: Ipv4, new: Ipv4) -> None:
        """Bind ``new`` in the place of ``old`` (P82). PmipError: it cannot be bound; nothing has changed then.

        What is still sent from ``old`` is lost, as on a network that no longer has it.
        """

    def stop() -> None:
        """Unbind. Idempotent."""


class IUplinkReceiver(Interface):
    """Whoever is told about a change of this machine's own address."""

    def uplink_changed(address: Ipv4 | None) -> None:
        """The address is another one now, or there is none."""


class IUplink(Interface):
    """The interface towards the core network, whose address may change: a lease, a new provider (P82)."""

    def address() -> Ipv4 | None:
        """Its IPv4 address at this moment; of several the first, the primary one."""

    def start(receiver: "IUplinkReceiver") -> None:
        """Begin to tell changes of ``address``. PmipError: there is no such interface."""

    def stop() -> None:
        """Idempotent."""


class IIpsecPolicies(Interface):
    """What the kernel demands of signalling before a socket hears of it."""

    def requires_esp(peer: Ipv4, local: Ipv4) -> bool:
        """Whether UDP 434 of ``local`` is reached from ``peer`` through ESP only (P74).

        PmipError: the policies cannot be read, and why.
        """
