"""An unmodified radclient asks a MAG and an LMA (RFC 5176): what it accepts as an answer is one.

radclient -- UDP on loopback --> edge -- agent, engine, packet plane in memory
"""

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import attrs
import pytest

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.radius.authorization_server import AuthorizationPolicy
from pmip_tw.aaa.verdicts import AuthorizeOnly
from pmip_tw.addresses import ipv4, ipv4_text, mac_text
from pmip_tw.interfaces import ISessions
from pmip_tw.mobility.filter_grammar import filter_rule
from pmip_tw.mobility.packet_filters import PacketFilter
from pmip_tw.net.dynamic_authorization import DynamicAuthorization
from pmip_tw.secret import Secret
from tests.agents.world import World
from tests.clocks import UnarmedClock
from tests.conformance import covers
from tests.loops import private_reactor, run_until
from tests.observers import Notes
from tests.programs import require

SECRET = "what the AAA server knows"
LOOPBACK = ipv4("127.0.0.1")
NO_MAIL = PacketFilter("no-mail", (filter_rule("deny both udp any port 25"),), permits_others=True)

_ANSWER = re.compile(r"^Received (\S+) Id", re.MULTILINE)
_CAUSE = re.compile(r"Error-Cause = (\S+)")


@attrs.frozen(slots=True)
class Answer:
    """``code``: as radclient calls it, "" if it has believed nothing; ``text``: all that it says."""

    code: str
    cause: str
    text: str


