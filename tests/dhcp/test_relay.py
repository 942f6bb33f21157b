"""The relay agent of a MAG: what goes to the servers, and which of their answers come back (P63, D2-D17)."""

import attrs
import pytest

from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4, Mac, ipv4, mac
from pmip_tw.dhcp.discarded import Discarded
from pmip_tw.dhcp.questions import MOST_IN_A_SECOND, REPLY_WINDOW, SILENCE, Answer
from pmip_tw.dhcp.relay import MOST_FURTHER, Relay, Relayed, ToServer
from pmip_tw.dhcp.relaying import Circuit, RelayPolicy
from pmip_tw.errors import WireError
from pmip_tw.wire.dhcp import BOOTREPLY, BOOTREQUEST, BROADCAST_FLAG, DhcpMessage, MessageType, OptionCode
from tests.conformance import covers
from tests.vectors import vectors

NODE, OTHER_NODE = mac("02:00:00:00:00:01"), mac("02:00:00:00:00:02")
OURS = ipv4("198.51.100.10")
FIRST, SECOND, STRANGER = ipv4("198.51.100.67"), ipv4("198.51.100.68"), ipv4("198.51.100.99")
SUBNET = ipv4("10.20.0.0")
HOME = ipv4("10.20.0.5")
IDENTIFIER = b"\x01" + NODE
PLAIN = RelayPolicy(servers=(FIRST, SECOND), giaddr=OURS, subnet_selection=True)
CIRCUIT = Circuit(subnet=SUBNET)


def octets(address: Ipv4) -> bytes:
    return address.to_bytes(4, "big")


def asks(
    kind: MessageType,
    *,
    server: Ipv4 | None = None,
    more: tuple[tuple[int, bytes], ...] = (),
    **fields: object,
) -> DhcpMessage:
    options = [(53, bytes((kind,))), (61, IDENTIFIER), *more]
    if server is not None:
        options.append((54, octets(server)))
    values = {"op": BOOTREQUEST, "xid": 7, "chaddr": NODE, **fields}
    return DhcpMessage(options=tuple(options), **values)  # type: ignore[arg-type]


def says(
    kind: MessageType,
    *,
    server: Ipv4 = FIRST,
    lease: int = 600,
    subnet: Ipv4 | None = SUBNET,
    **fields: object,
) -> bytes:
    options = [(53, bytes((kind,))), (54, octets(server)), (51, lease.to_bytes(4, "big"))]
    if subnet is not None:
        options.append((118, octets(subnet)))
    values = {"op": BOOTREPLY, "xid": 7, "chaddr": NODE, "yiaddr": HOME, "giaddr": OURS, **fields}
    return DhcpMessage(options=tuple(options), **values).encode()  # type: ignore[arg-type]


DISCOVER, REQUEST = asks(MessageType.DISCOVER), asks(MessageType.REQUEST, server=FIRST)
INIT_REBOOT = asks(MessageType.REQUEST, more=((50, octets(HOME)),))
OFFER, ACK, NAK = says(MessageType.OFFER), says(MessageType.ACK), says(MessageType.NAK, yiaddr=UNSPECIFIED)


@pytest.fixture
def relay() -> Relay:
    return Relay(PLAIN)


def ask(relay: Relay, message: DhcpMessage, at: float = 100.0) -> list[DhcpMessage]:
    """What each server gets."""
    relayed = relay.asked(message, CIRCUIT, at)
    assert isinstance(relayed, Relayed), relayed
    sent = relayed.sent
    assert [one.server for one in sent] == [FIRST, SECOND]
    assert {one.source for one in sent} == {OURS}
    assert sent[0].payload == sent[1].payload
    return [DhcpMessage.decode(one.payload) for one in sent]


def answer(relay: Relay, payload: bytes, source: Ipv4 = FIRST, at: float = 100.5) -> DhcpMessage | Discarded:
    found = relay.answered(payload, Endpoint(source, 67), at)
    return found.message if isinstance(found, Answer) else found


