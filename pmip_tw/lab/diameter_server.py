"""The laboratory's Diameter AAA server as a program: ``python -m pmip_tw.lab.diameter_server FILE``.

The file, which has keys, says who it is, where it listens, and whom it knows (``DiameterServer.argv`` writes it). It
says "ready" when it listens, and then what it does, a line of JSON each; commands come through a unix socket.
"""

import os
import sys
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.protocol import Factory
from twisted.internet.ssl import CertificateOptions
from twisted.protocols.basic import LineReceiver
from twisted.protocols.tls import TLSMemoryBIOFactory

from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.peer_effects import PeerPolicy
from pmip_tw.addresses import Ipv4, ipv4, ipv4_text
from pmip_tw.lab.certificates import Authority, Credentials
from pmip_tw.lab.diameter_aaa import DiameterAaa, DiameterUser
from pmip_tw.manage.log import LogObserver
from pmip_tw.net.clock import ReactorClock
from pmip_tw.net.diameter import DiameterClient
from pmip_tw.wire.diameter.codes import Application

READY = "the Diameter server is ready"


@attrs.frozen(slots=True, kw_only=True)
class DiameterServer:
    """``directory`` takes its files; ``commands`` is its unix socket."""

    directory: Path
    name: str
    realm: str
    address: Ipv4
    users: tuple[DiameterUser, ...]
    commands: Path
    port: int = 5868
    watchdog_interval: float = 30.0

    def argv(self, authority: Authority) -> list[str]:
        """Its files are written; the command that starts it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        certificate, key = authority.issue(self.name).write(self.directory, "server")
        trusted = self.directory / "ca.pem"
        trusted.write_bytes(authority.certificate)
        file = self.directory / "server.conf"
        file.touch(mode=0o600)
        table = {
            "name": self.name,
            "realm": self.realm,
            "address": ipv4_text(self.address),
            "port": self.port,
            "watchdog_interval": self.watchdog_interval,
            "certificate": certificate,
            "key": key,
            "authorities": trusted,
            "commands": self.commands,
        }
        lines = toml(table)
        for user in self.users:
            lines += ["[[users]]", *toml(attrs.asdict(user))]
        file.write_text("\n".join(lines) + "\n")
        return [sys.executable, "-u", "-m", "pmip_tw.lab.diameter_server", str(file)]


def toml(table: Mapping[str, object]) -> list[str]:
    """Its lines."""
    return [
        f"{name} = {value}" if isinstance(value, int | float) else f"{name} = '{value}'"
        for name, value in table.items()
    ]


class _Commands(LineReceiver):
    delimiter = b"\n"

    def __init__(self, aaa: DiameterAaa) -> None:
        self._aaa = aaa

    def lineReceived(self, line: bytes) -> None:
        self._aaa.command(line.decode(errors="replace").split())


class _CommandFactory(Factory):
    noisy = False

    def __init__(self, aaa: DiameterAaa) -> None:
        self._aaa = aaa

    def buildProtocol(self, addr: object) -> _Commands:
        return _Commands(self._aaa)


def _tls(files: dict[str, Any]) -> CertificateOptions:
    """TLS in both directions: whoever connects shows a certificate too."""
    own = Credentials(
        certificate=Path(files["certificate"]).read_bytes(), key=Path(files["key"]).read_bytes()
    )
    return own.server_side(Path(files["authorities"]).read_bytes())


def main(file: str) -> None:
    reactor = EPollReactor()
    table = tomllib.loads(Path(file).read_text())
    users = [DiameterUser(**(user | {"lma": Ipv4(user["lma"])})) for user in table["users"]]
    identity = Identity(
        host=table["name"],
        realm=table["realm"],
        address=ipv4(table["address"]),
        state_id=int(time.time()),
        authorization=(Application.NASREQ, Application.MOBILE_IPV4, Application.EAP),
        accounting=(Application.ACCOUNTING,),
    )
    client = DiameterClient(reactor, ReactorClock(reactor), LogObserver(), identity, {}, {})
    aaa = DiameterAaa(client, users, print)
    policy = PeerPolicy(host="", accepting=True, keys=True, watchdog_interval=table["watchdog_interval"])
    factory: Any = TLSMemoryBIOFactory(_tls(table), False, client.acceptor(policy), reactor)
    reactor.listenTCP(table["port"], factory, interface=table["address"])
    reactor.listenUNIX(table["commands"], _CommandFactory(aaa), mode=0o600)
    reactor.addSystemEventTrigger("before", "shutdown", client.stop)
    reactor.callWhenRunning(print, READY, f"(process {os.getpid()})")
    reactor.run()


if __name__ == "__main__":
    main(sys.argv[1])
