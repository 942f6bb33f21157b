"""What single settings of ``[mag.radius_proxy]`` cannot show: access points, interfaces and servers must fit."""

from collections.abc import Iterator

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.config.draft import Draft, Once
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.radius import Purpose
from pmip_tw.config.settings.radius_proxy import ACCOUNTING_PORT, AUTHENTICATION_PORT
from pmip_tw.config.settings.value_types import Interface, Port
from pmip_tw.config.structure import Mistake

METHOD = "radius-proxy"


def radius_proxy_mistakes(draft: Draft, mag: Path) -> Iterator[Mistake]:
    proxy: Path = (*mag, "radius_proxy")
    interfaces = _interfaces(draft, mag)
    yield from _used(draft, mag, proxy, interfaces)
    if not draft.has(proxy):
        return
    yield from _servers(draft, mag, proxy)
    if draft.value((*proxy, "clients"), list) == []:
        yield Mistake((*proxy, "clients"), "clients: add at least one [[mag.radius_proxy.clients]]")
    yield from _ports(draft, proxy)
    seen = Once(draft, "the access point")
    for path in draft.elements((*proxy, "clients")):
        address = draft.value((*path, "address"), Ipv4)
        if address is not None:
            yield from seen.use(address, ipv4_text(address), (*path, "address"))
        name = draft.value((*path, "interface"), Interface)
        if name is not None and interfaces is not None and name not in interfaces:
            text = f'interface: {name} is no [[mag.access]] with authentication = "{METHOD}"'
            yield Mistake((*path, "interface"), text)


def _interfaces(draft: Draft, mag: Path) -> dict[str, Path] | None:
    """Those whose access points authenticate; None if some cannot be read, so that nothing follows from absence."""
    found: dict[str, Path] = {}
    for path in draft.elements((*mag, "access")):
        name = draft.value((*path, "interface"), Interface)
        method = draft.value((*path, "authentication"), str)
        if name is None or (method is None and draft.has((*path, "authentication"))):
            return None
        if method == METHOD:
            found[name] = (*path, "authentication")
    return found


def _used(draft: Draft, mag: Path, proxy: Path, interfaces: dict[str, Path] | None) -> Iterator[Mistake]:
    """On an interface without access points nobody could ever be served."""
    clients = draft.elements((*proxy, "clients"))
    named = [draft.value((*path, "interface"), Interface) for path in clients]
    if None in named:
        return
    for name, path in (interfaces or {}).items():
        if name not in named:
            text = f'no [[mag.radius_proxy.clients]] has interface = "{name}": nobody could be let in there'
            yield Mistake(path, f"authentication: {text}")


def _servers(draft: Draft, mag: Path, proxy: Path) -> Iterator[Mistake]:
    """Somebody must answer what is passed on."""
    if not draft.has((*mag, "radius")):
        yield Mistake(proxy, "[mag.radius_proxy] needs [mag.radius]: access points ask its servers")
        return
    purposes = [_purposes(draft, server) for server in draft.elements((*mag, "radius", "servers"))]
    if None in purposes or not purposes:
        return
    known = {purpose for some in purposes if some is not None for purpose in some}
    if "authentication" not in known and draft.has(
        (*mag, "diameter")
    ):  # without, nobody authenticates at all
        text = (
            'no server of [mag.radius] has purposes = ["authentication"]: nobody would answer access points'
        )
        yield Mistake(proxy, f"[mag.radius_proxy]: {text}")
    if draft.value((*proxy, "forward_accounting"), bool) and "accounting" not in known:
        text = 'forward_accounting: no server of [mag.radius] has purposes = ["accounting"]'
        yield Mistake((*proxy, "forward_accounting"), text)


def _purposes(draft: Draft, server: Path) -> tuple[Purpose, ...] | None:
    """None if they cannot be read."""
    if not draft.has((*server, "purposes")):
        return ("authentication", "accounting")
    found: tuple[Purpose, ...] | None = draft.value((*server, "purposes"), tuple[Purpose, ...])
    return found


def _ports(draft: Draft, proxy: Path) -> Iterator[Mistake]:
    port = draft.value((*proxy, "port"), Port) or AUTHENTICATION_PORT
    accounting = draft.value((*proxy, "accounting_port"), Port) or ACCOUNTING_PORT
    if port == accounting:
        name = "accounting_port" if draft.has((*proxy, "accounting_port")) else "port"
        yield Mistake((*proxy, name), f"{name}: authentication and accounting need a port each")
