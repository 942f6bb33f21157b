"""Attributes of 3GPP2 (vendor 5535) that we read or write: ordinary type, length and value."""

from pmip_tw.aaa.dictionaries.dictionary import Dictionary, Kind

VENDOR_3GPP2 = 5535

THREEGPP2 = Dictionary(VENDOR_3GPP2, "3GPP2-")

HOME_AGENT_IP_ADDRESS = THREEGPP2.define(7, "Home-Agent-IP-Address", Kind.ADDRESS)
IP_TECHNOLOGY = THREEGPP2.define(22, "IP-Technology", Kind.NUMBER)
CORRELATION_ID = THREEGPP2.define(44, "Correlation-Id", Kind.OCTETS)
SESSION_CONTINUE = THREEGPP2.define(48, "Session-Continue", Kind.NUMBER)
BEGIN_SESSION = THREEGPP2.define(51, "Begin-Session", Kind.NUMBER)
MN_HA_SPI = THREEGPP2.define(57, "MN-HA-SPI", Kind.NUMBER)
MN_HA_SHARED_KEY = THREEGPP2.define(58, "MN-HA-Shared-Key", Kind.OCTETS, hidden=True)
FOREIGN_AGENT_ADDRESS = THREEGPP2.define(79, "Foreign-Agent-Address", Kind.ADDRESS)
MIP_LIFETIME = THREEGPP2.define(92, "MIP-Lifetime", Kind.SUB_ATTRIBUTES)
DNS_SERVER_IP_ADDRESS = THREEGPP2.define(117, "DNS-Server-IP-Address", Kind.SUB_ATTRIBUTES)

REGISTRATION_LIFETIME = 1
"""Inside MIP-Lifetime: seconds, 32 bits."""

PRIMARY_DNS = 1
SECONDARY_DNS = 2
"""Inside DNS-Server-IP-Address: IPv4 addresses."""
