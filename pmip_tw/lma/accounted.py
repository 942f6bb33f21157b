"""A binding as AAA knows its session, which spans handovers (AA20)."""

from collections.abc import Iterator

from msgspec import Struct

from pmip_tw.aaa.accounting.records import AccountingSession, common_id, new_id
from pmip_tw.addresses import Ipv4
from pmip_tw.lma.bindings import Binding, BindingTable
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AnchorKey
from pmip_tw.wire.renewal import care_of_address


class Stay(Struct, frozen=True, array_like=True, gc=False):
    """Who has a home address now, and by whose care. ``interim_interval``: seconds, 0 if AAA asks for none."""

    key: AnchorKey
    nai: bytes
    care_of_address: Ipv4
    interim_interval: int = 0


def stay_of(binding: Binding) -> Stay:
    limits = binding.terms.limits
    interim_interval = 0 if limits is None else limits.interim_interval
    return Stay(binding.key, binding.nai, binding.care_of_address, interim_interval)


def stays_of(bindings: BindingTable, *, by_technology: bool) -> Iterator[Stay]:
    """Of all, without making anything of what was restored and nobody has asked for. ``by_technology``: see owners."""
    for waiting in bindings.waiting():
        key = AnchorKey(waiting.home_address, waiting.domain)
        nai = waiting.owner[:-1] if by_technology else waiting.owner
        interim_interval = 0 if waiting.limits is None else waiting.limits[2]
        yield Stay(key, nai, care_of_address(waiting.request), interim_interval)
    yield from map(stay_of, bindings.asked_for())


def session_of(
    stay: Stay, home_agent: Ipv4, present: AccountingSession | None, now: Now
) -> AccountingSession:
    """``present``: whose session its home address has so far; it goes on if that is the same node's."""
    nai, key = stay.nai, stay.key
    goes_on = present is not None and present.nai == nai
    return AccountingSession(
        id=present.id if present is not None and goes_on else new_id(f"{key} {nai!r}", now),
        multi_id=present.multi_id if present is not None and goes_on else common_id(nai, key.home_address),
        nai=nai,
        home_address=key.home_address,
        home_agent=home_agent,
        care_of_address=stay.care_of_address,
        domain=key.domain,
        interim_interval=stay.interim_interval,
    )
