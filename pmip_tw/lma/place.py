"""Where a mobile node is."""

from typing import NamedTuple

from pmip_tw.addresses import Ipv4


class Place(NamedTuple):
    """Which MAG a mobile node is at.

    Two MAGs behind different NATs may have the same care-of address, hence where it is seen from (N28). The port is
    not part of it: a NAT may give a MAG another one at any time (N23).
    """

    care_of_address: Ipv4
    seen_from: Ipv4
