"""What nodes moved, filled in where the packet plane is."""

from collections.abc import Mapping, Sequence

from pmip_tw.addresses import ipv4
from pmip_tw.agents.rows.tables import Row, traffic
from pmip_tw.interfaces import IForwardingPlane
from pmip_tw.mobility.tunnels import AnchorKey


def with_traffic(rows: Sequence[Mapping[str, object]], forwarding: IForwardingPlane) -> list[Row]:
    """Rows of bindings, as another process has made them, with the counters of ``forwarding``."""
    return [
        {**row, "filtered": moved.filtered, **traffic(moved)}
        for row in rows
        for moved in [forwarding.counters(_key(row))]
    ]


def _key(row: Mapping[str, object]) -> AnchorKey:
    return AnchorKey(ipv4(str(row["home_address"])), str(row.get("domain", "")))
