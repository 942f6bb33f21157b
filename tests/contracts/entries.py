"""What is installed in a plane under contract: a MAG's entry, and each way to wrap what it carries."""

import pytest

from pmip_tw.mobility.tunnels import AccessEntry

from ..forwarding.packets import HOME, NODE_MAC
from ..forwarding.worlds import PORTS, tunnel


def entry(port=PORTS[0], mac=NODE_MAC, home=HOME, way=None, upstream=True, **more) -> AccessEntry:
    way = way or tunnel()
    return AccessEntry(port=port, mac=mac, home_address=home, tunnel=way, upstream=upstream, **more)


both_encapsulations = pytest.mark.parametrize("over_udp", [False, True], ids=["ip-in-ip", "udp"])
