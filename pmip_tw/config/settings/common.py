"""The kinds of values that the settings of several roles use.

All durations are seconds. Nothing here looks at the machine: an interface need not exist to be named.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import attrs

from pmip_tw.addresses import Ipv4, Mac
from pmip_tw.config.limits import (
    Emsk,
    Host,
    Identity,
    InterfaceName,
    JournalPath,
    Key,
    Nai,
    SocketPath,
    Station,
    Within,
)
from pmip_tw.mobility.associations import MINIMUM_SPI, SecurityAssociation
from pmip_tw.secret import Secret

INFINITE_LIFETIME = 65535
"""In a registration this means "for ever"; it cannot be asked for or granted here (RFC 5944 3.3)."""


Lifetime = Annotated[int, Within(1, INFINITE_LIFETIME - 1)]
Spi = Annotated[int, Within(MINIMUM_SPI, 0xFFFFFFFF)]
Port = Annotated[int, Within(1, 65535)]
Seconds = Annotated[float, Within(0, 86_400)]
Name = Annotated[str, Identity()]
Interface = Annotated[str, InterfaceName()]
Control = Annotated[str, SocketPath()]
Journal = Annotated[str, JournalPath()]
MobileNodeNai = Annotated[str, Nai()]
MobileNodeMac = Annotated[Mac, Station()]
HostAddress = Annotated[Ipv4, Host()]
MobileNodeKey = Annotated[Secret, Key()]
MobileNodeEmsk = Annotated[Secret, Emsk()]

MessageTypeNumber = Annotated[int, Within(28, 254)]
"""Of a message of port 434 to which no number is assigned (N56)."""

Authentication = Literal["per-mn", "fa-ha", "ipsec"]
EncapsulationName = Literal["ip-in-ip", "gre", "minimal"]


Associations = SecurityAssociation | tuple[SecurityAssociation, ...]
"""Of one mobile node. There may be a million of them, and nearly all have one."""


def associations_of(
    associations: Mapping[bytes, Associations], nai: bytes
) -> tuple[SecurityAssociation, ...]:
    """All that ``nai`` has."""
    found = associations.get(nai, ())
    return (found,) if isinstance(found, SecurityAssociation) else found


@attrs.frozen(slots=True, kw_only=True)
class NodeFile:
    """The file that ``[lma] mobile_nodes_file`` names, found beside the LMA's file, and what is in it.

    ``associations``: by NAI, as it stands in a message; ``home_addresses``: of those who have a fixed one.
    """

    path: Path
    associations: Mapping[bytes, Associations] = attrs.field(factory=dict, repr=False)
    home_addresses: Mapping[str, Ipv4] = attrs.field(factory=dict, repr=False)
