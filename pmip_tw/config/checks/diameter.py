"""What single settings of Diameter cannot show; MAGs and LMAs have the same."""

from collections.abc import Iterator

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.config.draft import Draft, Once
from pmip_tw.config.limits import DiameterName
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.diameter import PORTS, DiameterIdentity, DiameterTransport
from pmip_tw.config.settings.radius import Purpose
from pmip_tw.config.settings.value_types import Port
from pmip_tw.config.structure import Mistake

_BOTH: tuple[Purpose, ...] = ("authentication", "accounting")


def diameter_mistakes(draft: Draft, role: Path) -> Iterator[Mistake]:
    """``role``: its table, ("mag",) or ("lma",)."""
    table: Path = (*role, "diameter")
    if not draft.has(table):
        return
    if draft.value((*table, "peers"), list) == []:
        yield Mistake((*table, "peers"), f"peers: add at least one [[{role[0]}.diameter.peers]]")
    yield from _identity(draft, role)
    yield from _peers(draft, table)
    yield from _files(draft, table)
    yield from _one_protocol_for_each(draft, role)


def _identity(draft: Draft, role: Path) -> Iterator[Mistake]:
    """Ours is that of the role, unless it has no form that Diameter knows."""
    own = draft.value((*role, "identity"), str)
    if draft.has((*role, "diameter", "identity")) or own is None:
        return
    try:
        DiameterName().check(own)
    except ValueError as error:
        text = f"the identity of the {str(role[0]).upper()} {error}: add an identity of its own for Diameter"
        yield Mistake((*role, "diameter"), text)


def _peers(draft: Draft, table: Path) -> Iterator[Mistake]:
    names, places = Once(draft, "the peer"), Once(draft, "the address")
    for path in draft.elements((*table, "peers")):
        name = draft.value((*path, "identity"), DiameterIdentity)
        if name is not None:
            yield from names.use(name.lower(), name, (*path, "identity"))
        address = draft.value((*path, "address"), Ipv4)
        plain = draft.value((*path, "transport"), DiameterTransport) == "tcp"
        port = draft.value((*path, "port"), Port) or PORTS["tcp" if plain else "tls"]
        if address is not None:
            yield from places.use((address, port), f"{ipv4_text(address)}:{port}", (*path, "address"))
        if not plain and draft.value((*path, "allow_plain_keys"), bool):
            text = 'allow_plain_keys: is for transport = "tcp"; over TLS keys are never in the clear'
            yield Mistake((*path, "allow_plain_keys"), text)


def _files(draft: Draft, table: Path) -> Iterator[Mistake]:
    tls = [
        path
        for path in draft.elements((*table, "peers"))
        if draft.value((*path, "transport"), DiameterTransport) != "tcp"
    ]
    given = {name: bool(draft.value((*table, name), str)) for name in ("certificate_file", "key_file")}
    if any(given.values()) and not all(given.values()):
        yield Mistake(table, "certificate_file and key_file are needed together, or none of them")
    if tls and not draft.value((*table, "ca_file"), str):
        text = "missing setting 'ca_file': over TLS nobody is believed but whom a CA in that file has signed"
        yield Mistake(table, text)
    if not tls and draft.elements((*table, "peers")):
        for name in ("ca_file", *given):
            if draft.has((*table, name)):
                yield Mistake((*table, name), f'{name}: no peer has transport = "tls"')


def _one_protocol_for_each(draft: Draft, role: Path) -> Iterator[Mistake]:
    """Authentication and accounting are asked of RADIUS or Diameter, never of both."""
    purposes: Path = (*role, "diameter", "purposes")
    ours = draft.value(purposes, tuple[Purpose, ...]) if draft.has(purposes) else _BOTH
    for path in draft.elements((*role, "radius", "servers")):
        theirs_at: Path = (*path, "purposes")
        theirs = draft.value(theirs_at, tuple[Purpose, ...]) if draft.has(theirs_at) else _BOTH
        both = [purpose for purpose in ours or () if purpose in (theirs or ())]
        if both:
            text = f"purposes: RADIUS servers are there for {both[0]}, too: leave it to one of the protocols"
            yield Mistake(purposes if draft.has(purposes) else (*role, "diameter"), text)
            return
