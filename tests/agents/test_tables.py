"""What operators see of a packet plane."""

from pmip_tw.addresses import ipv4
from pmip_tw.agents.tables import tunnel_rows
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.mobility.tunnels import AnchorEntry, Encapsulation, Tunnel
from tests.conformance import covers

LMA, MAG, OTHER = ipv4("192.0.2.1"), ipv4("192.0.2.10"), ipv4("192.0.2.11")


@covers("L3", "P42")
def test_tunnels_show_their_encapsulation_and_every_node_that_may_use_them() -> None:
    plane = MemoryPlane(monotonic=lambda: 0.0, local=LMA)
    shared = Tunnel(local=LMA, remote=MAG)
    keyed = Tunnel(local=LMA, remote=OTHER, encapsulation=Encapsulation.GRE, key_in=7, key_out=9)
    in_udp = Tunnel(local=LMA, remote=OTHER, encapsulation=Encapsulation.MINIMAL, remote_port=434)
    plane.install(AnchorEntry(home_address=ipv4("10.1.0.2"), tunnel=shared))
    plane.install(AnchorEntry(home_address=ipv4("10.1.0.3"), tunnel=keyed, copies=(shared, in_udp)))
    rows = [(row["remote"], row["encapsulation"], row["nodes"]) for row in tunnel_rows(plane)]
    assert sorted(rows) == [
        ("192.0.2.10", "ip-in-ip", 2),
        ("192.0.2.11", "gre key 9", 1),
        ("192.0.2.11:434", "minimal in udp", 1),
    ]
