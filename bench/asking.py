"""Authentications by the MAG's own way to RADIUS servers: what runs in the process that ``bench.aaa`` measures.

``python -m bench.asking HOST PORT SECRET NUMBER WINDOW``: asks NUMBER times about nodes of the bench, at most WINDOW at
a time, and says what that took, from the first question to the last verdict, as one JSON object.
"""

import json
import sys
import time
from itertools import count

from twisted.internet.posixbase import PosixReactorBase

from bench.subscribers import ACCESS_PORT, IDENTITY, macs
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.verdicts import Accept, MacCredential, Verdict
from pmip_tw.addresses import ipv4
from pmip_tw.config.settings.radius import RadiusServer, RadiusSettings
from pmip_tw.net.clock import ReactorClock
from pmip_tw.net.radius import RadiusAuthenticator
from pmip_tw.secret import Secret
from pmip_tw.services.management import Management
from pmip_tw.services.memory import settle
from pmip_tw.services.radius import radius_client_of

_WARM_UP = 500


class Asking:
    """So many at a time, the next one as soon as one is answered."""

    def __init__(self, reactor: PosixReactorBase, authenticator: RadiusAuthenticator) -> None:
        self._reactor = reactor
        self._authenticator = authenticator
        self._macs = macs()
        self._next = count()
        self._left = 0
        self._outstanding = 0
        self.accepted = 0

    def run(self, number: int, window: int) -> None:
        """Until ``number`` are answered."""
        self.accepted, self._left = 0, number
        for _ in range(min(window, number)):
            self._ask()
        self._reactor.run(installSignalHandlers=False)

    def _ask(self) -> None:
        self._left -= 1
        self._outstanding += 1
        who = self._macs[next(self._next) % len(self._macs)]
        self._authenticator.authenticate(MacCredential(mac=who, port=ACCESS_PORT)).addCallback(self._answered)

    def _answered(self, verdict: Verdict) -> None:
        self._outstanding -= 1
        self.accepted += isinstance(verdict, Accept)
        if self._left:
            self._ask()
        elif not self._outstanding:
            self._reactor.crash()


def main(host: str, port: str, secret: str, number: str, window: str) -> None:
    from twisted.internet import reactor  # noqa: PLC0415 - importing it installs one

    assert isinstance(reactor, PosixReactorBase)
    server = RadiusServer(
        address=ipv4(host), port=int(port), secret=Secret(secret.encode()), max_outstanding=int(window)
    )
    nas = Nas(identifier=IDENTITY)
    observers = Management().observers
    client = radius_client_of(
        RadiusSettings(servers=(server,)), nas, reactor, ReactorClock(reactor), observers
    )
    asking = Asking(reactor, RadiusAuthenticator(client, nas))
    asking.run(_WARM_UP, int(window))
    settle()
    began, spent = time.perf_counter(), time.process_time()
    asking.run(int(number), int(window))
    took, spent = time.perf_counter() - began, time.process_time() - spent
    [row, *_] = client.servers()
    client.stop()
    told = {"accepted": asking.accepted, "seconds": took, "cpu": spent, "repeated": row["repeated"]}
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
