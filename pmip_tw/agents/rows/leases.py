"""What an operator sees of the leases that DHCP servers have given through an LMA."""

from pmip_tw.addresses import ipv4_text, mac_text
from pmip_tw.agents.rows.tables import Row
from pmip_tw.lma.engine import LmaEngine


def lease_rows(engine: LmaEngine, monotonic: float) -> list[Row]:
    """``remaining``: seconds; ``renewals``: whether they come by us; ``mag``: where its node is registered with it, or
    "" if it is not.
    """
    rows: list[Row] = []
    for lease in engine.leases:
        bound = engine.bound_to(lease.key)
        endless = lease.deadline == float("inf")
        rows.append(
            {
                "nai": lease.nai.decode(errors="replace"),
                "mac": mac_text(lease.mac),
                "home_address": ipv4_text(lease.key.home_address),
                **({"domain": lease.key.domain} if lease.key.domain else {}),
                "remaining": "for ever" if endless else max(0, round(lease.deadline - monotonic)),
                "renewals": "by us" if lease.seen else "by the server",
                "mag": "" if bound is None else ipv4_text(bound.care_of_address),
            }
        )
    return rows
