"""The kinds of values that the settings of several roles use.

All durations are seconds. Nothing here looks at the machine: an interface need not exist to be named.
"""

from typing import Annotated, Literal

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
from pmip_tw.mobility.associations import MINIMUM_SPI
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