class Client:
    """radclient, and the edge that it asks about ``sessions``."""

    def __init__(self, stack: ExitStack, directory: Path, sessions: ISessions) -> None:
        self.reactor = stack.enter_context(private_reactor())
        self.notes = Notes()
        self._secret = directory / "secret"
        self._secret.write_text(SECRET + "\n")
        self._secret.chmod(0o600)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        policy = AuthorizationPolicy(
            clients={LOOPBACK: Secret(SECRET.encode())},
            nas=Nas(identifier="mag1.example.net", address=LOOPBACK),
            ahead=0.0,  # nobody waits until it hears
        )
        edge = DynamicAuthorization(
            self.reactor,
            UnarmedClock(),
            policy,
            sessions,
            self.notes,
            local=LOOPBACK,
            port=self._port,
            address=lambda: LOOPBACK,
        )
        edge.start()
        stack.callback(edge.stop)

    def ask(self, kind: str, *attributes: str, at: float | None = 0.0, secret: Path | None = None) -> Answer:
        """``at``: seconds from now that the request says it is of; None: it does not say."""
        pairs = list(attributes)
        if at is not None:
            pairs.append(f"Event-Timestamp = {int(time.time() + at)}")
        said = subprocess.Popen(
            [
                "radclient",
                "-x",
                "-r",
                "1",
                "-t",
                "2",
                "-S",
                str(secret or self._secret),
                f"127.0.0.1:{self._port}",
                kind,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert said.stdin is not None and said.stdout is not None
        with said.stdin as request:
            request.write("\n".join(pairs) + "\n")
        run_until(self.reactor, lambda: said.poll() is not None)
        with said.stdout as output:
            text = output.read()
        found, cause = _ANSWER.search(text), _CAUSE.search(text)
        return Answer(found[1] if found else "", cause[1] if cause else "", text)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    require("radclient")
    with ExitStack() as found:
        yield found


class TestMag:
    """Its sessions, with one node registered."""

    @pytest.fixture(autouse=True)
    def _there(self, stack: ExitStack, tmp_path: Path) -> None:
        self.world = World(mag_settings={"filters": {"no-mail": NO_MAIL}})
        self.node, self.station = self.world.mags[0], self.world.stations[0]
        self.home = self.world.attach(self.station, self.node)
        self.client = Client(stack, tmp_path, self.node.agent.sessions)
        self.who = f'User-Name = "{self.station.nai}"'

    @covers("AA14", "AA17", "AA5")
    def test_disconnect(self) -> None:
        answer = self.client.ask(
            "disconnect", self.who, 'NAS-Identifier = "mag1.example.net"', "Message-Authenticator = 0x00"
        )
        assert answer.code == "Disconnect-ACK", answer.text
        assert "Acct-Terminate-Cause = Admin-Reset" in answer.text
        self.world.network.deliver()
        assert self.node.states == {}
        assert len(self.world.lma_engine.bindings) == 0
        again = self.client.ask("disconnect", self.who)
        assert (again.code, again.cause) == ("Disconnect-NAK", "Session-Context-Not-Found")

    @covers("AA15", "AA19")
    def test_a_session_by_all_that_is_known_of_it(self) -> None:
        [visitor] = self.node.engine.visitors
        answer = self.client.ask(
            "disconnect",
            self.who,
            f"Framed-IP-Address = {ipv4_text(self.home)}",
            f'Calling-Station-Id = "{mac_text(self.station.mac, "-").upper()}"',
            f'Acct-Session-Id = "{visitor.accounting_id}"',
            f'NAS-Port-Id = "{visitor.key.port}"',
            "Proxy-State = 0x6f6e65",
            "Proxy-State = 0x74776f",
        )
        assert answer.code == "Disconnect-ACK", answer.text
        received = answer.text[answer.text.index("Received") :]
        assert received.index("0x6f6e65") < received.index("0x74776f")

    @covers("AA18", "AA25")
    def test_change(self) -> None:
        answer = self.client.ask(
            "coa", self.who, 'Filter-Id = "no-mail"', "Session-Timeout = 600", "Idle-Timeout = 300"
        )
        assert answer.code == "CoA-ACK", answer.text
        [visitor] = self.node.engine.visitors
        assert visitor.filters == (NO_MAIL,)
        before = len(self.world.plane.delivered)
        self.world.hear(self.node, self.station.data(self.home, port=25))
        self.world.hear(self.node, self.station.data(self.home, port=80))
        assert len(self.world.plane.delivered) == before + 1

    @covers("AA16", "AA18", "AA25")
    @pytest.mark.parametrize(
        ("attributes", "cause"),
        [
            (['Filter-Id = "unheard-of"'], "Invalid-Attribute-Value"),
            (["Framed-MTU = 1400"], "Unsupported-Attribute"),
            (["Service-Type = Login-User"], "Unsupported-Service"),
            (["Service-Type = Authorize-Only"], "Missing-Attribute"),
            (['NAS-Identifier = "mag2.example.net"', "Session-Timeout = 60"], "NAS-Identification-Mismatch"),
            ([], "Missing-Attribute"),
        ],
        ids=str,
    )
    def test_refusals(self, attributes: list[str], cause: str) -> None:
        answer = self.client.ask("coa", self.who, *attributes)
        assert (answer.code, answer.cause) == ("CoA-NAK", cause), answer.text

    @covers("AA16")
    def test_authorize_only(self) -> None:
        answer = self.client.ask("coa", self.who, "Service-Type = Authorize-Only", "State = 0x7374617465")
        assert (answer.code, answer.cause) == ("CoA-NAK", "Request-Initiated"), answer.text
        assert "Service-Type = Authorize-Only" in answer.text[answer.text.index("Received") :]
        self.world.advance(1)
        assert self.node.aaa.asked[-1] == AuthorizeOnly(
            mac=self.station.mac, port="acc0", nai=self.station.nai, state=b"state"
        )
        assert list(self.node.states.values()) == ["registered"]

    @covers("AA14")
    @pytest.mark.parametrize(("at", "reason"), [(-400, "event-timestamp"), (None, "no-event-timestamp")])
    def test_out_of_time(self, at: float | None, reason: str) -> None:
        assert self.client.ask("disconnect", self.who, at=at).code == ""
        assert [note.reason for note in self.client.notes.named("message-discarded")] == [reason]
        assert list(self.node.states.values()) == ["registered"]

    @covers("AA14")
    def test_another_secret(self, tmp_path: Path) -> None:
        wrong = tmp_path / "wrong"
        wrong.write_text("another secret\n")
        assert self.client.ask("disconnect", self.who, secret=wrong).code == ""
        [note] = self.client.notes.named("message-discarded")
        assert note.reason == "bad-authenticator"
        assert list(self.node.states.values()) == ["registered"]


@covers("AA17", "AA26", "RV27")
def test_an_lma(stack: ExitStack, tmp_path: Path) -> None:
    world = World(lma_settings={"filters": {"no-mail": NO_MAIL}})
    [station, _], [node, _] = world.stations, world.mags
    home = world.attach(station, node)
    client = Client(stack, tmp_path, world.lma.sessions)
    who = f'User-Name = "{station.nai}"'
    assert client.ask("coa", who, 'Filter-Id = "no-mail"').code == "CoA-ACK"
    assert [entry.filters for entry in world.plane.snapshot()] == [(NO_MAIL,)]
    assert client.ask("coa", who, "Session-Timeout = 60", "Idle-Timeout = 50").code == "CoA-ACK"
    [bound] = world.lma_engine.bindings
    assert bound.terms.limits is not None and bound.terms.limits.idle_timeout == 50
    gone = client.ask("disconnect", f"Framed-IP-Address = {ipv4_text(home)}")
    assert gone.code == "Disconnect-ACK", gone.text
    world.network.deliver()
    assert (node.states, len(world.lma_engine.bindings)) == ({}, 0)
