"""A Diameter peer from the first connection to the last word."""

import attrs
import pytest

from pmip_tw.aaa.diameter.node import DiameterNode
from pmip_tw.aaa.diameter.peer import CLOSING_SECONDS, CONNECT_SECONDS, GREETING_SECONDS, State
from pmip_tw.aaa.diameter.peer_effects import PeerPolicy
from pmip_tw.aaa.diameter.watchdog import Health
from pmip_tw.testing.clock import FakeClock
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avps
from pmip_tw.wire.diameter.codes import Code, Command, DisconnectCause, Result
from pmip_tw.wire.diameter.message import Header, Message
from tests.aaa.diameter.wires import MAG, Side, aar, answer, asr, cea, mag, server_identity
from tests.conformance import covers

PEER = "aaa1.example.net"


def opened() -> Side:
    side = mag(PEER)
    side.open(PEER)
    return side


def base(command: Command, *more: avps.Avp, request: bool = True) -> Message:
    header = Header(
        command=command, application=0, request=request, proxiable=False, hop_by_hop=77, end_to_end=78
    )
    return Message(header=header, avps=Avps((*server_identity().origin, *more)))


class TestGreeting:
    @covers("AA23")
    def test_capabilities_come_first_and_nothing_else_before(self) -> None:
        side = mag(PEER)
        side.ask(aar())
        assert side.connecting == [PEER] and side.sent == []
        side.run(side.node.connected(PEER, side.clock.now()))
        [cer] = side.take()
        assert cer.name == "CER" and not cer.header.proxiable
        assert cer.avps.text(Code.ORIGIN_HOST) == MAG.host
        assert cer.avps.address(Code.HOST_IP_ADDRESS) == MAG.address
        assert cer.avps.number(Code.ORIGIN_STATE_ID) == MAG.state_id
        assert cer.avps.all(Code.AUTH_APPLICATION_ID) == (b"\0\0\0\1", b"\0\0\0\5")
        assert cer.avps.all(Code.ACCT_APPLICATION_ID) == (b"\0\0\0\3",)
        side.receive(PEER, cea(cer, PEER, (0xFFFFFFFF,)))
        assert side.node.peers[PEER].state is State.OPEN
        assert side.names() == ["AAR"], "what waited goes out"

    def test_both_sides_of_one_machine_understand_each_other(self) -> None:
        clock = FakeClock()
        one = mag(PEER, clock=clock)
        other = Side(DiameterNode(server_identity(), {}, clock.now()), clock)
        one.run(one.node.connected(PEER, clock.now()))
        other.run(other.node.accepted("link", PeerPolicy(host="", accepting=True), clock.now()))
        [cer] = one.take()
        other.receive("link", cer)
        [answered] = other.take()
        one.receive(PEER, answered)
        assert one.node.peers[PEER].state is other.node.peers["link"].state is State.OPEN
        assert other.node.peers["link"].host == MAG.host

    @pytest.mark.parametrize(
        ("host", "applications", "result", "words"),
        [
            ("other.example.net", (1,), 2001, "calls itself other.example.net"),
            (PEER, (4, 16777251), 2001, "none of our applications 1, 3, 5, only 4, 16777251"),
            (PEER, (), 2001, "none of our applications"),
            (PEER, (1,), 3010, "UNKNOWN_PEER"),
            (MAG.host, (1,), 2001, "as we do"),
        ],
    )
    def test_a_peer_that_cannot_be_used_is_left_and_tried_again(
        self, host: str, applications: tuple[int, ...], result: int, words: str
    ) -> None:
        side = mag(PEER)
        side.run(side.node.connected(PEER, side.clock.now()))
        [cer] = side.take()
        side.receive(PEER, cea(cer, host, applications, result))
        assert side.disconnected == [PEER]
        assert words in side.node.peers[PEER].cause
        side.connecting.clear()
        side.wait(2)
        assert side.connecting == [PEER]

    def test_a_peer_that_never_says_cea(self) -> None:
        side = mag(PEER)
        side.run(side.node.connected(PEER, side.clock.now()))
        side.wait(GREETING_SECONDS - 0.1)
        assert side.disconnected == []
        side.wait(0.2)
        assert side.disconnected == [PEER]
        assert side.reasons("diameter-peer-down") == ["no-greeting"]

    @pytest.mark.parametrize("message", [base(Command.DEVICE_WATCHDOG), asr(), answer(aar())])
    def test_anything_else_in_place_of_the_cea_ends_it(self, message: Message) -> None:
        side = mag(PEER)
        side.run(side.node.connected(PEER, side.clock.now()))
        side.take()
        side.receive(PEER, message)
        assert side.disconnected == [PEER] and side.sent == [] and side.requested == []

    def test_who_connects_and_is_of_no_use_is_told_why(self) -> None:
        clock = FakeClock()
        server = Side(DiameterNode(server_identity(), {}, clock.now()), clock)
        server.run(server.node.accepted("link", PeerPolicy(host="", accepting=True), clock.now()))
        cer = base(Command.CAPABILITIES_EXCHANGE, avps.unsigned32(Code.AUTH_APPLICATION_ID, 4))
        cer = attrs.evolve(
            cer, avps=Avps((*MAG.origin, *(a for a in cer.avps if a.code == Code.AUTH_APPLICATION_ID)))
        )
        server.receive("link", cer)
        [told] = server.take()
        assert told.result == Result.NO_COMMON_APPLICATION
        assert server.disconnected == ["link"] and server.node.peers == {}


