"""What single settings of RADIUS servers cannot show; MAGs and LMAs have the same."""

from collections.abc import Iterator

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.config.draft import Draft, Once
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.radius import ACCOUNTING_PORT, RADIUS_PORT, RADSEC_PORT, Purpose, Transport
from pmip_tw.config.settings.value_types import Port
from pmip_tw.config.structure import Mistake
from pmip_tw.secret import Secret

_FILES_OF_TLS = ("ca_file", "certificate_file", "key_file", "server_name")


def radius_mistakes(draft: Draft, radius: Path) -> Iterator[Mistake]:
    """``radius``: the table."""
    servers: Path = (*radius, "servers")
    if draft.value(servers, list) == []:
        yield Mistake(servers, f"servers: add at least one [[{'.'.join(map(str, servers))}]]")
    seen = Once(draft, "the server")
    secrets: dict[tuple[Ipv4, int], Secret] = {}
    for path in draft.elements(servers):
        yield from _with_tls(draft, path) if _is_tls(draft, path) else _without_tls(draft, path)
        if draft.value((*path, "purposes"), tuple[Purpose, ...]) == ():
            yield Mistake((*path, "purposes"), 'purposes: "authentication", "accounting" or both')
        asked = _asked_at(draft, path)
        if asked:
            address, port = asked[0]
            yield from seen.use(asked[0], f"{ipv4_text(address)}:{port}", (*path, "address"))
        secret = draft.value((*path, "secret"), Secret)
        for address, port in asked if secret is not None else ():
            if secrets.setdefault((address, port), secret) != secret:
                text = f"secret: {ipv4_text(address)}:{port} has another one already, and can have one only"
                yield Mistake((*path, "secret"), text)


def _is_tls(draft: Draft, path: Path) -> bool:
    return bool(draft.value((*path, "transport"), Transport) == "tls")


def _without_tls(draft: Draft, path: Path) -> Iterator[Mistake]:
    if not draft.has((*path, "secret")):
        yield Mistake(path, "missing setting 'secret'")
    for name in _FILES_OF_TLS:
        if draft.value((*path, name), str):
            yield Mistake((*path, name), f'{name}: is for transport = "tls"')


def _with_tls(draft: Draft, path: Path) -> Iterator[Mistake]:
    if not draft.value((*path, "ca_file"), str):
        text = "missing setting 'ca_file': with TLS nobody is believed but whom that CA has signed"
        yield Mistake(path, text)
    ours = [bool(draft.value((*path, name), str)) for name in ("certificate_file", "key_file")]
    if any(ours) and not all(ours):
        yield Mistake(path, "certificate_file and key_file are needed together, or none of them")
    for name in ("port", "accounting_port"):
        if draft.has((*path, name)):
            yield Mistake((*path, name), f"{name}: with TLS all is asked at radsec_port")
    if draft.has((*path, "max_outstanding")):
        yield Mistake((*path, "max_outstanding"), "max_outstanding: with TLS that is window")


def _asked_at(draft: Draft, path: Path) -> list[tuple[Ipv4, int]]:
    """Where the server is asked; nothing if that cannot be read."""
    address = draft.value((*path, "address"), Ipv4)
    if address is None:
        return []
    if _is_tls(draft, path):
        return [(address, draft.value((*path, "radsec_port"), Port) or RADSEC_PORT)]
    purposes = draft.value((*path, "purposes"), tuple[Purpose, ...])
    ports: tuple[tuple[Purpose, str, int], ...] = (
        ("authentication", "port", RADIUS_PORT),
        ("accounting", "accounting_port", ACCOUNTING_PORT),
    )
    return [
        (address, draft.value((*path, name), Port) or default)
        for purpose, name, default in ports
        if purposes is None or purpose in purposes
    ]
