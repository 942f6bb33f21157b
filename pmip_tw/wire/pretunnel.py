"""Pre UDP Tunnel Request and Reply (draft-lai-mip4-proxy-nat-traversal-00 3.4): a tunnel for DHCP, no address yet.

Both lie as a registration does: 20 octets, then its extensions in their order, authenticators included. No message
type is assigned to them, so that both ends are told which to use (N56).
"""

from collections.abc import Iterable
from struct import Struct

from pmip_tw.addresses import Ipv4, Mac
from pmip_tw.errors import Malformed, Truncated
from pmip_tw.wire.authentication import Signs
from pmip_tw.wire.extension_fields import ExtensionFields
from pmip_tw.wire.extension_reading import read_extensions
from pmip_tw.wire.extension_writing import write_message
from pmip_tw.wire.rare_extensions import IN_DRAFT03_REQUEST, IN_REPLY, IN_REQUEST

DEFAULT_REQUEST_TYPE = 250
DEFAULT_REPLY_TYPE = 251

PRE_TUNNEL_REQUEST_HEADER = Struct("!B3xIIQ")
_REPLY_HEADER = Struct("!BxxBIIQ")

_ETHERNET_DEVICE = (2, b"\1")
"""Sub-type of 147 and ID-Type of an Ethernet address (RFC 5563 5.3)."""

_ETHERNET_DEVICE_SIZE = 7


def ethernet_device(mac: Mac) -> tuple[int, bytes]:
    """What of ``identifiers`` names the node by its Ethernet address."""
    subtype, id_type = _ETHERNET_DEVICE
    return subtype, id_type + mac


def mac_in(identifiers: Iterable[tuple[int, bytes]]) -> Mac | None:
    """The first Ethernet address of a device among what is in 147/1-3."""
    for subtype, data in identifiers:
        if (subtype, data[:1]) == _ETHERNET_DEVICE and len(data) == _ETHERNET_DEVICE_SIZE:
            return Mac(data[1:])
    return None


class PreTunnelRequest(ExtensionFields):
    """``care_of_address``: the MAG's own, which a NAT does not change (N15).

    ``identification``: 64-bit NTP timestamp, of the same order as those of the node's registrations (N50).
    """

    home_agent: Ipv4
    care_of_address: Ipv4
    identification: int

    @property
    def mac(self) -> Mac | None:
        """Whose DHCP it is for: the first device identifier (147/2) that is an Ethernet address (N51)."""
        return mac_in(self.identifiers)

    @classmethod
    def decode(
        cls, datagram: bytes, message_type: int = DEFAULT_REQUEST_TYPE, *, draft03: bool = False
    ) -> "PreTunnelRequest":
        """Any octets give a value or a WireError."""
        if len(datagram) < PRE_TUNNEL_REQUEST_HEADER.size:
            raise Truncated(f"pre-tunnel request of {len(datagram)} octets", len(datagram))
        kind, agent, care_of, identification = PRE_TUNNEL_REQUEST_HEADER.unpack_from(datagram)
        if kind != message_type:
            raise Malformed(f"message type {kind} is no pre-tunnel request")
        request = cls(
            home_agent=agent, care_of_address=care_of, identification=identification, draft03=draft03
        )
        readers = IN_DRAFT03_REQUEST if draft03 else IN_REQUEST
        read_extensions(request, datagram, PRE_TUNNEL_REQUEST_HEADER.size, readers)
        return request

    def encode(
        self,
        message_type: int = DEFAULT_REQUEST_TYPE,
        *,
        mn_ha: Signs | None = None,
        mn_aaa: Signs | None = None,
        fa_ha: Signs | None = None,
    ) -> bytes:
        """The datagram, authenticated with the associations given; without them, with the authenticators it holds."""
        fixed = PRE_TUNNEL_REQUEST_HEADER.pack(
            message_type, self.home_agent, self.care_of_address, self.identification
        )
        return write_message(fixed, self, mn_ha=mn_ha, mn_aaa=mn_aaa, fa_ha=fa_ha)


class PreTunnelReply(ExtensionFields):
    """``status``: 0, or the code with which a registration would be refused.

    ``care_of_address``: where the request came from, which is the MAG's public address behind a NAT (N57).
    """

    status: int
    home_agent: Ipv4
    care_of_address: Ipv4
    identification: int

    @property
    def code(self) -> int:
        """``status``, by the name that it has in a registration's reply."""
        return self.status

    @classmethod
    def decode(cls, datagram: bytes, message_type: int = DEFAULT_REPLY_TYPE) -> "PreTunnelReply":
        """Any octets give a value or a WireError."""
        if len(datagram) < _REPLY_HEADER.size:
            raise Truncated(f"pre-tunnel reply of {len(datagram)} octets", len(datagram))
        kind, status, agent, care_of, identification = _REPLY_HEADER.unpack_from(datagram)
        if kind != message_type:
            raise Malformed(f"message type {kind} is no pre-tunnel reply")
        reply = cls(status=status, home_agent=agent, care_of_address=care_of, identification=identification)
        read_extensions(reply, datagram, _REPLY_HEADER.size, IN_REPLY)
        return reply

    def encode(
        self,
        message_type: int = DEFAULT_REPLY_TYPE,
        *,
        mn_ha: Signs | None = None,
        fa_ha: Signs | None = None,
    ) -> bytes:
        """The datagram, authenticated with the associations given; without them, with the authenticators it holds."""
        fixed = _REPLY_HEADER.pack(
            message_type, self.status, self.home_agent, self.care_of_address, self.identification
        )
        return write_message(fixed, self, mn_ha=mn_ha, mn_aaa=None, fa_ha=fa_ha)
