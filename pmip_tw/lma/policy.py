"""What an operator decides about an LMA."""

from collections.abc import Mapping

import attrs

from pmip_tw.addresses import Ipv4
from pmip_tw.mobility.packet_filters import PacketFilter
from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.wire.codes import Code
from pmip_tw.wire.pretunnel import DEFAULT_REPLY_TYPE, DEFAULT_REQUEST_TYPE


@attrs.frozen(slots=True, kw_only=True)
class LmaPolicy:
    """Times in seconds.

    ``address``: the home agent address, ours. ``max_lifetime``: the longest lifetime granted (L6);
    ``nat_max_lifetime``: the same for UDP tunnels (N25). ``timestamp_window``: I6. ``handover_min_interval``: P79.
    ``revoke_on_handover``: P35. ``nat_traversal``, ``forced_udp``: N19; ``allow_relayed_colocated``: D = 1 through a
    foreign agent, without 144 (N18); ``refuse_reserved_144``: 134 for a 144 that is skipped otherwise (N8);
    ``require_protected_extensions``: 134 for what an agent adds where nothing proves that it did.
    ``keepalive_interval``: told in UDP tunnel replies (N38). ``resync_beyond_last``: P33.
    ``strict_reserved_bits``: refuse requests with reserved bits set (H9). ``encapsulations``: what is offered (H11);
    ``gre_key_with_d``: keys also for co-located requesters (T5). ``max_bindings``: of one owner at a time (L3);
    ``by_technology``: each access technology of a NAI is an owner of its own (P23). ``tunnel_broadcast``: the B bit is
    honored (P68, HL4). ``dynamic_home_agent``: who asks for any home agent is served (DY5), or sent on to that of
    ``redirects`` by realm, as ``realm_key`` makes it (DY7), ``drawn_redirects`` in the form that RFC 4433 draws.
    ``explain_refusals``: refusals carry their cause as text. ``require_revocation``: RV3; ``revocation_inform``:
    agree to the I bit (RV5). ``pre_tunnel``: DHCP of nodes without an address is relayed out of tunnels that MAGs ask
    for by messages of ``pre_tunnel_request_type``, answered by ``pre_tunnel_reply_type`` (N48, N56), and that are there
    for ``pre_tunnel_lifetime`` then. ``filters``: by the name that AAA uses (AA25). ``sees_traffic``: the agent
    knows what the packet plane has carried; else there are no idle timeouts.
    """

    address: Ipv4
    max_lifetime: int = 3600
    nat_max_lifetime: int = 600
    timestamp_window: float = 7.0
    handover_min_interval: float = 1.0
    revoke_on_handover: bool = True
    nat_traversal: bool = True
    forced_udp: bool = True
    allow_relayed_colocated: bool = False
    refuse_reserved_144: bool = False
    require_protected_extensions: bool = False
    keepalive_interval: int = 110
    resync_beyond_last: bool = True
    strict_reserved_bits: bool = False
    encapsulations: frozenset[Encapsulation] = frozenset(Encapsulation)
    gre_key_with_d: bool = True
    max_bindings: int = 1
    by_technology: bool = False
    tunnel_broadcast: bool = False
    dynamic_home_agent: bool = False
    redirects: Mapping[bytes, Ipv4] = attrs.field(factory=dict)
    drawn_redirects: bool = True
    explain_refusals: bool = False
    require_revocation: bool = False
    revocation_inform: bool = False
    pre_tunnel: bool = False
    pre_tunnel_request_type: int = DEFAULT_REQUEST_TYPE
    pre_tunnel_reply_type: int = DEFAULT_REPLY_TYPE
    pre_tunnel_lifetime: int = 60
    filters: Mapping[str, PacketFilter] = attrs.field(factory=dict)
    sees_traffic: bool = True

    @property
    def accepting(self) -> Code:
        """The code of every accepting reply: whether simultaneous bindings are supported, whatever was asked (L4)."""
        return Code.ACCEPTED if self.max_bindings > 1 else Code.ACCEPTED_NO_SIMULTANEOUS
