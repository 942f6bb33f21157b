"""DHCP towards servers, and towards the clients of a relay."""

from collections.abc import Sequence

from zope.interface import Interface

from pmip_tw.addresses import Ipv4, Mac
from pmip_tw.interfaces.signalling import Datagram


class IDhcpReceiver(Interface):
    """Whoever is told what DHCP servers answer."""

    def dhcp_received(batch: Sequence[Datagram]) -> None:
        """Datagrams in order of arrival, from anybody."""


class IDhcpSocket(Interface):
    """UDP port 67 of one of our own addresses, which is the relay's address for DHCP servers (RFC 1542 4.1)."""

    def start(receiver: "IDhcpReceiver") -> None:
        """Bind and begin to deliver. PmipError says why the address could not be bound."""

    def use_address(address: Ipv4) -> None:
        """Be bound to ``address`` from now on (P82). PmipError: it cannot be, and all is as before."""

    def send(payload: bytes, server: Ipv4) -> None:
        """Send to port 67 of ``server``; lost if it cannot be, and once stopped."""

    def stop() -> None:
        """Unbind. Idempotent."""


class IClientLinksReceiver(Interface):
    """Whoever is told what DHCP clients broadcast."""

    def client_packets_received(link: str, packets: Sequence[bytes]) -> None:
        """IPv4 packets in order of arrival, of at least everything that was sent there to UDP port 67."""


class IClientLinks(Interface):
    """The links of a DHCP relay's clients: stations that have no address yet, and cannot be asked for one by ARP."""

    def start(receiver: "IClientLinksReceiver") -> None:
        """Begin to deliver. PmipError says which link cannot be used and why."""

    def send(link: str, packet: bytes, destination: Mac) -> None:
        """Send a whole IPv4 packet to one station, or to all; lost if it cannot be, and once stopped."""

    def drops() -> dict[str, int]:
        """Packets that were lost since start, by reason."""

    def stop() -> None:
        """Idempotent."""
