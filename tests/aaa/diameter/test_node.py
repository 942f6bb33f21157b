"""Where requests go, and what becomes of them."""

import attrs
import pytest

from pmip_tw.aaa.diameter.node import MAXIMUM_ASKED, Answered, Unanswered
from pmip_tw.aaa.diameter.peer_effects import PeerPolicy
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avp, Avps
from pmip_tw.wire.diameter.codes import Code, Command, Result
from pmip_tw.wire.diameter.message import Message
from tests.aaa.diameter.wires import Side, aar, answer, asr, mag
from tests.conformance import covers

ONE, TWO = "aaa1.example.net", "aaa2.example.net"


def both(**policy: object) -> Side:
    side = mag(ONE, TWO, **policy)
    side.open(ONE)
    side.open(TWO)
    return side


def result_of(side: Side, number: int) -> int:
    outcome = side.outcomes[number]
    assert isinstance(outcome, Answered)
    return outcome.message.result


class TestRoutes:
    def test_the_first_peer_is_asked_while_it_is_well(self) -> None:
        side = both()
        numbers = [side.ask(aar(f"mag1.example.net;1;{n}")) for n in range(3)]
        asked = side.take(ONE)
        assert side.sent == []
        for message in reversed(asked):
            side.receive(ONE, answer(message))
        assert [result_of(side, number) for number in numbers] == 3 * [2001]
        assert len({message.header.hop_by_hop for message in asked}) == 3
        assert len({message.header.end_to_end for message in asked}) == 3

    def test_the_host_that_it_is_for_is_asked_itself(self) -> None:
        side = both()
        side.ask(aar(host=TWO.upper()))
        assert side.names(TWO) == ["AAR"] and side.sent == []

    def test_a_host_behind_a_relay(self) -> None:
        side = both()
        side.ask(aar(host="far.example.net"))
        assert side.names(ONE) == ["AAR"]

    def test_by_realm_and_application(self) -> None:
        side = mag(ONE, TWO)
        side.node.peers[ONE].policy = PeerPolicy(host=ONE, realms=frozenset({"other.example"}))
        side.open(ONE)
        side.open(TWO, applications=(3,))
        number = side.ask(aar())
        assert side.sent == []
        side.wait(10.1)
        outcome = side.outcomes[number]
        assert isinstance(outcome, Unanswered)
        assert "no peer leads to example.net with application 1" in outcome.cause

    @covers("AA23")
    def test_keys_are_only_believed_of_protected_peers(self) -> None:
        for keys in (False, True):
            side = mag(ONE, keys=keys)
            side.open(ONE)
            number = side.ask(aar())
            [message] = side.take()
            side.receive(ONE, answer(message))
            outcome = side.outcomes[number]
            assert isinstance(outcome, Answered) and outcome.keys is keys

    def test_session_ids_are_new_ones(self) -> None:
        side = mag(ONE)
        first, second = side.node.new_session_id(), side.node.new_session_id()
        assert first == f"mag1.example.net;{int(side.clock.wall)};1" and first != second


