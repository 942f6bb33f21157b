"""What an operator sees of an LMA's bindings."""

from pmip_tw.addresses import ipv4_text
from pmip_tw.agents.rows.particulars import particulars
from pmip_tw.agents.rows.tables import Row, encapsulation_text, filtered, traffic
from pmip_tw.interfaces import IForwardingPlane
from pmip_tw.lma.bindings import Binding, BindingTable


def binding_rows(bindings: BindingTable, forwarding: IForwardingPlane, monotonic: float) -> list[Row]:
    """One row for each binding, of every owner."""
    return [
        {
            "nai": binding.nai.decode(errors="replace"),
            "home_address": ipv4_text(binding.home_address),
            "mag": ipv4_text(binding.care_of_address),
            "tunnel": encapsulation_text(binding.tunnel),
            "lifetime": binding.lifetime,
            "remaining": max(0, round(binding.deadline - monotonic)),
            "revocation": binding.own_timestamp is not None,
            **particulars(binding),
            **_ends(newest, monotonic),
            **filtered(newest.filters, moved),
            **traffic(moved),
        }
        for newest in bindings
        for moved in [forwarding.counters(newest.key)]
        for binding in newest.all
    ]


def _ends(binding: Binding, monotonic: float) -> Row:
    """When AAA has the session end, of whom it has said that."""
    limits = binding.terms.limits
    row: Row = {}
    if limits is not None and limits.session_ends is not None:
        row["session_remaining"] = max(0, round(limits.session_ends - monotonic))
    if limits is not None and limits.idle_timeout:
        row["idle_timeout"] = limits.idle_timeout
    return row


def ended_row(ended: list[Binding]) -> Row:
    """What an operator has ended: the newest binding of each owner, at least one."""
    every = [one for newest in ended for one in newest.all]
    return {
        "nai": every[0].nai.decode(errors="replace"),
        "home_address": ", ".join(str(newest.key) for newest in ended),
        "mag": ", ".join(ipv4_text(one.care_of_address) for one in every),
        "revocation": any(one.own_timestamp is not None for one in every),
    }
