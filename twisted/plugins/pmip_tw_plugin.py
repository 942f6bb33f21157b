"""The roles that ``twistd`` offers; a mistake in here would make them vanish from its help, so nothing else is."""

from twisted.application.service import ServiceMaker

pmip_mag = ServiceMaker("pmip-mag", "pmip_tw.services.mag", "Proxy Mobile IPv4: access gateway (MAG).", "pmip-mag")
pmip_lma = ServiceMaker("pmip-lma", "pmip_tw.services.lma", "Proxy Mobile IPv4: home agent (LMA).", "pmip-lma")
pmip_dhcp_relay = ServiceMaker(
    "pmip-dhcp-relay", "pmip_tw.services.dhcp_relay", "DHCP relay agent.", "pmip-dhcp-relay"
)
