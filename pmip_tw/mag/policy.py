"""What an operator decides about a MAG."""

from collections.abc import Mapping

import attrs

from pmip_tw.addresses import UNSPECIFIED, Ipv4, Mac
from pmip_tw.dhcp.configuration import HomeConfiguration
from pmip_tw.dhcp.relaying import RelayPolicy
from pmip_tw.mag.authentication.access_policy import AccessPolicy
from pmip_tw.mag.registration.protection import LmaAssociation
from pmip_tw.mobility.packet_filters import PacketFilter
from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.wire.pretunnel import DEFAULT_REPLY_TYPE, DEFAULT_REQUEST_TYPE

COMMON_GATEWAY_MAC = Mac(bytes.fromhex("02005e504d49"))
"""What every MAG calls itself on its access links, so that a move leaves the ARP caches true (P55)."""


@attrs.frozen(slots=True, kw_only=True)
class MagPolicy:
    """Times in seconds.

    Towards the LMAs. ``address``: the care-of address, ours, at the start. ``lifetime``: asked for. ``colocated``: the
    D bit (P8). ``unknown_home_address``: what asks for any, 0 or all ones (P5). ``nat_traversal``: "auto", "force" or
    "off" (N1). ``encapsulation``: asked for. ``gre_key``: "none", "lma" or "own" (T5); ``gre_key_with_d``: with the D
    bit as well. ``send_identifiers``: 147/1-2 (P12). ``host_configuration``: ask the LMA what DHCP is to say (P70).
    ``tunnel_broadcast``: P68. ``associations``: ours, with LMAs (P72).

    Which LMA. ``default_lmas``: for nodes to which AAA gives none; ``dynamic_home_agent``: the first that answers
    is asked which one to use (RFC 4433). ``pmip_backoff``: how long nothing is asked for after a refusal with 149 or
    150 (P16). ``liveness``: echoes through tunnels that need no keepalives, ``liveness_interval`` after the last answer
    (P81). ``keepalive_interval``: in UDP tunnels, where the LMA leaves it to us (N38); ``keepalive_scope``: one for a
    "tunnel" or for each "binding" (N42). ``behind_nat``: nothing but UDP tunnels can work (N9).

    Nodes. ``access``: how they are authenticated. ``attach_probe_max_age``: P15. ``reject_hold``,
    ``max_authentications``: P83. ``duplicate_mac``: "refuse" or "move" (AA24). ``home_links``: what DHCP says, by
    prefix. ``on_revoke``: "none", "dhcp_nak" or "l2_disconnect", how a node is told that the LMA wants it told (RV40).
    ``require_revocation``: RV3.
    ``dhcp``: "server" (P60), "independent" (P62), "ack-trigger" (P63), "relay" (P61), "tunnel" (P64). For those that
    relay ``dhcp_relay``, and ``dhcp_subnet``, in which servers are to find addresses, 0: wherever they like;
    ``identity``: the MAG's name, in circuit ids (D12); ``follow_dhcp``: a server's word on the address counts before
    that of the LMA (D28). ``pre_tunnel_request_type``, ``pre_tunnel_reply_type``: numbers of messages, as agreed upon
    with the LMAs (N56). ``ack_hold``: how long an ACK waits for its registration (N54). ``filters``: by the name that
    AAA uses; a name without one is a reject, unless ``ignores_unknown_filters`` (AA25).
    """

    address: Ipv4
    gateway_mac: Mac
    lifetime: int = 1800
    colocated: bool = True
    unknown_home_address: Ipv4 = UNSPECIFIED
    nat_traversal: str = "auto"
    encapsulation: Encapsulation = Encapsulation.IP_IN_IP
    gre_key: str = "none"
    gre_key_with_d: bool = False
    send_identifiers: bool = False
    host_configuration: bool = False
    tunnel_broadcast: bool = False
    associations: tuple[LmaAssociation, ...] = ()
    default_lmas: tuple[Ipv4, ...] = ()
    dynamic_home_agent: bool = False
    pmip_backoff: float = 600.0
    liveness: bool = False
    liveness_interval: float = 30.0
    keepalive_interval: float = 110.0
    keepalive_scope: str = "tunnel"
    behind_nat: bool = False
    access: AccessPolicy = attrs.field(factory=AccessPolicy)
    attach_probe_max_age: float = 30.0
    reject_hold: float = 30.0
    max_authentications: int = 256
    duplicate_mac: str = "refuse"
    home_links: tuple[HomeConfiguration, ...] = ()
    on_revoke: str = "none"
    require_revocation: bool = False
    dhcp: str = "server"
    identity: str = "mag"
    dhcp_relay: RelayPolicy | None = None
    dhcp_subnet: Ipv4 = UNSPECIFIED
    ack_hold: float = 3.0
    follow_dhcp: bool = True
    pre_tunnel_request_type: int = DEFAULT_REQUEST_TYPE
    pre_tunnel_reply_type: int = DEFAULT_REPLY_TYPE
    filters: Mapping[str, PacketFilter] = attrs.field(factory=dict)
    ignores_unknown_filters: bool = False
