"""Who we are towards RADIUS servers, and how the places where mobile nodes appear are named there."""

import attrs

from pmip_tw.addresses import UNSPECIFIED, Ipv4, Mac, mac_text
from pmip_tw.wire.radius import MAXIMUM_VALUE_SIZE, Attribute, AttributeType, address, text


@attrs.frozen(slots=True, kw_only=True)
class Nas:
    """The client of the servers, a MAG or an LMA; what is "" or 0 is not said. ValueError: the name is too long."""

    identifier: str = ""
    address: Ipv4 = UNSPECIFIED

    def __attrs_post_init__(self) -> None:
        if len(self.identifier.encode()) > MAXIMUM_VALUE_SIZE:
            raise ValueError(f"the NAS-Identifier has more than {MAXIMUM_VALUE_SIZE} octets")

    def at(self, address: Ipv4) -> "Nas":
        """The same when its address is this one (P82)."""
        return self if address == self.address else attrs.evolve(self, address=address)

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """NAS-Identifier and NAS-IP-Address, of which every request has one (RFC 2865 4.1)."""
        found: list[Attribute] = []
        if self.identifier:
            found.append(text(AttributeType.NAS_IDENTIFIER, self.identifier))
        if self.address:
            found.append(address(AttributeType.NAS_IP_ADDRESS, self.address))
        return tuple(found)


def calling_station(mac: Mac) -> Attribute:
    """Calling-Station-Id as RFC 3580 3.21 has it: upper case with dashes."""
    return text(AttributeType.CALLING_STATION_ID, mac_text(mac, "-").upper())


def port_name(port: str) -> Attribute:
    """NAS-Port-Id: the name of the access interface."""
    return text(AttributeType.NAS_PORT_ID, port)
