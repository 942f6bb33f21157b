"""A Diameter server on loopback, made of our own client: it accepts connections, and answers as a test says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IStreamClientEndpoint
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.ssl import CertificateOptions
from twisted.protocols.tls import TLSMemoryBIOFactory

from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.peer_effects import PeerPolicy
from pmip_tw.lab.certificates import Authority
from pmip_tw.net.diameter import DiameterClient, Way
from pmip_tw.net.tls_names import TlsFiles, client_side
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.codes import Code, Command, Result
from pmip_tw.wire.diameter.message import Message
from tests.aaa.diameter.wires import MAG, server_identity
from tests.clocks import UnarmedClock
from tests.observers import Notes

LOCALHOST = "127.0.0.1"
COMMANDS = (Command.AA, Command.DIAMETER_EAP, Command.ACCOUNTING, Command.SESSION_TERMINATION)

Says = Callable[[Message], Message | None]


def answered(identity: Identity, asked: Message, result: int = Result.SUCCESS, *more: avps.Avp) -> Message:
    return asked.answer(
        avps.text(Code.SESSION_ID, asked.session_id),
        avps.unsigned32(Code.RESULT_CODE, result),
        *identity.origin,
        *more,
        error=3000 <= result < 4000,
    )


@attrs.define
class ServerNode:
    """``asked``: every request that came. ``says``: the answer; None is silence."""

    client: DiameterClient
    identity: Identity
    port: int
    says: Says
    asked: list[Message] = attrs.field(factory=list)

    def carry_out(self, request: Message) -> "Deferred[Message]":
        self.asked.append(request)
        said = self.says(request)
        return Deferred() if said is None else succeed(said)

    def endpoint(self, reactor: PosixReactorBase) -> IStreamClientEndpoint:
        return TCP4ClientEndpoint(reactor, LOCALHOST, self.port)


@contextmanager
def server(
    reactor: PosixReactorBase,
    name: str = "aaa1",
    says: Says | None = None,
    tls: IOpenSSLServerConnectionCreator | None = None,
    port: int = 0,
) -> Iterator[ServerNode]:
    """One that has our applications and accepts everything, unless it ``says`` otherwise."""
    identity = server_identity(name)
    client = DiameterClient(reactor, UnarmedClock(), Notes(), identity, {}, {})
    factory = client.acceptor(PeerPolicy(host="", accepting=True))
    if tls is not None:
        factory = TLSMemoryBIOFactory(tls, False, factory, reactor)
    listening = reactor.listenTCP(port, factory, interface=LOCALHOST)
    node = ServerNode(
        client, identity, listening.getHost().port, says or (lambda asked: answered(identity, asked))
    )
    for command in COMMANDS:
        client.serve(command, node.carry_out)
    try:
        yield node
    finally:
        listening.stopListening()
        client.stop()


def asker(
    reactor: PosixReactorBase, *servers: ServerNode, timeout: float = 10.0, notes: Notes | None = None
) -> DiameterClient:
    """A MAG's client that knows these."""
    return DiameterClient(
        reactor,
        UnarmedClock(),
        notes or Notes(),
        MAG,
        {one.identity.host: PeerPolicy(host=one.identity.host, keys=True) for one in servers},
        {one.identity.host: Way(one.endpoint(reactor)) for one in servers},
        timeout=timeout,
    )


def server_tls(authority: Authority, name: str, *, ask: bool = False) -> CertificateOptions:
    """A server called ``name``; ``ask``: it lets nobody in who has no certificate of the authority."""
    return authority.issue(name).server_side(authority.certificate if ask else None)


def over_tls(
    endpoint: IStreamClientEndpoint, directory: Path, authority: Authority, name: str, *, own: str = ""
) -> Way:
    """As a client that expects ``name`` and shows a certificate for ``own``."""
    trusted = directory / "ca.pem"
    trusted.write_bytes(authority.certificate)
    certificate, key = authority.issue(own).write(directory, "own") if own else (None, None)
    files = TlsFiles(authorities=trusted, certificate=certificate, key=key)
    return Way(endpoint, client_side(files, name))