@covers("P63", "D4", "D5")
class TestRequests:
    """Towards the servers."""

    def test_our_address_one_more_hop_and_the_subnet(self, relay: Relay) -> None:
        """Nothing else is changed."""
        asked = asks(MessageType.DISCOVER, secs=3, flags=BROADCAST_FLAG, sname=b"s", file=b"f")
        relayed = ask(relay, asked)[0]
        assert (relayed.giaddr, relayed.hops) == (OURS, 1)
        assert relayed.options == (*asked.options, (118, octets(SUBNET)))
        assert attrs.evolve(relayed, giaddr=UNSPECIFIED, hops=0, options=asked.options) == asked

    @covers("D17")
    def test_equals_the_vector_of_another_implementation(self, relay: Relay) -> None:
        """discover-subnet-selection names its own subnet, which is ours here."""
        [vector] = [one for one in vectors("dhcp") if one["name"] == "discover-subnet-selection"]
        theirs = DhcpMessage.decode(bytes.fromhex(vector["udp_payload_hex"]))
        selected = theirs.option(OptionCode.SUBNET_SELECTION)
        assert selected is not None
        plain = attrs.evolve(
            theirs, giaddr=UNSPECIFIED, hops=0, options=tuple(o for o in theirs.options if o[0] != 118)
        )
        policy = RelayPolicy(servers=(FIRST,), giaddr=theirs.giaddr or OURS, subnet_selection=True)
        relayed = Relay(policy).asked(plain, Circuit(subnet=Ipv4(int.from_bytes(selected, "big"))), 0)
        assert isinstance(relayed, Relayed)
        mine = DhcpMessage.decode(relayed.sent[0].payload)
        assert dict(mine.options) == dict(theirs.options)

    @covers("D17")
    def test_a_subnet_that_the_client_named_is_replaced(self, relay: Relay) -> None:
        relayed = ask(relay, asks(MessageType.DISCOVER, more=((118, octets(STRANGER)),)))[0]
        assert [value for code, value in relayed.options if code == 118] == [octets(SUBNET)]

    def test_without_a_subnet_the_servers_choose(self, relay: Relay) -> None:
        relayed = relay.asked(DISCOVER, Circuit(), 100.0)
        assert isinstance(relayed, Relayed)
        assert DhcpMessage.decode(relayed.sent[0].payload).option(118) is None
        assert isinstance(answer(relay, says(MessageType.OFFER, subnet=None)), DhcpMessage)

    def test_no_message_is_shorter_than_bootp_wants(self, relay: Relay) -> None:
        relayed = relay.asked(DISCOVER, CIRCUIT, 100.0)
        assert isinstance(relayed, Relayed)
        assert len(relayed.sent[0].payload) >= 300

    @covers("D3")
    def test_hops(self, relay: Relay) -> None:
        assert ask(relay, asks(MessageType.DISCOVER, hops=4))[0].hops == 5
        assert relay.asked(asks(MessageType.DISCOVER, hops=5), CIRCUIT, 100.0) is Discarded.TOO_MANY_HOPS

    @pytest.mark.parametrize("kind", [MessageType.OFFER, MessageType.ACK, MessageType.FORCERENEW, 17])
    def test_what_no_client_says(self, relay: Relay, kind: int) -> None:
        message = DhcpMessage(op=BOOTREQUEST, xid=7, chaddr=NODE, options=((53, bytes((kind,))),))
        assert relay.asked(message, CIRCUIT, 100.0) is Discarded.IGNORED

    def test_a_flood_of_one_client_is_cut_off_and_is_no_trouble_to_another(self, relay: Relay) -> None:
        for _ in range(MOST_IN_A_SECOND):
            ask(relay, DISCOVER)
        assert relay.asked(DISCOVER, CIRCUIT, 100.5) is Discarded.TOO_OFTEN
        ask(relay, asks(MessageType.DISCOVER, chaddr=OTHER_NODE), 100.6)
        ask(relay, DISCOVER, 101.0)

    @pytest.mark.parametrize("giaddr", [UNSPECIFIED, STRANGER])
    def test_nor_to_the_one_elsewhere_whose_mac_it_has_taken(self, relay: Relay, giaddr: Ipv4) -> None:
        elsewhere = attrs.evolve(CIRCUIT, port="elsewhere")
        flood = asks(MessageType.DISCOVER, giaddr=giaddr)
        for _ in range(MOST_IN_A_SECOND):
            assert isinstance(relay.asked(flood, elsewhere, 100.0), Relayed)
        assert relay.asked(flood, elsewhere, 100.0) is Discarded.TOO_OFTEN
        ask(relay, DISCOVER, 100.5)


@covers("AA9", "D5", "D10")
class TestAServerOfItsOwn:
    """AAA names one for this client: it is asked, and heard, by nobody else."""

    THERE = attrs.evolve(CIRCUIT, server=STRANGER)

    def test_it_is_asked_and_no_other(self, relay: Relay) -> None:
        relayed = relay.asked(DISCOVER, self.THERE, 100.0)
        assert isinstance(relayed, Relayed) and [one.server for one in relayed.sent] == [STRANGER]
        assert relay.servers_of(self.THERE) == "198.51.100.99"
        offer = says(MessageType.OFFER, server=STRANGER)
        assert answer(relay, OFFER) is Discarded.UNKNOWN_SERVER
        assert isinstance(answer(relay, offer, STRANGER), DhcpMessage)

    def test_it_is_none_of_anybody_elses(self, relay: Relay) -> None:
        relay.asked(asks(MessageType.DISCOVER, chaddr=OTHER_NODE), self.THERE, 100.0)
        ask(relay, DISCOVER)
        assert answer(relay, says(MessageType.OFFER, server=STRANGER), STRANGER) is Discarded.UNKNOWN_SERVER
        assert isinstance(answer(relay, OFFER), DhcpMessage)

    def test_as_many_as_there_are_are_remembered_within_bounds(self, relay: Relay) -> None:
        for number in range(2 * MOST_FURTHER):
            circuit = attrs.evolve(CIRCUIT, server=Ipv4(STRANGER + number))
            relay.asked(
                asks(MessageType.DISCOVER, chaddr=Mac(b"\2\0" + number.to_bytes(4, "big"))), circuit, 100.0
            )
        assert len(relay._further) == MOST_FURTHER


