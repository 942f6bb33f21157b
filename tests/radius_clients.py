"""RADIUS clients on real sockets, for tests: one server after the other, with MAC authentication or whatever else."""

from collections.abc import Sequence

from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.radius.configuration import RadiusServer, RadiusSettings, ServerGroup, StatusServer
from pmip_tw.aaa.radius.outcome import AUTHENTICATION
from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4
from pmip_tw.interfaces import IObserver
from pmip_tw.net.radius import RadiusAuthenticator
from pmip_tw.net.radius_client import RadiusClient
from pmip_tw.secret import Secret
from tests.clocks import UnarmedClock
from tests.observers import Notes


def settings_of(
    *endpoints: Endpoint, secret: bytes = b"testing123", nas: Nas | None = None, **settings: float
) -> RadiusSettings:
    """These servers with the same secret, in this order; only what the test asks is sent to them."""
    servers = tuple(
        RadiusServer(endpoint=one, secret=Secret(secret), status_server=StatusServer.NO) for one in endpoints
    )
    group = ServerGroup(name=AUTHENTICATION, servers=servers)
    return RadiusSettings(groups=(group,), nas=nas or Nas(), **settings)  # type: ignore[arg-type]


def authenticator_at(
    reactor: PosixReactorBase,
    endpoints: Sequence[Endpoint],
    observer: IObserver | None = None,
    *,
    local: Ipv4 = UNSPECIFIED,
    nas: Nas | None = None,
    secret: bytes = b"testing123",
    **settings: float,
) -> RadiusAuthenticator:
    """MAC authentication at these servers."""
    made = settings_of(*endpoints, secret=secret, nas=nas, **settings)
    client = RadiusClient(reactor, UnarmedClock(), made, observer or Notes(), local)
    return RadiusAuthenticator(client, made.nas)
