"""A process that tells of sessions without end: it begins some and ends some, until it is killed or told to finish.

    python -m tests.interop.accounting_teller SPOOL PORT

What a former one has left goes on, every second session of it, as if its node had come back. With a line on standard
input all sessions end, and the process when a server has everything.
"""

import os
import sys
import time

from msgspec.structs import replace
from twisted.internet import reactor as installed
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.task import LoopingCall

from pmip_tw.aaa.accounting.queue import AccountingQueue
from pmip_tw.aaa.accounting.records import AccountingSession, TerminateCause, Usage, new_id
from pmip_tw.aaa.accounting.request import Accountant
from pmip_tw.aaa.accounting.sessions import Effect, Sessions, Tell
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.radius.configuration import RadiusServer, RadiusSettings, ServerGroup, StatusServer
from pmip_tw.aaa.radius.outcome import ACCOUNTING
from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.agents.spooling import Spooling
from pmip_tw.mobility.clock import Now
from pmip_tw.net.clock import ReactorClock
from pmip_tw.net.radius_accounting import RadiusAccountingServers
from pmip_tw.net.radius_client import RadiusClient
from pmip_tw.secret import Secret
from pmip_tw.store.spool import SqliteSpool
from tests.observers import Notes

assert isinstance(installed, PosixReactorBase)
reactor = installed
NAS = Nas(identifier="mag1.example.net", address=ipv4("198.51.100.10"))
PATTERN = AccountingSession(id="", multi_id="m", nai=b"mn@example.net", home_address=ipv4("10.1.0.9"))
OPEN_AT_A_TIME = 20
EVERY = 0.01


class Teller:
    def __init__(self, spool: str, port: int) -> None:
        server = RadiusServer(
            endpoint=Endpoint(ipv4("127.0.0.1"), port),
            secret=Secret(b"testing123"),
            status_server=StatusServer.NO,
        )
        clock = ReactorClock(reactor)
        client = RadiusClient(
            reactor,
            clock,
            RadiusSettings(
                groups=(ServerGroup(name=ACCOUNTING, servers=(server,)),),
                nas=NAS,
                timeout=0.2,
                tries=2,
                dead_time=0.5,
            ),
            Notes(),
        )
        self.sessions: Sessions[str] = Sessions(interim_interval=0)
        self.accounting = Spooling(
            AccountingQueue(most_octets=1 << 24),
            SqliteSpool(spool, reactor=reactor),
            RadiusAccountingServers(client, Accountant(nas=NAS)),
            clock,
        )
        self.moved = 0

    @property
    def now(self) -> Now:
        return Now(time.monotonic(), time.time(), os.urandom)

    def take(self, effects: list[Effect]) -> None:
        for effect in effects:
            (self.accounting.record if isinstance(effect, Tell) else self.accounting.keep)(effect.record)

    def start(self) -> None:
        self.accounting.start()
        self.take(self.sessions.left(self.accounting.left_open(), self.now))
        for record in list(self.sessions.not_resumed)[::2]:
            self.sessions.resume(record.session_id, record.session_id, self.now)
        self.take(self.sessions.begun(self.now))

    def step(self) -> None:
        self.moved += 1000
        now = self.now
        session = replace(PATTERN, id=new_id(str(os.getpid()), now))
        self.take(self.sessions.serves(session.id, session, Usage(), now))
        if len(self.sessions) > OPEN_AT_A_TIME:
            self.end(self.sessions.all_open()[0][0])

    def end(self, session_id: str) -> None:
        self.take(self.sessions.over(session_id, TerminateCause.USER_REQUEST, Usage(self.moved), self.now))

    def finish(self) -> None:
        for session_id, _ in self.sessions.all_open():
            self.end(session_id)
        LoopingCall(self.leave_when_told).start(0.1)

    def leave_when_told(self) -> None:
        [row] = self.accounting.rows()
        if row["waiting"] == 0 and reactor.running:
            stopping = self.accounting.stop()
            assert stopping is not None
            stopping.addCallback(lambda _: reactor.stop())


def main(spool: str, port: str) -> None:
    teller = Teller(spool, int(port))
    teller.start()
    telling = LoopingCall(teller.step)
    telling.start(EVERY)

    def told() -> None:
        sys.stdin.readline()
        reactor.callFromThread(telling.stop)
        reactor.callFromThread(teller.finish)

    reactor.callInThread(told)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
