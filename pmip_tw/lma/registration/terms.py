"""What is the same for all nodes of which a MAG asks in the same words, and held once for all of them."""

from msgspec import Struct
from msgspec.structs import replace

from pmip_tw.addresses import Endpoint, Ipv4, Prefix
from pmip_tw.lma.place import Place
from pmip_tw.lma.session.limits import Limits
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.packet_filters import PacketFilters
from pmip_tw.mobility.tunnels import Broadcasts, Tunnel
from pmip_tw.wire.extension_values import UdpTunnelReply
from pmip_tw.wire.renewal import RenewalForm

NO_BROADCASTS = Broadcasts.NONE


class Terms(Struct, frozen=True, kw_only=True, gc=False):
    """``place``: which MAG asks; ``source``, ``flags``: where the last accepted request came from, its bits; ``form``:
    where in its octets is what renewals change, None if they must be read as a whole; ``lifetime``: seconds granted;
    ``fa_ha``: what proved it and proves its revocation beside, or instead of, the node's association;
    ``revocable``: revocation was agreed upon (RV1), with ``inform`` the I bit as well (RV5); ``peer_timestamp``: what
    the MAG's 137 had, if there is no form to find it by; ``udp_reply``, ``host_configuration``: what the answer says of
    the tunnel and of the home link; ``identifiers``: (sub-type, octets) of 147/1-3 (P12); ``broadcasts`` of the home
    link ``prefix`` go to the node (HL4). ``by_technology``: the last octet of the owner is that (P23).
    ``restored``: a former process decided it, perhaps by another configuration. ``awaited``: of its tunnel only a
    keepalive tells the port (N24). ``filters``: what passes must pass each of them; who has some has terms of its own
    (AA25), as has whom AAA has said ``limits`` about.
    """

    place: Place
    source: Endpoint
    flags: int
    lifetime: int
    tunnel: Tunnel
    form: RenewalForm | None = None
    fa_ha: SecurityAssociation | None = None
    revocable: bool = False
    inform: bool = False
    peer_timestamp: int = 0
    udp_reply: UdpTunnelReply | None = None
    access_technology: int | None = None
    identifiers: tuple[tuple[int, bytes], ...] = ()
    host_configuration: tuple[bytes, ...] = ()
    broadcasts: Broadcasts = NO_BROADCASTS
    prefix: Prefix | None = None
    by_technology: bool = False
    restored: bool = False
    awaited: bool = False
    filters: PacketFilters = ()
    limits: Limits | None = None

    @property
    def care_of_address(self) -> Ipv4:
        return self.place.care_of_address

    def without_form(self, peer_timestamp: int) -> "Terms":
        """Of a binding that has others beside it: its renewals are read as a whole."""
        return self if self.form is None else replace(self, form=None, peer_timestamp=peer_timestamp)
