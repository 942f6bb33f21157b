"""What an operator decides about relaying DHCP, and what the relay is told of the place where a client is."""

from collections.abc import Hashable
from enum import StrEnum
from typing import Final

import attrs

from pmip_tw.addresses import UNSPECIFIED, Ipv4

ETHERNET_MTU: Final = 1500


class Fact(StrEnum):
    """What option 82 may tell servers, each by itself (D1); the names are those of the settings."""

    CIRCUIT_ID = "circuit-id"
    REMOTE_ID = "remote-id"
    SUBSCRIBER_ID = "subscriber-id"
    LINK_SELECTION = "link-selection"
    SERVER_IDENTIFIER_OVERRIDE = "server-id-override"
    """And the flags, without which a server could not tell a renewal by unicast from a broadcast (D14)."""
    RADIUS = "radius"


class Spread(StrEnum):
    """Which servers get the messages of a client: the same ones for all of its messages (D5)."""

    ALL = "all"
    HASH = "hash"
    """One, by the client's MAC."""


@attrs.frozen(slots=True, kw_only=True)
class RelayPolicy:
    """``giaddr``: our address, to which servers answer, for circuits that have none of their own (D4); 0 where that is
    the address that the role has anyway.

    ``max_hops``: relays before us that are too many are one more (D3). ``max_size``: octets of an IP packet towards
    the servers; option 82 is left out of what would become longer (D8). ``subnet_selection``: option 118 names the
    circuit's subnet, unless link selection does (D13, D17). ``client_subnet_selection``: a client may name one itself.
    """

    servers: tuple[Ipv4, ...]
    giaddr: Ipv4 = UNSPECIFIED
    spread: Spread = Spread.ALL
    option_82: frozenset[Fact] = frozenset()
    max_hops: int = 4
    max_size: int = ETHERNET_MTU
    subnet_selection: bool = False
    client_subnet_selection: bool = False


@attrs.frozen(slots=True, kw_only=True)
class Circuit:
    """Where a client's message came from.

    ``port``: by which the one who asks knows the circuit; nobody else looks at it, and it comes back with the answer.
    ``circuit_id``, ``remote_id``, ``subscriber_id``: sub-options 1, 2, 6; those that are empty are not sent, but the
    client's MAC stands for an empty ``remote_id`` (D12). ``radius``: (type, value) of the attributes of an
    Access-Accept (D16). ``subnet``: of which the client is to get an address, 0: the servers choose. ``giaddr``: for
    this circuit, 0: the policy's. ``unicast``: the message was not broadcast (D14). ``trusted``: what adds option 82
    there is to be believed (D7). ``server``: the one to be asked for this client (AA9), 0: those of the policy.
    """

    port: Hashable = ""
    circuit_id: bytes = b""
    remote_id: bytes = b""
    subscriber_id: bytes = b""
    radius: tuple[tuple[int, bytes], ...] = ()
    subnet: Ipv4 = UNSPECIFIED
    giaddr: Ipv4 = UNSPECIFIED
    unicast: bool = False
    trusted: bool = False
    server: Ipv4 = UNSPECIFIED
