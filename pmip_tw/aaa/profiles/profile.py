"""What AAA says about a mobile node, whatever protocol it said it in."""

import attrs

from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.mn_aaa import AaaAssociation
from pmip_tw.secret import Secret


@attrs.frozen(slots=True)
class RootKey:
    """A key from which others are derived, such as FA-RK, and the SPI that names it."""

    spi: int
    key: Secret


@attrs.frozen(slots=True, kw_only=True)
class Profile:
    """One authorized mobile node. RADIUS, Diameter and the local user file are mapped onto it.

    ``nai``: the identity to register (P2). ``lmas``: its LMAs in the order of preference (P81), none when the MAG
    chooses. ``mn_ha``: the node's own association, None where the MAG's protects its registrations (P72).
    ``mn_aaa``: with which it proves itself to AAA as well, if it does (RFC 4721 5). ``fa_rk``: WiMAX's, if given.
    ``home_address``: 0 when the LMA assigns it. ``framed_pool``: the pool of addresses that AAA names, for DHCP servers
    to know (RFC 4014), empty if none. ``dhcp_server``, ``name_servers``: for the node, 0 and empty if AAA names none.

    Seconds, 0 = AAA has said nothing: ``lifetime`` of registrations to ask for, ``session_timeout``, ``idle_timeout``,
    ``interim_interval`` of accounting. ``reauthenticate``: the end of ``session_timeout`` asks AAA anew instead of
    ending the session (Termination-Action, RFC 2865 5.29). ``filter_ids``: names of filters (AA25), in order.

    For accounting, in the octets that AAA used, empty if it gave none: ``classes`` (RADIUS Class, all in order),
    ``chargeable_identity`` (RFC 4372), ``aaa_session_id`` (WiMAX), ``correlation_id`` (3GPP2).

    ``ignored``: what there was besides that cannot be used and is not needed, and why, for whoever reads traces.
    """

    nai: str
    lmas: tuple[Ipv4, ...] = ()
    mn_ha: SecurityAssociation | None = None
    mn_aaa: AaaAssociation | None = None
    fa_rk: RootKey | None = None
    home_address: Ipv4 = UNSPECIFIED
    framed_pool: bytes = b""
    dhcp_server: Ipv4 = UNSPECIFIED
    name_servers: tuple[Ipv4, ...] = ()
    lifetime: int = 0
    session_timeout: int = 0
    idle_timeout: int = 0
    interim_interval: int = 0
    reauthenticate: bool = False
    filter_ids: tuple[str, ...] = ()
    classes: tuple[bytes, ...] = ()
    chargeable_identity: bytes = b""
    aaa_session_id: bytes = b""
    correlation_id: bytes = b""
    ignored: str = ""
