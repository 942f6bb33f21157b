"""Diameter over real connections: TCP and TLS on loopback, two of our own nodes."""

from pathlib import Path

import pytest

from pmip_tw.aaa.diameter.node import Answered, Outcome, Unanswered
from pmip_tw.aaa.diameter.peer_effects import PeerPolicy
from pmip_tw.lab.certificates import Authority
from pmip_tw.net.diameter import DiameterClient
from tests.aaa.diameter.nodes import asker, over_tls, server, server_tls
from tests.aaa.diameter.wires import MAG, aar
from tests.clocks import UnarmedClock
from tests.conformance import covers
from tests.loops import private_reactor, run_until
from tests.observers import Notes

NAME = "aaa1.example.net"


def is_open(client: DiameterClient, peer: str = NAME) -> bool:
    return any(row["peer"] == peer and row["state"] == "open" for row in client.peers())


def cause_of(client: DiameterClient) -> str:
    [row] = client.peers()
    return str(row["cause"])


def tls_client(reactor, node, directory, authority, *, expects=NAME, own="") -> DiameterClient:  # type: ignore[no-untyped-def]
    way = over_tls(node.endpoint(reactor), directory, authority, expects, own=own)
    return DiameterClient(
        reactor, UnarmedClock(), Notes(), MAG, {NAME: PeerPolicy(host=NAME, keys=True)}, {NAME: way}
    )


class TestTcp:
    def test_a_request_and_its_answer_and_goodbye(self) -> None:
        with private_reactor() as reactor, server(reactor) as node:
            notes = Notes()
            client = asker(reactor, node, notes=notes)
            found: list[Outcome] = []
            client.start()
            client.ask(aar()).addCallback(found.append)
            run_until(reactor, lambda: found)
            [outcome] = found
            assert isinstance(outcome, Answered) and outcome.message.result == 2001 and outcome.peer == NAME
            gone: list[None] = []
            client.stop().addCallback(gone.append)
            run_until(reactor, lambda: gone)
            assert client.peers()[0]["state"] == "closed"
            run_until(reactor, lambda: node.client.peers() == [])
            client.stop().addCallback(gone.append)
            assert len(gone) == 2, "idempotent"
            assert [n.name for n in notes.all if "peer" in n.name] == [
                "diameter-peer-up",
                "diameter-peer-down",
            ]

    @covers("AA23")
    def test_failover_to_the_next_server(self) -> None:
        with private_reactor() as reactor, server(reactor, "aaa2") as second:
            with server(reactor, "aaa1", lambda asked: None) as first:
                client = asker(reactor, first, second)
                client.start()
                run_until(reactor, lambda: is_open(client) and is_open(client, "aaa2.example.net"))
                found: list[Outcome] = []
                client.ask(aar()).addCallback(found.append)
                run_until(reactor, lambda: first.asked)
                assert found == []
            run_until(reactor, lambda: found)
            [outcome] = found
            assert isinstance(outcome, Answered) and outcome.peer == "aaa2.example.net"
            assert second.asked[0].header.retransmitted
            assert second.asked[0].header.end_to_end == first.asked[0].header.end_to_end
            client.stop()

    def test_a_server_that_comes_later(self) -> None:
        with private_reactor() as reactor:
            with server(reactor) as node:
                pass
            client = asker(reactor, node)
            client.start()
            run_until(reactor, lambda: "refused" in cause_of(client))
            found: list[Outcome] = []
            client.ask(aar()).addCallback(found.append)
            with server(reactor, port=node.port):
                run_until(reactor, lambda: found)
            assert isinstance(found[0], Answered)
            client.stop()

    def test_many_at_a_time(self) -> None:
        with private_reactor() as reactor, server(reactor) as node:
            client = asker(reactor, node)
            client.start()
            found: list[Outcome] = []
            for number in range(1000):
                client.ask(aar(f"mag1.example.net;1;{number}")).addCallback(found.append)
            run_until(reactor, lambda: len(found) == 1000)
            assert all(isinstance(outcome, Answered) for outcome in found)
            client.stop()

    def test_what_is_outstanding_at_the_end_is_told(self) -> None:
        with private_reactor() as reactor, server(reactor, says=lambda asked: None) as node:
            client = asker(reactor, node)
            client.start()
            found: list[Outcome] = []
            client.ask(aar()).addCallback(found.append)
            run_until(reactor, lambda: node.asked)
            client.stop()
            assert [type(outcome) for outcome in found] == [Unanswered]
            client.ask(aar()).addCallback(found.append)
            assert isinstance(found[-1], Unanswered)


class TestTls:
    def test_both_show_who_they_are(self, tmp_path: Path) -> None:
        authority = Authority()
        with private_reactor() as reactor, server(reactor, tls=server_tls(authority, NAME, ask=True)) as node:
            client = tls_client(reactor, node, tmp_path, authority, own="mag1.example.net")
            client.start()
            found: list[Outcome] = []
            client.ask(aar()).addCallback(found.append)
            run_until(reactor, lambda: found)
            assert isinstance(found[0], Answered)
            gone: list[None] = []
            client.stop().addCallback(gone.append)
            run_until(reactor, lambda: gone and node.client.peers() == [])

    @covers("AA23")
    @pytest.mark.parametrize(
        ("called", "strangers", "words"),
        [
            ("other.example.net", False, "does not carry the name that is configured"),
            (NAME, True, "from nobody whom we trust"),
        ],
    )
    def test_who_is_not_whom_we_mean_gets_nothing(
        self, called: str, strangers: bool, words: str, tmp_path: Path
    ) -> None:
        authority = Authority()
        theirs = Authority("Somebody else") if strangers else authority
        with private_reactor() as reactor, server(reactor, tls=server_tls(theirs, called)) as node:
            client = tls_client(reactor, node, tmp_path, authority)
            client.start()
            run_until(reactor, lambda: words in cause_of(client))
            assert node.client.peers() == [], "not even our name"
            client.stop()

    def test_a_server_without_tls(self, tmp_path: Path) -> None:
        with private_reactor() as reactor, server(reactor) as node:
            client = tls_client(reactor, node, tmp_path, Authority())
            client.start()
            run_until(reactor, lambda: cause_of(client))
            assert not is_open(client)
            client.stop()

    def test_a_server_with_tls_that_we_do_not_expect(self) -> None:
        with (
            private_reactor() as reactor,
            server(reactor, tls=server_tls(Authority(), NAME)) as node,
        ):
            client = asker(reactor, node)
            client.start()
            run_until(reactor, lambda: cause_of(client))
            assert not is_open(client)
            client.stop()
