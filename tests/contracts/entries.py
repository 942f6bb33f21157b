"""What is installed in a plane under contract: a MAG's entry, and each way to wrap what it carries."""

import pytest

from pmip_tw.mobility.tunnels import AccessEntry, Encapsulation

from ..forwarding.packets import HOME, NODE_MAC
from ..forwarding.worlds import PORTS, tunnel


def entry(port=PORTS[0], mac=NODE_MAC, home=HOME, way=None, upstream=True, **more) -> AccessEntry:
    way = way or tunnel()
    return AccessEntry(port=port, mac=mac, home_address=home, tunnel=way, upstream=upstream, **more)


both_encapsulations = pytest.mark.parametrize("over_udp", [False, True], ids=["ip-in-ip", "udp"])

KINDS = {
    "ip-in-ip": {},
    "gre": {"kind": Encapsulation.GRE},
    "gre-keys": {"kind": Encapsulation.GRE, "keys": (7, 0xBEEF0001)},
    "minimal": {"kind": Encapsulation.MINIMAL},
}
"""Every encapsulation, with the keys that a tunnel of it may have."""

KINDS |= {f"{name}-in-udp": kind | {"over_udp": True} for name, kind in KINDS.items()}

every_tunnel = pytest.mark.parametrize("shape", KINDS.values(), ids=KINDS.keys())
"""``tunnel(**shape)`` is a tunnel of each."""
