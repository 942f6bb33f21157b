"""From what an LMA knows to the records of its journal (``records.py``)."""

from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.journal.records import Bound, Unbound
from pmip_tw.lma.session.limits import Limits


def bound_record(binding: Binding) -> Bound:
    """All that an owner has."""
    terms = binding.terms
    tunnel = terms.tunnel
    address, port = terms.source
    return Bound(
        binding.owner,
        binding.request,
        binding.home_address,
        binding.domain,
        address,
        port,
        tunnel.remote,
        tunnel.remote_port,
        tunnel.encapsulation,
        tunnel.key_in,
        tunnel.key_out,
        terms.lifetime,
        binding.deadline,
        binding.moved_at,
        binding.own_timestamp,
        terms.inform,
        tuple(map(bound_record, binding.others)) if binding.others else (),
        tuple([one.name for one in terms.filters]) if terms.filters else None,
        None if terms.limits is None else _limits(terms.limits),
    )


def _limits(limits: Limits) -> tuple[float | None, int, int]:
    return limits.session_ends, limits.idle_timeout, limits.interim_interval


def unbound_record(binding: Binding, identification: int, monotonic: float) -> Unbound:
    """Nothing that its owner had is left; ``identification``: the last valid one."""
    return Unbound(binding.owner, binding.home_address, binding.domain, monotonic, identification)
