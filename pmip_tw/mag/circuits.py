"""What a MAG tells DHCP servers about where a visitor is (D12)."""

from pmip_tw.dhcp.relaying import Circuit
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.visitors import Visitor


def circuit_of(visitor: Visitor, policy: MagPolicy) -> Circuit:
    """The MAG and its port, the node's NAI, what AAA said of it; its MAC is in the message."""
    return Circuit(
        port=visitor.key.port,
        circuit_id=f"{policy.identity}:{visitor.key.port}".encode(),
        subscriber_id=visitor.nai.encode(),
        subnet=policy.dhcp_subnet,
    )
