"""How a role is wired to its RADIUS servers: one client for all that it asks."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.radius.configuration import (
    RadiusServer,
    RadiusSettings,
    RequireSignature,
    ServerGroup,
    StatusServer,
    Strategy,
)
from pmip_tw.aaa.radius.outcome import ACCOUNTING, AUTHENTICATION
from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4, ipv4_text
from pmip_tw.agents.rows.tables import Row
from pmip_tw.config.settings.radius import Purpose
from pmip_tw.config.settings.radius import RadiusServer as ServerTable
from pmip_tw.config.settings.radius import RadiusSettings as RadiusTable
from pmip_tw.errors import ConfigurationError
from pmip_tw.interfaces import IClock, IObserver, IRadiusClient
from pmip_tw.net.radius_client import RadiusClient
from pmip_tw.net.radsec import RadsecLink
from pmip_tw.net.tls_names import TlsFiles, client_side
from pmip_tw.secret import Secret

RADSEC_SECRET = Secret(b"radsec")
"""What is shared where TLS protects (RFC 6614 2.3)."""

_PURPOSES: tuple[tuple[Purpose, str], ...] = (
    ("authentication", AUTHENTICATION),
    ("accounting", ACCOUNTING),
)


def radius_client_of(
    table: RadiusTable,
    nas: Nas,
    reactor: PosixReactorBase,
    clock: IClock,
    observer: IObserver,
    local: Ipv4 = UNSPECIFIED,
    address: Callable[[], Ipv4] | None = None,
) -> RadiusClient:
    """The servers of ``[mag.radius]`` or ``[lma.radius]``, asked from ``local``. A file that cannot be used ends it.

    ``address``: ours at the moment, if it may change.
    """
    links = {
        endpoint_of(server, "authentication"): _link(server, reactor, local)
        for server in table.servers
        if server.transport == "tls"
    }
    return RadiusClient(reactor, clock, radius_of(table, nas), observer, local, links, address)


def radius_of(table: RadiusTable, nas: Nas) -> RadiusSettings:
    """How the servers of a table are asked, and as whom."""
    return RadiusSettings(
        groups=tuple(_groups(table)),
        nas=nas,
        timeout=table.timeout,
        tries=table.tries,
        dead_time=table.dead_time,
        probe_interval=table.probe_interval,
        watchdog=table.watchdog,
        max_outstanding=table.max_outstanding,
        max_waiting=table.max_waiting,
    )


def server_tables(*clients: IRadiusClient | None) -> dict[str, Callable[[], Sequence[Row]]]:
    """What ``pmipctl show servers`` shows; nothing without RADIUS."""
    asked = [client for client in clients if client is not None]
    if not asked:
        return {}
    return {"servers": lambda: [dict(row) for client in asked for row in client.servers()]}


def endpoint_of(server: ServerTable, purpose: Purpose) -> Endpoint:
    """Where it is asked."""
    if server.transport == "tls":
        return Endpoint(server.address, server.radsec_port)
    return Endpoint(server.address, server.port if purpose == "authentication" else server.accounting_port)


def _groups(table: RadiusTable) -> Iterator[ServerGroup]:
    """Two servers may have a port in common, such as that for accounting; it is one server there."""
    known: dict[Endpoint, RadiusServer] = {}
    for purpose, name in _PURPOSES:
        servers = [_server(server, purpose) for server in table.of(purpose)]
        once = {server.endpoint: known.setdefault(server.endpoint, server) for server in servers}
        if once:
            yield ServerGroup(name=name, servers=tuple(once.values()), strategy=Strategy(table.strategy))


def _server(server: ServerTable, purpose: Purpose) -> RadiusServer:
    tls = server.transport == "tls"
    return RadiusServer(
        endpoint=endpoint_of(server, purpose),
        secret=server.secret or RADSEC_SECRET,
        require_message_authenticator=RequireSignature(server.require_message_authenticator),
        status_server=StatusServer(server.status_server),
        weight=server.weight,
        max_outstanding=server.window if tls else server.max_outstanding,
        tls=tls,
    )


def _link(server: ServerTable, reactor: PosixReactorBase, local: Ipv4) -> RadsecLink:
    files = TlsFiles(
        authorities=Path(server.ca_file),
        certificate=Path(server.certificate_file) if server.certificate_file else None,
        key=Path(server.key_file) if server.key_file else None,
    )
    address = ipv4_text(server.address)
    try:
        trust = client_side(files, server.server_name or address)
    except ConfigurationError as error:
        raise SystemExit(f"RADIUS server {address}: {error}") from None
    return RadsecLink(reactor, endpoint_of(server, "authentication"), trust, local)
