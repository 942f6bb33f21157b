"""A binding as AAA knows its session, which spans handovers (AA20)."""

from collections.abc import Iterator

from msgspec import Struct

from pmip_tw.aaa.accounting.records import NO_ECHO, AccountingSession, Echo, common_id, new_id
from pmip_tw.addresses import Ipv4
from pmip_tw.lma.bindings import Binding, BindingTable
from pmip_tw.lma.keys.asking import Keys
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AnchorKey
from pmip_tw.wire.renewal import care_of_address


class Stay(Struct, frozen=True, array_like=True, gc=False):
    """Who has a home address now, and by whose care. ``interim_interval``: seconds, 0 if AAA asks for none. ``echo``:
    None if it is not known, so that it stays as it was.
    """

    key: AnchorKey
    nai: bytes
    care_of_address: Ipv4
    interim_interval: int = 0
    echo: Echo | None = None


def stay_of(binding: Binding, keys: Keys | None = None) -> Stay:
    """``keys``: those of AAA, if it gives any."""
    limits, association = binding.terms.limits, binding.association
    interim_interval = 0 if limits is None else limits.interim_interval
    echo = None
    if keys is not None and association is not None:
        echo = keys.fetched.echo((binding.nai, association.spi))
    return Stay(binding.key, binding.nai, binding.care_of_address, interim_interval, echo)


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
    if present is not None and present.nai != nai:
        present = None
    echo = stay.echo
    if echo is None:
        echo = NO_ECHO if present is None else present.echo
    return AccountingSession(
        id=new_id(f"{key} {nai!r}", now) if present is None else present.id,
        multi_id=common_id(nai, key.home_address) if present is None else present.multi_id,
        nai=nai,
        home_address=key.home_address,
        home_agent=home_agent,
        care_of_address=stay.care_of_address,
        domain=key.domain,
        classes=echo.classes,
        chargeable_identity=echo.chargeable_identity,
        correlation_id=echo.correlation_id,
        aaa_session_id=echo.aaa_session_id,
        interim_interval=stay.interim_interval,
    )
