"""What an operator sees of tunnels: where they lead, who uses them, and what keeps them."""

from collections.abc import Callable

from pmip_tw.addresses import ipv4_text
from pmip_tw.agents.rows.tables import Row, encapsulation_text
from pmip_tw.interfaces import IForwardingPlane
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.mag.engine import MagEngine
from pmip_tw.mag.tunnels.keepalives import PathReport
from pmip_tw.mobility.tunnels import AnchorEntry, AnchorKey, EntryKey, Tunnel

DIRECT, NAT, UDP = "direct", "nat", "udp"
"""Over IP; in UDP because of a NAT; in UDP although none is known."""

About = Callable[[Tunnel, EntryKey], Row]
"""What a role knows more of a tunnel, of which some node is named."""


def tunnel_rows(forwarding: IForwardingPlane, monotonic: float, about: About) -> list[Row]:
    """The tunnels of a packet plane, each with how many mobile nodes it carries (P42)."""
    users: dict[Tunnel, tuple[EntryKey, int]] = {}
    for entry in forwarding.snapshot():
        copies = entry.copies if isinstance(entry, AnchorEntry) else ()
        for tunnel in {entry.tunnel, *copies}:
            key, nodes = users.get(tunnel, (entry.key, 0))
            users[tunnel] = (key, nodes + 1)
    rows: list[Row] = []
    for tunnel, (key, nodes) in users.items():
        activity = forwarding.activity(tunnel)
        rows.append(
            {
                "local": ipv4_text(tunnel.local),
                "remote": ipv4_text(tunnel.remote) + (f":{tunnel.remote_port}" if tunnel.over_udp else ""),
                "encapsulation": encapsulation_text(tunnel),
                "nodes": nodes,
                "since_heard": _since(activity.heard, monotonic),
                "since_sent": _since(activity.sent, monotonic),
                **about(tunnel, key),
            }
        )
    return rows


def at_lma(engine: LmaEngine) -> About:
    """``mag``: its care-of address, "" if that is another worker's to know."""

    def about(tunnel: Tunnel, key: EntryKey) -> Row:
        bound = engine.bound_to(key) if isinstance(key, AnchorKey) else None
        here = [one for one in bound.all if one.tunnel == tunnel] if bound is not None else []
        care_of = here[0].care_of_address if here else None
        row: Row = {
            "mag": "" if care_of is None else ipv4_text(care_of),
            "way": _way(tunnel, nat=care_of != tunnel.remote),
        }
        if tunnel.over_udp:
            row["keepalive_interval"] = engine.keepalive_interval
        return row

    return about


def at_mag(engine: MagEngine) -> About:
    def about(tunnel: Tunnel, key: EntryKey) -> Row:
        # An LMA agrees without being forced to only if it sees a NAT (N19).
        row: Row = {"way": _way(tunnel, nat=not engine.forces_udp)}
        public = engine.public_address(tunnel.remote)
        if public is not None:
            row["public"] = ipv4_text(public)
        report = engine.path_report(tunnel)
        return row if report is None else row | _kept(report)

    return about


def _kept(report: PathReport) -> Row:
    return {
        "keepalive_interval": report.interval,
        "keepalive_asked": report.told,
        "mappings_lost": report.lost,
        "mapping_survived": _rounded(report.mapping.survived),
        "mapping_expired": _rounded(report.mapping.expired),
    }


def _way(tunnel: Tunnel, *, nat: bool) -> str:
    if not tunnel.over_udp:
        return DIRECT
    return NAT if nat else UDP


def _since(instant: float, monotonic: float) -> float | None:
    """None: never, as far as is known."""
    return _rounded(max(0.0, monotonic - instant)) if instant else None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