@covers("P63", "D9", "D10")
class TestAnswers:
    """Towards the clients."""

    def test_an_offer_and_an_ack_come_back_without_the_subnet(self, relay: Relay) -> None:
        ask(relay, DISCOVER)
        offer = answer(relay, OFFER)
        assert isinstance(offer, DhcpMessage)
        assert (offer.yiaddr, offer.option(118), offer.giaddr) == (HOME, None, OURS)
        ask(relay, REQUEST)
        found = relay.answered(ACK, Endpoint(FIRST, 67), 101.0)
        assert isinstance(found, Answer)
        assert (found.is_lease, found.asked, found.asked_at, found.server) == (True, REQUEST, 100.0, FIRST)

    def test_two_servers_offer_and_only_the_chosen_one_is_heard(self, relay: Relay) -> None:
        """The other's NAK would end what the first has given."""
        ask(relay, DISCOVER)
        assert isinstance(answer(relay, OFFER), DhcpMessage)
        assert isinstance(answer(relay, says(MessageType.OFFER, server=SECOND), SECOND), DhcpMessage)
        ask(relay, REQUEST)
        other = says(MessageType.NAK, server=SECOND, yiaddr=UNSPECIFIED)
        assert answer(relay, other, SECOND) is Discarded.UNEXPECTED
        assert isinstance(answer(relay, ACK), DhcpMessage)

    def test_after_one_server_has_decided_the_other_is_too_late(self, relay: Relay) -> None:
        """INIT-REBOOT and REBINDING name no server."""
        ask(relay, INIT_REBOOT)
        assert isinstance(answer(relay, ACK), DhcpMessage)
        for late in (says(MessageType.NAK, server=SECOND), says(MessageType.ACK, server=SECOND)):
            assert answer(relay, late, SECOND) is Discarded.UNEXPECTED
        ask(relay, INIT_REBOOT)
        assert isinstance(answer(relay, NAK), DhcpMessage)

    @pytest.mark.parametrize(
        ("payload", "source", "why"),
        [
            (OFFER, STRANGER, Discarded.UNKNOWN_SERVER),
            (asks(MessageType.DISCOVER, giaddr=OURS).encode(), FIRST, Discarded.NOT_A_REPLY),
            (says(MessageType.OFFER, giaddr=STRANGER), FIRST, Discarded.OTHER_RELAY),
            (says(MessageType.OFFER, giaddr=UNSPECIFIED), FIRST, Discarded.OTHER_RELAY),
            (says(MessageType.OFFER, xid=8), FIRST, Discarded.UNEXPECTED),
            (says(MessageType.OFFER, chaddr=OTHER_NODE), FIRST, Discarded.UNEXPECTED),
            (says(MessageType.ACK), FIRST, Discarded.UNEXPECTED),
            (says(MessageType.NAK), FIRST, Discarded.UNEXPECTED),
            (says(MessageType.FORCERENEW), FIRST, Discarded.UNEXPECTED),
            (says(MessageType.OFFER, subnet=None), FIRST, Discarded.SUBNET_IGNORED),
            (says(MessageType.OFFER, subnet=STRANGER), FIRST, Discarded.SUBNET_IGNORED),
            (says(MessageType.OFFER, yiaddr=UNSPECIFIED), FIRST, Discarded.INCOMPLETE),
            (says(MessageType.OFFER, yiaddr=ipv4("224.0.0.1")), FIRST, Discarded.INCOMPLETE),
            (says(MessageType.OFFER, lease=0), FIRST, Discarded.INCOMPLETE),
        ],
    )
    def test_what_is_discarded_does_not_spoil_the_right_answer(
        self, relay: Relay, payload: bytes, source: Ipv4, why: Discarded
    ) -> None:
        ask(relay, DISCOVER)
        assert answer(relay, payload, source) is why
        assert isinstance(answer(relay, OFFER), DhcpMessage)

    def test_octets_that_are_no_message(self, relay: Relay) -> None:
        ask(relay, DISCOVER)
        for cut in (b"", OFFER[:239], b"\x02" + bytes(300)):
            with pytest.raises(WireError):
                answer(relay, cut)

    def test_too_late_or_never_asked(self, relay: Relay) -> None:
        assert answer(relay, OFFER) is Discarded.UNEXPECTED
        ask(relay, DISCOVER, 100.0)
        assert answer(relay, OFFER, at=100.0 + REPLY_WINDOW + 0.1) is Discarded.UNEXPECTED

    def test_inform_needs_neither_address_nor_subnet(self, relay: Relay) -> None:
        ask(relay, asks(MessageType.INFORM, ciaddr=HOME))
        told = says(MessageType.ACK, yiaddr=UNSPECIFIED, lease=0, subnet=None)
        found = relay.answered(told, Endpoint(FIRST, 67), 100.5)
        assert isinstance(found, Answer)
        assert not found.is_lease

    def test_release_and_decline_have_no_answer(self, relay: Relay) -> None:
        for kind in (MessageType.RELEASE, MessageType.DECLINE):
            ask(relay, asks(kind, ciaddr=HOME, server=FIRST))
            assert relay.next_deadline() is None
            assert answer(relay, ACK) is Discarded.UNEXPECTED


