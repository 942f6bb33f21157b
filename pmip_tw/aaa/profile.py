"""What AAA says about a mobile node, whatever protocol it said it in."""

import attrs

from pmip_tw.addresses import Ipv4, Mac
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.mn_aaa import AaaAssociation


@attrs.frozen(slots=True, kw_only=True)
class Profile:
    """One authorized mobile node. RADIUS 3GPP2 attributes and the local user file are mapped onto it.

    ``nai``: the identity to register (P2). ``lmas``: its LMAs in the order of preference (P81), none when the MAG
    chooses. ``mn_ha``: the node's own association, None where the MAG's protects its registrations (P72).
    ``mn_aaa``: with which it proves itself to AAA as well, if it does (RFC 4721 5).
    ``home_address``: 0 when the LMA assigns it. ``session_timeout``: seconds, 0 = none.
    ``attributes_class``: RADIUS Class octets to echo in accounting, "" if none. ``framed_pool``: the pool of addresses
    that AAA names, for DHCP servers to know (RFC 4014), "" if none.
    """

    nai: str
    lmas: tuple[Ipv4, ...] = ()
    mn_ha: SecurityAssociation | None = None
    mn_aaa: AaaAssociation | None = None
    home_address: Ipv4 = Ipv4(0)
    session_timeout: int = 0
    attributes_class: bytes = b""
    framed_pool: bytes = b""


@attrs.frozen(slots=True, kw_only=True)
class MacCredential:
    """MAC authentication (AA24): all that the network knows is the node's Ethernet address and where it appeared."""

    mac: Mac
    port: str


@attrs.frozen(slots=True)
class Accept:
    """The mobile node may be served."""

    profile: Profile


@attrs.frozen(slots=True)
class Reject:
    """AAA refused; ``cause`` in words for a person."""

    cause: str


@attrs.frozen(slots=True)
class Unavailable:
    """No server gave a usable answer; ``cause`` names each server and what is wrong with it."""

    cause: str


Verdict = Accept | Reject | Unavailable
