"""A binding as AAA knows its session, which spans handovers (AA20)."""

from collections.abc import Iterator

from pmip_tw.aaa.accounting.records import AccountingSession, common_id, new_id
from pmip_tw.addresses import Ipv4
from pmip_tw.lma.bindings import Binding, BindingTable
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AnchorKey


def session_of(
    binding: Binding, home_agent: Ipv4, present: AccountingSession | None, now: Now
) -> AccountingSession:
    """``present``: whose session its home address has so far; it goes on if that is the same node's."""
    nai = binding.nai
    goes_on = present is not None and present.nai == nai
    return AccountingSession(
        id=present.id if present is not None and goes_on else new_id(f"{binding.key} {nai!r}", now),
        multi_id=present.multi_id
        if present is not None and goes_on
        else common_id(nai, binding.home_address),
        nai=nai,
        home_address=binding.home_address,
        home_agent=home_agent,
        care_of_address=binding.care_of_address,
        domain=binding.domain,
        interim_interval=0 if binding.terms.limits is None else binding.terms.limits.interim_interval,
    )


def owners_of(bindings: BindingTable) -> Iterator[tuple[AnchorKey, bytes]]:
    """Home address and owner of each, without making anything of what was restored and nobody has asked for."""
    for waiting in bindings.waiting():
        yield AnchorKey(waiting.home_address, waiting.domain), waiting.owner
    for binding in bindings.asked_for():
        yield binding.key, binding.owner
