"""MAC authentication (AA24): what is asked when a node's Ethernet address is all that is known of it."""

from enum import Enum

from pmip_tw.aaa.nas import Nas, calling_station, port_name
from pmip_tw.addresses import Mac
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import CALL_CHECK, ETHERNET, Attributes, AttributeType, Request, number, text


class MacFormat(Enum):
    """How a MAC is written as User-Name and password (AA24); values are the words of the configuration."""

    DASHES = "aa-bb-cc-dd-ee-ff"
    COLONS = "aa:bb:cc:dd:ee:ff"
    PLAIN = "aabbccddeeff"
    UPPER_DASHES = "AA-BB-CC-DD-EE-FF"

    def write(self, mac: Mac) -> str:
        if self is MacFormat.PLAIN:
            return mac.hex()
        if self is MacFormat.COLONS:
            return mac.hex(":")
        written = mac.hex("-")
        return written.upper() if self is MacFormat.UPPER_DASHES else written


def mac_request(mac: Mac, port: str, nas: Nas, mac_format: MacFormat = MacFormat.DASHES) -> Request:
    """Call-Check with the MAC as name and password: may the node that appeared on ``port`` be served?"""
    name = mac_format.write(mac)
    attributes = (
        text(AttributeType.USER_NAME, name),
        number(AttributeType.SERVICE_TYPE, CALL_CHECK),
        calling_station(mac),
        *nas.attributes,
        number(AttributeType.NAS_PORT_TYPE, ETHERNET),
        port_name(port),
    )
    return Request(attributes=Attributes(attributes), password=Secret(name.encode()))
