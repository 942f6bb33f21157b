"""How a role is wired to its Diameter peers: one client for all that it asks and is asked.

Only roles that are configured for Diameter import this: its library takes a while to come.
"""

from pathlib import Path

from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.diameter.access import Asker
from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.peer_effects import PeerPolicy
from pmip_tw.aaa.mac_authentication import MacFormat
from pmip_tw.aaa.nas import Nas
from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.config.settings.diameter import DiameterPeer, DiameterSettings, LmaDiameterSettings
from pmip_tw.interfaces import IClock, IDiameterClient, IObserver
from pmip_tw.net.diameter import DiameterClient, Way
from pmip_tw.net.tls_names import TlsFiles, client_side
from pmip_tw.wire.diameter.codes import Application

_LOOPBACK = 127


def diameter_client_of(
    table: DiameterSettings,
    nas: Nas,
    reactor: PosixReactorBase,
    clock: IClock,
    observer: IObserver,
    local: Ipv4,
) -> DiameterClient:
    """``local``: the address to connect from, 0 for any. ConfigurationError: a file of TLS cannot be used."""
    return DiameterClient(
        reactor,
        clock,
        observer,
        identity_of(table, nas, int(clock.now().wall)),
        {peer.identity: policy_of(peer, table) for peer in table.peers},
        {peer.identity: _way(peer, table, reactor, local) for peer in table.peers},
        timeout=table.timeout,
    )


def identity_of(table: DiameterSettings, nas: Nas, started: int) -> Identity:
    """Who we are, and what we do there. ``started``: Unix seconds."""
    authentication, accounting = (purpose in table.purposes for purpose in ("authentication", "accounting"))
    return Identity(
        host=table.identity or nas.identifier,
        realm=table.realm,
        address=nas.address,
        state_id=started,
        authorization=_of_authentication(table) if authentication else (),
        accounting=(Application.ACCOUNTING,) if accounting else (),
    )


def _of_authentication(table: DiameterSettings) -> tuple[Application, ...]:
    """An LMA has no EAP to pass on, and perhaps RFC 4004."""
    if isinstance(table, LmaDiameterSettings):
        return (Application.NASREQ, *((Application.MOBILE_IPV4,) if table.mobile_ipv4 else ()))
    return Application.NASREQ, Application.EAP


def asker_of(table: DiameterSettings, client: IDiameterClient, nas: Nas) -> Asker:
    """In whose name its requests are made, and who is to answer them."""
    return Asker(
        identity=client.identity,
        realm=table.server_realm or table.realm,
        nas=nas,
        mac_format=MacFormat(table.mac_format),
    )


def policy_of(peer: DiameterPeer, table: DiameterSettings) -> PeerPolicy:
    return PeerPolicy(
        host=peer.identity,
        realms=frozenset(realm.lower() for realm in peer.realms),
        keys=peer.transport == "tls" or peer.allow_plain_keys or peer.address >> 24 == _LOOPBACK,
        watchdog_interval=table.watchdog_interval,
        reconnect_interval=table.reconnect_interval,
    )


def _way(peer: DiameterPeer, table: DiameterSettings, reactor: PosixReactorBase, local: Ipv4) -> Way:
    bound = (ipv4_text(local), 0) if local else None
    endpoint = TCP4ClientEndpoint(reactor, ipv4_text(peer.address), peer.usual_port, bindAddress=bound)
    if peer.transport == "tcp":
        return Way(endpoint)
    own = bool(table.certificate_file and table.key_file)
    files = TlsFiles(
        authorities=Path(table.ca_file),
        certificate=Path(table.certificate_file) if own else None,
        key=Path(table.key_file) if own else None,
    )
    return Way(endpoint, client_side(files, peer.identity))