class TestConnections:
    def test_attempts_become_rarer_up_to_tc(self) -> None:
        side = mag(PEER)
        pauses = []
        for _ in range(8):
            side.connecting.clear()
            side.run(side.node.connection_failed(PEER, "refused", side.clock.now()))
            began = side.clock.monotonic
            while not side.connecting:
                side.wait(0.25)
            pauses.append(side.clock.monotonic - began)
        assert pauses[0] < 1.6
        assert 30 * 0.75 <= pauses[-1] <= 30 * 1.25 + 0.25
        downs = side.reasons("diameter-peer-down")
        assert downs == ["connection-failed"], "the same cause is told once"

    def test_a_connection_that_never_comes(self) -> None:
        side = mag(PEER)
        side.wait(CONNECT_SECONDS + 0.1)
        assert side.disconnected == [PEER]
        assert "no connection in 10 s" in side.node.peers[PEER].cause

    @pytest.mark.parametrize("octets", [b"HTTP/1.1 400 Bad Request", b"\x16\x03\x01", b"\1\xff\xff\xff"])
    def test_a_stream_that_is_no_diameter_is_closed(self, octets: bytes) -> None:
        side = opened()
        side.receive(PEER, octets)
        assert side.disconnected == [PEER]
        assert side.reasons("diameter-peer-down") == ["malformed"]

    def test_a_stream_may_be_cut_anywhere(self) -> None:
        side = opened()
        stream = 2 * base(Command.DEVICE_WATCHDOG).encode()
        for octet in stream:
            side.receive(PEER, bytes((octet,)))
        assert side.names() == ["DWA", "DWA"]


class TestMessages:
    def test_a_watchdog_is_answered_with_our_state(self) -> None:
        side = opened()
        side.receive(PEER, base(Command.DEVICE_WATCHDOG))
        [dwa] = side.take()
        assert (dwa.name, dwa.result, dwa.header.hop_by_hop) == ("DWA", Result.SUCCESS, 77)
        assert dwa.avps.number(Code.ORIGIN_STATE_ID) == MAG.state_id

    def test_a_request_whose_avps_lie_is_answered_with_the_failed_avp(self) -> None:
        side = opened()
        octets = bytearray(asr().encode())
        octets[20 + 7] = 0xFF  # Session-Id is longer than the message
        side.receive(PEER, bytes(octets))
        [told] = side.take()
        assert (told.name, told.result) == ("ASA", Result.INVALID_AVP_LENGTH)
        failed = told.avps.group(Code.FAILED_AVP)
        assert failed is not None and [avp.code for avp in failed] == [Code.SESSION_ID]
        assert not told.header.error
        assert side.node.peers[PEER].state is State.OPEN and side.requested == []

    def test_an_answer_that_cannot_be_read_is_only_noted(self) -> None:
        side = opened()
        octets = bytearray(answer(asr()).encode())
        octets[20 + 7] = 0xFF
        side.receive(PEER, bytes(octets))
        assert side.sent == [] and side.reasons("diameter-discarded") == ["malformed"]

    def test_capabilities_are_exchanged_once(self) -> None:
        side = opened()
        side.receive(PEER, base(Command.CAPABILITIES_EXCHANGE))
        [told] = side.take()
        assert told.result == Result.UNABLE_TO_COMPLY
        assert side.node.peers[PEER].state is State.OPEN

    def test_a_peer_that_has_restarted_is_told(self) -> None:
        side = opened()
        for state in (5, 5, 6):
            side.receive(PEER, base(Command.DEVICE_WATCHDOG, avps.unsigned32(Code.ORIGIN_STATE_ID, state)))
        assert len(side.reasons("diameter-peer-restarted")) == 1


