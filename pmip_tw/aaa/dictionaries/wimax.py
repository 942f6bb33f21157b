"""Attributes of the WiMAX Forum (vendor 24757) that we read or write: see ``wire/wimax.py`` for long values."""

from pmip_tw.aaa.dictionaries.dictionary import Dictionary, Kind
from pmip_tw.wire.wimax import VENDOR_WIMAX

WIMAX = Dictionary(VENDOR_WIMAX, "WiMAX-")

AAA_SESSION_ID = WIMAX.define(4, "AAA-Session-Id", Kind.OCTETS)
HHA_IP_MIP4 = WIMAX.define(6, "hHA-IP-MIP4", Kind.ADDRESS)
DHCPV4_SERVER = WIMAX.define(8, "DHCPv4-Server", Kind.EITHER_ADDRESS)
MN_HHA_MIP4_KEY = WIMAX.define(10, "MN-hHA-MIP4-Key", Kind.OCTETS, hidden=True)
MN_HHA_MIP4_SPI = WIMAX.define(11, "MN-hHA-MIP4-SPI", Kind.NUMBER)
FA_RK_KEY = WIMAX.define(14, "FA-RK-Key", Kind.OCTETS, hidden=True)
HA_RK_KEY = WIMAX.define(15, "HA-RK-Key", Kind.OCTETS, hidden=True)
HA_RK_SPI = WIMAX.define(16, "HA-RK-SPI", Kind.NUMBER)
HA_RK_LIFETIME = WIMAX.define(17, "HA-RK-Lifetime", Kind.NUMBER)
RRQ_HA_IP = WIMAX.define(18, "RRQ-HA-IP", Kind.EITHER_ADDRESS)
RRQ_MN_HA_KEY = WIMAX.define(19, "RRQ-MN-HA-Key", Kind.OCTETS, hidden=True)
RRQ_MN_HA_SPI = WIMAX.define(20, "RRQ-MN-HA-SPI", Kind.NUMBER)
SESSION_CONTINUE = WIMAX.define(21, "Session-Continue", Kind.NUMBER)
BEGINNING_OF_SESSION = WIMAX.define(22, "Beginning-Of-Session", Kind.NUMBER)
IP_TECHNOLOGY = WIMAX.define(23, "IP-Technology", Kind.NUMBER)
DHCP_MSG_SERVER_IP = WIMAX.define(43, "DHCP-Msg-Server-IP", Kind.ADDRESS)
ACCT_INPUT_PACKETS_GIGAWORD = WIMAX.define(48, "Acct-Input-Packets-Gigaword", Kind.NUMBER)
ACCT_OUTPUT_PACKETS_GIGAWORD = WIMAX.define(49, "Acct-Output-Packets-Gigaword", Kind.NUMBER)
DNS_SERVER = WIMAX.define(52, "DNS-Server", Kind.EITHER_ADDRESS)
HA_RK_KEY_REQUESTED = WIMAX.define(58, "HA-RK-Key-Requested", Kind.NUMBER)
FA_RK_SPI = WIMAX.define(61, "FA-RK-SPI", Kind.NUMBER)
VHA_IP_MIP4 = WIMAX.define(64, "vHA-IP-MIP4", Kind.ADDRESS)
VHA_MIP4_KEY = WIMAX.define(66, "vHA-MIP4-Key", Kind.OCTETS, hidden=True)
VHA_MIP4_SPI = WIMAX.define(71, "MN-vHA-MIP4-SPI", Kind.NUMBER)
PMIP_IDENTITY = WIMAX.define(78, "PMIP-Authenticated-Network-Identity", Kind.TEXT)
VISITED_FRAMED_IP_ADDRESS = WIMAX.define(79, "Visited-Framed-IP-Address", Kind.ADDRESS)
MIP_AUTHORIZATION_STATUS = WIMAX.define(82, "MIP-Authorization-Status", Kind.NUMBER)
