"""Where the access points of the simulation are."""

from pmip_tw.addresses import Ipv4, ipv4


def address_of(mag: int, number: int) -> Ipv4:
    return ipv4(f"198.51.{150 + mag}.{1 + number}")