class TestFailover:
    @covers("AA23")
    def test_a_lost_connection_sends_it_elsewhere_with_the_t_flag_and_the_same_end_to_end(self) -> None:
        side = both()
        number = side.ask(aar())
        [first] = side.take(ONE)
        assert not first.header.retransmitted
        side.run(side.node.connection_lost(ONE, "reset", side.clock.now()))
        [second] = side.take(TWO)
        assert second.header.retransmitted
        assert second.header.end_to_end == first.header.end_to_end
        side.receive(TWO, answer(second))
        assert result_of(side, number) == 2001

    def test_so_does_a_suspect_whose_late_answer_counts_no_more(self) -> None:
        side = both(timeout=300.0)
        side.wait(32.1)
        for name in (ONE, TWO):
            [dwr] = side.take(name)
            if name == TWO:
                side.receive(TWO, answer(dwr))
        number = side.ask(aar())
        [first] = side.take(ONE)
        while not side.node.peers[ONE].health or side.node.peers[ONE].usable:
            side.wait(0.5)
        [second] = [message for message in side.take(TWO) if message.name == "AAR"]
        assert second.header.retransmitted
        side.receive(TWO, answer(second))
        assert result_of(side, number) == 2001
        side.receive(ONE, answer(first))
        assert side.reasons("diameter-discarded") == ["unasked"]

    def test_failback(self) -> None:
        """Once the first peer is back, new requests are its own; those under way stay where they are."""
        side = both()
        side.run(side.node.connection_lost(ONE, "reset", side.clock.now()))
        side.ask(aar("mag1.example.net;1;1"))
        assert side.names(TWO) == ["AAR"]
        side.connecting.clear()
        side.wait(2)
        side.open(ONE)
        assert side.sent == []
        side.ask(aar("mag1.example.net;1;2"))
        assert side.names(ONE) == ["AAR"] and side.sent == []

    def test_without_any_peer_it_waits_for_one(self) -> None:
        side = mag(ONE)
        number = side.ask(aar())
        side.wait(5)
        assert side.outcomes == {}
        side.open(ONE)
        [message] = side.take()
        assert not message.header.retransmitted
        side.receive(ONE, answer(message))
        assert result_of(side, number) == 2001

    def test_and_then_says_why_each_was_none(self) -> None:
        side = mag(ONE, TWO)
        side.run(side.node.connection_failed(ONE, "connection refused", side.clock.now()))
        number = side.ask(aar())
        side.connecting.clear()
        side.wait(10.1)
        outcome = side.outcomes[number]
        assert isinstance(outcome, Unanswered)
        assert "aaa1.example.net: connection refused" in outcome.cause and TWO in outcome.cause

    def test_a_peer_that_comes_back_after_silence_is_used_if_there_is_no_other(self) -> None:
        side = mag(ONE)
        side.open(ONE)
        side.wait_for_connect(ONE, within=100)
        side.take()
        side.open(ONE)
        assert side.node.peers[ONE].returning
        side.ask(aar())
        assert "AAR" in side.names()

    @pytest.mark.parametrize("result", [Result.TOO_BUSY, Result.UNABLE_TO_DELIVER])
    def test_who_cannot_now_leaves_it_to_the_next(self, result: Result) -> None:
        side = both()
        number = side.ask(aar())
        [first] = side.take(ONE)
        side.receive(ONE, answer(first, result))
        [second] = side.take(TWO)
        assert second.header.end_to_end == first.header.end_to_end
        assert not second.header.retransmitted, "it was not carried out by the first"
        side.receive(TWO, answer(second, result))
        assert result_of(side, number) == result, "nobody is left"
        assert side.sent == []

    def test_silence_ends_at_last(self) -> None:
        side = mag(ONE)
        side.open(ONE)
        number = side.ask(aar(), subject="02:00:00:00:00:01 on acc0")
        side.wait(10.1)
        outcome = side.outcomes[number]
        assert isinstance(outcome, Unanswered) and "gave no answer in 10 s" in outcome.cause
        [note] = [note for note in side.notes if note.name == "diameter-no-answer"]
        assert note.session == "02:00:00:00:00:01 on acc0"

    def test_there_is_a_limit_to_what_waits(self) -> None:
        side = mag(ONE)
        numbers = [side.ask(aar()) for _ in range(MAXIMUM_ASKED + 1)]
        assert list(side.outcomes) == [numbers[-1]]

    def test_stopping_ends_what_is_under_way(self) -> None:
        side = both()
        number = side.ask(aar())
        side.run(side.node.stop(side.clock.now()))
        assert isinstance(side.outcomes[number], Unanswered)


class TestAnswersNobodyAskedFor:
    def wrong(self, right: Message, kind: str) -> Message:
        import attrs

        header = right.header
        if kind == "session":
            others = [avp for avp in right.avps if avp.code != Code.SESSION_ID]
            return attrs.evolve(right, avps=avps.Avps((avps.text(Code.SESSION_ID, "x;1;1"), *others)))
        changed = {
            "identifier": {"hop_by_hop": header.hop_by_hop + 1},
            "end-to-end": {"end_to_end": header.end_to_end + 1},
            "command": {"command": Command.DIAMETER_EAP},
            "application": {"application": 5},
        }[kind]
        return attrs.evolve(right, header=attrs.evolve(header, **changed))

    @pytest.mark.parametrize("kind", ["identifier", "end-to-end", "command", "application", "session"])
    def test_they_are_noted_and_change_nothing(self, kind: str) -> None:
        side = mag(ONE)
        side.open(ONE)
        number = side.ask(aar())
        [message] = side.take()
        side.receive(ONE, self.wrong(answer(message), kind))
        assert side.outcomes == {} and side.reasons("diameter-discarded") == ["unasked"]
        side.receive(ONE, answer(message))
        assert result_of(side, number) == 2001

    def test_another_peer_cannot_answer_for_it(self) -> None:
        side = both()
        side.ask(aar())
        [message] = side.take(ONE)
        side.receive(TWO, answer(message))
        assert side.outcomes == {}

    def test_the_same_answer_twice(self) -> None:
        side = mag(ONE)
        side.open(ONE)
        side.ask(aar())
        [message] = side.take()
        side.receive(ONE, answer(message))
        side.receive(ONE, answer(message))
        assert side.reasons("diameter-discarded") == ["unasked"]

    def test_an_answer_without_a_result(self) -> None:
        side = mag(ONE)
        side.open(ONE)
        side.ask(aar())
        [message] = side.take()
        side.receive(ONE, message.answer())
        assert side.outcomes == {} and side.reasons("diameter-discarded") == ["malformed"]