@covers("P63")
class TestSilence:
    """Servers that say nothing are told about, once."""

    def test_once_and_in_order(self, relay: Relay) -> None:
        ask(relay, DISCOVER, 100.0)
        ask(relay, asks(MessageType.DISCOVER, chaddr=OTHER_NODE), 101.0)
        assert relay.next_deadline() == 100.0 + SILENCE
        assert relay.unanswered(100.0 + SILENCE - 0.1) == []
        assert [one.message for one in relay.unanswered(100.0 + SILENCE)] == [DISCOVER]
        assert [one.message.chaddr for one in relay.unanswered(101.0 + SILENCE)] == [OTHER_NODE]
        assert relay.unanswered(300.0) == []
        assert relay.next_deadline() is None

    def test_who_asks_again_and_again_has_waited_since_the_first_time(self, relay: Relay) -> None:
        """A client may ask more often than silence takes to be noticed; then it begins anew."""
        for again in range(5):
            ask(relay, DISCOVER, 100.0 + again * SILENCE / 4)
        ask(relay, asks(MessageType.DISCOVER, chaddr=OTHER_NODE), 101.0)
        assert relay.next_deadline() == 100.0 + SILENCE
        assert [one.message for one in relay.unanswered(100.0 + SILENCE)] == [DISCOVER]
        assert relay.next_deadline() == 101.0 + SILENCE
        ask(relay, DISCOVER, 103.5)
        assert [one.message.chaddr for one in relay.unanswered(103.5 + SILENCE)] == [
            OTHER_NODE,
            DISCOVER.chaddr,
        ]

    def test_a_release_ends_the_waiting(self, relay: Relay) -> None:
        ask(relay, REQUEST, 100.0)
        ask(relay, asks(MessageType.RELEASE, ciaddr=HOME, server=FIRST), 101.0)
        assert relay.unanswered(100.0 + SILENCE) == []
        assert relay.next_deadline() is None

    def test_an_answer_ends_the_waiting_and_a_new_question_begins_it_anew(self, relay: Relay) -> None:
        ask(relay, DISCOVER, 100.0)
        answer(relay, OFFER)
        assert relay.next_deadline() is None
        ask(relay, REQUEST, 102.0)
        assert [one.message for one in relay.unanswered(102.0 + SILENCE)] == [REQUEST]

    def test_clients_that_are_gone_are_forgotten(self, relay: Relay) -> None:
        """However many there were."""
        for number in range(500):
            client = mac(f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}")
            ask(relay, asks(MessageType.DISCOVER, chaddr=client), 100.0)
        for number in range(10):
            ask(relay, asks(MessageType.DISCOVER, chaddr=OTHER_NODE), 100.0 + REPLY_WINDOW + 1 + number)
        assert len(relay.waiting) == 1


@covers("P63")
def test_a_lease_is_given_back_in_the_clients_name(relay: Relay) -> None:
    """To the server that gave it, with the identity by which it knows the client."""
    ask(relay, REQUEST)
    lease = relay.answered(ACK, Endpoint(FIRST, 67), 100.5)
    assert isinstance(lease, Answer)
    given_back = relay.release(lease, 99)
    assert isinstance(given_back, ToServer)
    message = DhcpMessage.decode(given_back.payload)
    assert (given_back.server, message.op, message.xid) == (FIRST, BOOTREQUEST, 99)
    assert (message.message_type, message.ciaddr, message.chaddr) == (MessageType.RELEASE, HOME, NODE)
    assert (message.server_identifier, message.client_identifier) == (FIRST, IDENTIFIER)
    assert (message.giaddr, message.requested_address) == (UNSPECIFIED, None)
