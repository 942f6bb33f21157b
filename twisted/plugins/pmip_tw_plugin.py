"""The roles of pmip_tw as twistd commands."""

from twisted.application.service import ServiceMaker

mag = ServiceMaker("pmip-mag", "pmip_tw.services.mag", "Proxy Mobile IPv4 access gateway (MAG)", "pmip-mag")
lma = ServiceMaker("pmip-lma", "pmip_tw.services.lma", "Proxy Mobile IPv4 local mobility anchor (LMA)", "pmip-lma")