class TestRequestsOfOthers:
    def test_what_we_serve_is_handed_up_and_answered(self) -> None:
        side = mag(ONE)
        side.open(ONE)
        side.receive(ONE, asr())
        [(peer, asked)] = side.requested
        side.run(side.node.respond(peer, answer(asked)))
        [told] = side.take()
        assert (told.name, told.header.hop_by_hop, told.header.end_to_end) == ("ASA", 9, 10)

    @pytest.mark.parametrize(
        ("message", "result"),
        [
            (asr(command=300), Result.COMMAND_UNSUPPORTED),
            (asr(command=Command.AA), Result.COMMAND_UNSUPPORTED),
            (asr(avps.text(Code.DESTINATION_REALM, "elsewhere.example")), Result.REALM_NOT_SERVED),
            (asr(avps.text(Code.DESTINATION_HOST, "mag2.example.net")), Result.UNABLE_TO_DELIVER),
            (asr(avps.text(Code.ROUTE_RECORD, "mag1.example.net")), Result.LOOP_DETECTED),
            (asr(Avp(code=9999)), Result.AVP_UNSUPPORTED),
            (asr(Avp(code=1, vendor=10415)), Result.AVP_UNSUPPORTED),
            (asr(session=""), Result.INVALID_AVP_VALUE),
        ],
        ids=["unknown", "not-served", "realm", "host", "loop", "avp", "vendor", "session"],
    )
    def test_what_we_do_not_is_refused(self, message: Message, result: Result) -> None:
        side = mag(ONE)
        side.open(ONE)
        side.receive(ONE, message)
        [told] = side.take()
        assert told.result == result
        assert told.header.error is (3000 <= result < 4000)
        assert told.avps.first(Code.SESSION_ID) is not None or message.session_id == ""
        assert side.requested == []

    @pytest.mark.parametrize(
        "message",
        [
            asr(Avp(code=9999, data=bytes(65_380))),
            attrs.evolve(
                asr(command=Command.AA), avps=Avps((avps.octets(Code.SESSION_ID, b"\xff" * 30_000),))
            ),
            asr(Avp(code=Code.DESTINATION_HOST, data=b"\xff" * 65_380)),
        ],
    )
    def test_a_refusal_is_short_however_long_the_request_is(self, message: Message) -> None:
        """Nothing that comes with it is lost: an answer of ours in the same octets is."""
        side = mag(ONE)
        side.open(ONE)
        number = side.ask(aar())
        [asked] = side.take()
        side.receive(ONE, message.encode() + answer(asked).encode())
        [refused] = side.take()
        assert not refused.header.request and refused.result >= 3000
        assert result_of(side, number) == Result.SUCCESS

    def test_what_cannot_be_answered_is_told(self) -> None:
        side = mag(ONE)
        side.open(ONE)
        side.receive(ONE, asr(Avp(code=Code.PROXY_INFO, data=bytes(65_400)), command=Command.AA))
        assert side.take() == []
        assert side.reasons("diameter-discarded")[-1] == "answer-too-long"
        assert side.node.peers[ONE].usable

    @pytest.mark.parametrize("command", [Command.ABORT_SESSION, Command.AA])
    def test_proxies_get_back_what_is_theirs(self, command: Command) -> None:
        """RFC 6733 6.2: every Proxy-Info, in order."""
        side = mag(ONE)
        side.open(ONE)
        infos = (Avp(code=Code.PROXY_INFO, data=b"one."), Avp(code=Code.PROXY_INFO, data=b"two."))
        side.receive(ONE, asr(*infos, command=command))
        for peer, message in side.requested:
            side.run(side.node.respond(peer, answer(message)))
        [answered] = side.take()
        assert answered.avps.all(Code.PROXY_INFO) == (b"one.", b"two.")

    def test_an_unknown_avp_that_may_be_ignored_is(self) -> None:
        side = mag(ONE)
        side.open(ONE)
        side.receive(ONE, asr(Avp(code=9999, mandatory=False)))
        assert len(side.requested) == 1

    def test_an_answer_for_a_peer_that_has_gone_is_dropped(self) -> None:
        side = mag(ONE)
        side.open(ONE)
        side.receive(ONE, asr())
        [(peer, asked)] = side.requested
        side.run(side.node.connection_lost(ONE, "reset", side.clock.now()))
        side.run(side.node.respond(peer, answer(asked)))
        assert side.sent == []