class TestWatchdog:
    """RFC 3539 3.4.1."""

    def test_a_silent_connection_is_asked_and_an_answer_is_enough(self) -> None:
        side = opened()
        for _ in range(5):
            side.wait(32.1)
            [dwr] = side.take()
            assert dwr.name == "DWR"
            side.receive(PEER, answer(dwr))
        assert side.node.peers[PEER].usable

    def test_traffic_takes_the_place_of_a_watchdog(self) -> None:
        side = opened()
        for _ in range(8):
            side.wait(20)
            side.receive(PEER, base(Command.DEVICE_WATCHDOG))
            assert side.names() == ["DWA"]

    def test_silence_makes_it_suspect_then_closes_it(self) -> None:
        side = opened()
        side.wait(32.1)
        assert side.names() == ["DWR"]
        side.wait(32.1)
        assert side.node.peers[PEER].health is Health.SUSPECT
        assert "no answer to a DWR" in side.node.peers[PEER].cause, "an operator is shown why"
        assert side.sent == [] and side.disconnected == []
        side.wait(32.1)
        assert side.disconnected == [PEER]
        assert side.reasons("diameter-peer-down") == ["watchdog"]

    @pytest.mark.parametrize("by", ["DWA", "DWR"])
    def test_a_suspect_that_speaks_is_well(self, by: str) -> None:
        side = opened()
        side.wait(32.1)
        [dwr] = side.take()
        side.wait(32.1)
        side.receive(PEER, answer(dwr) if by == "DWA" else base(Command.DEVICE_WATCHDOG))
        assert side.node.peers[PEER].health is Health.OKAY
        assert side.reasons("diameter-peer-recovered") == [""]
        assert side.node.peers[PEER].cause == ""

    def test_who_was_closed_by_it_answers_three_times_before_it_counts_again(self) -> None:
        side = opened()
        side.wait_for_connect(PEER, within=100)
        side.take()
        side.open(PEER)
        assert side.node.peers[PEER].health is Health.REOPEN
        for number in range(3):
            assert not side.node.peers[PEER].usable
            side.wait(0.1 if number == 0 else 32.1)
            [dwr] = side.take()
            side.receive(PEER, answer(dwr))
        assert side.node.peers[PEER].usable

    def test_who_comes_back_and_says_nothing_is_closed_again(self) -> None:
        side = opened()
        side.wait_for_connect(PEER, within=100)
        side.take()
        side.open(PEER)
        side.disconnected.clear()
        side.wait(64.1)
        assert side.disconnected == [PEER]

    def test_who_closed_its_connection_by_itself_counts_at_once(self) -> None:
        side = opened()
        side.run(side.node.connection_lost(PEER, "reset", side.clock.now()))
        side.connecting.clear()
        side.wait(2)
        side.open(PEER)
        assert side.node.peers[PEER].usable


class TestGoodbye:
    def test_ours_is_said_and_answered(self) -> None:
        side = opened()
        side.run(side.node.stop(side.clock.now()))
        [dpr] = side.take()
        assert (dpr.name, dpr.avps.number(Code.DISCONNECT_CAUSE)) == ("DPR", DisconnectCause.REBOOTING)
        assert not side.node.closed
        side.receive(PEER, answer(dpr))
        assert side.node.closed and side.disconnected == [PEER]
        assert side.node.next_deadline() is None

    def test_ours_waits_for_nobody(self) -> None:
        side = opened()
        side.run(side.node.stop(side.clock.now()))
        side.wait(CLOSING_SECONDS + 0.1)
        assert side.node.closed and side.node.next_deadline() is None

    def test_theirs_is_answered_and_we_come_back(self) -> None:
        side = opened()
        side.receive(
            PEER,
            base(Command.DISCONNECT_PEER, avps.unsigned32(Code.DISCONNECT_CAUSE, DisconnectCause.REBOOTING)),
        )
        assert side.names() == ["DPA"] and side.disconnected == [PEER]
        side.connecting.clear()
        side.wait(2)
        assert side.connecting == [PEER]

    def test_who_does_not_want_us_is_left_alone_for_tc(self) -> None:
        side = opened()
        unwanted = DisconnectCause.DO_NOT_WANT_TO_TALK_TO_YOU
        side.receive(PEER, base(Command.DISCONNECT_PEER, avps.unsigned32(Code.DISCONNECT_CAUSE, unwanted)))
        assert "do not want to talk to you" in side.node.peers[PEER].cause
        side.connecting.clear()
        side.wait(20)
        assert side.connecting == []
        side.wait(20)
        assert side.connecting == [PEER]
