"""However many clients there are, or pretend to be: what a relay remembers has bounds, and no step is long."""

import attrs
import pytest

from pmip_tw.addresses import Ipv4, Mac, ipv4
from pmip_tw.dhcp import clients as clients_room
from pmip_tw.dhcp import questions as questions_room
from pmip_tw.dhcp.clients import Clients
from pmip_tw.dhcp.questions import REPLY_WINDOW, SILENCE, Answer, Questions
from pmip_tw.dhcp.relaying import Circuit
from pmip_tw.wire.dhcp import BOOTREPLY, BOOTREQUEST, DhcpMessage, MessageType
from tests.conformance import covers

SERVER, OURS = ipv4("198.51.100.67"), ipv4("198.51.100.10")


def discover(number: int) -> DhcpMessage:
    mac = Mac(b"\2\0" + number.to_bytes(4, "big"))
    return DhcpMessage(op=BOOTREQUEST, xid=number, chaddr=mac, options=((53, b"\x01"),))


def offer(number: int) -> DhcpMessage:
    return DhcpMessage(op=BOOTREPLY, xid=number, chaddr=discover(number).chaddr, options=((53, b"\x02"),))


def lease(number: int, asked_at: float, seconds: int = 60) -> Answer:
    options = ((53, bytes((MessageType.ACK,))), (51, seconds.to_bytes(4, "big")))
    asked = discover(number)
    message = DhcpMessage(op=BOOTREPLY, xid=number, chaddr=asked.chaddr, yiaddr=Ipv4(number), options=options)
    return Answer(
        message=message, asked=asked, asked_at=asked_at, server=SERVER, circuit=Circuit(port="eth1")
    )


@covers("D10")
def test_of_too_many_the_oldest_question_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions_room, "MOST_QUESTIONS", 100)
    questions = Questions()
    for number in range(250):
        assert questions.put(discover(number), 100.0) is None
    assert [question.message.xid for question in questions.waiting] == list(range(150, 250))
    assert questions.answered_by(offer(149), 100.5) is None
    assert questions.answered_by(offer(150), 100.5) is not None
    assert len(questions._by_transaction) == len(questions._unheard) == 100


@covers("D14")
def test_of_too_many_leases_it_is_forgotten_who_gave_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions_room, "MOST_LESSORS", 100)
    questions = Questions()
    for number in range(1, 251):
        request = attrs.evolve(discover(number), options=((53, bytes((MessageType.REQUEST,))),))
        questions.put(request, 100.0, override=OURS)
        [question] = questions.waiting
        questions.settle(question, lease(number, 100.0).message, SERVER)
    assert len(questions._lessors) == 100

    def ends_by_another(number: int) -> bool:
        mac = discover(number).chaddr
        renewal = attrs.evolve(discover(number), ciaddr=Ipv4(number), options=((53, b"\x03"),))
        questions.put(renewal, 200.0, override=OURS)
        nak = DhcpMessage(op=BOOTREPLY, xid=number, chaddr=mac, options=((53, b"\x06"),))
        return questions.answered_by(nak, 200.1, Ipv4(SERVER + 1)) is not None

    assert ends_by_another(150) and not ends_by_another(151)


def test_silence_is_told_in_parts() -> None:
    """Of very many; the rest at once afterwards."""
    questions = Questions()
    for number in range(1000):
        questions.put(discover(number), 100.0)
    told = []
    for _ in range(10):
        part = questions.unanswered(100.0 + SILENCE)
        assert len(part) <= 256
        told += part
        deadline = questions.next_deadline()
        assert deadline is None or deadline <= 100.0 + SILENCE
    assert [question.message.xid for question in told] == list(range(1000))


def test_what_is_over_is_forgotten_a_little_at_a_time() -> None:
    questions = Questions()
    for number in range(1000):
        questions.put(discover(number), 100.0)
    later = 100.0 + REPLY_WINDOW + 1
    questions.put(discover(2000), later)
    assert 900 < len(questions.waiting) < 1000
    for number in range(20):
        questions.put(discover(3000 + number), later)
    assert len(questions.waiting) == 21
    assert len(questions._by_transaction) == 21


def test_clients_whose_lease_is_over_are_forgotten_and_so_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clients_room, "MOST_CLIENTS", 50)
    clients = Clients()
    for number in range(80):
        clients.leased(lease(number, 100.0))
    assert [client.address for client in clients] == list(range(30, 80))
    clients.leased(lease(30, 101.0))
    assert [client.address for client in clients][-1] == 30
    for number in range(5):
        clients.leased(lease(200 + number, 161.5))
    assert [client.address for client in clients] == [200, 201, 202, 203, 204]
