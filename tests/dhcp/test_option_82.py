"""What a relay tells servers of the place where a client is, and takes away again (RFC 3046, D1, D6-D9, D12-D18)."""

from collections.abc import Iterable

import attrs
import pytest

from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4, ipv4
from pmip_tw.dhcp.circuit_information import radius_attributes
from pmip_tw.dhcp.discarded import Discarded
from pmip_tw.dhcp.questions import Answer
from pmip_tw.dhcp.relay import Relay, Relayed
from pmip_tw.dhcp.relaying import Circuit, Fact, RelayPolicy, Spread
from pmip_tw.wire import dhcp_octets
from pmip_tw.wire.dhcp import DhcpMessage, MessageType, OptionCode
from pmip_tw.wire.relay_information import RelayInformation
from tests.conformance import covers
from tests.dhcp.test_relay import (
    DISCOVER,
    FIRST,
    HOME,
    NODE,
    OTHER_NODE,
    OURS,
    REQUEST,
    SECOND,
    STRANGER,
    SUBNET,
    asks,
    octets,
    says,
)
from tests.vectors import vectors

VECTORS = {vector["name"]: bytes.fromhex(vector["udp_payload_hex"]) for vector in vectors("dhcp")}
EVERYTHING = frozenset(Fact)
CIRCUIT = Circuit(
    circuit_id=b"mag1:wlan0.7",
    subscriber_id=b"mn1@example.net",
    radius=((1, b"mn1@example.net"),),
    subnet=SUBNET,
)


def relay_telling(*facts: Fact, **policy: object) -> Relay:
    settings = {"servers": (FIRST,), "giaddr": OURS, "option_82": frozenset(facts), **policy}
    return Relay(RelayPolicy(**settings))  # type: ignore[arg-type]


def sent(relay: Relay, message: DhcpMessage, circuit: Circuit = CIRCUIT, at: float = 100.0) -> bytes:
    relayed = relay.asked(message, circuit, at)
    assert isinstance(relayed, Relayed), relayed
    return relayed.sent[0].payload


def told(relay: Relay, message: DhcpMessage, circuit: Circuit = CIRCUIT) -> RelayInformation | None:
    found = DhcpMessage.decode(sent(relay, message, circuit)).option(OptionCode.RELAY_AGENT_INFORMATION)
    return None if found is None else RelayInformation.decode(found)


def from_client(message: DhcpMessage) -> DhcpMessage:
    """As it comes off the wire."""
    return DhcpMessage.decode(message.encode())


def answer(relay: Relay, payload: bytes, at: float = 100.5) -> Answer | Discarded:
    return relay.answered(payload, Endpoint(FIRST, 67), at)


class TestWhatIsTold:
    """Towards the servers."""

    @covers("D6", "D12", "D13", "D14", "D16")
    def test_equals_the_vector_of_another_implementation(self) -> None:
        """With every sub-option, to the octet; it has no padding."""
        relay = relay_telling(*EVERYTHING)
        relayed = sent(relay, DhcpMessage.decode(VECTORS["discover-from-client"]))
        assert relayed == VECTORS["discover-relayed-opt82"].ljust(300, b"\0")

    @covers("D1")
    def test_nothing_unless_it_is_wanted(self) -> None:
        assert told(relay_telling(), DISCOVER) is None

    @covers("D1")
    @pytest.mark.parametrize(
        ("fact", "codes"),
        [
            (Fact.CIRCUIT_ID, [1]),
            (Fact.REMOTE_ID, [2]),
            (Fact.LINK_SELECTION, [5]),
            (Fact.SUBSCRIBER_ID, [6]),
            (Fact.RADIUS, [7]),
            (Fact.SERVER_IDENTIFIER_OVERRIDE, [10, 11]),
        ],
    )
    def test_each_by_itself(self, fact: Fact, codes: list[int]) -> None:
        found = told(relay_telling(fact), DISCOVER)
        assert found is not None
        assert [code for code, _ in found.sub_options] == codes

    @covers("D12")
    def test_the_mac_unless_there_is_a_better_name_and_nothing_for_what_is_not_known(self) -> None:
        relay = relay_telling(*EVERYTHING)
        nobody = told(relay, DISCOVER, Circuit())
        assert nobody is not None
        assert (nobody.remote_id, nobody.circuit_id, nobody.subscriber_id) == (NODE, None, None)
        assert nobody.link_selection is None
        named = told(relay, DISCOVER, Circuit(remote_id=b"line 7"))
        assert named is not None and named.remote_id == b"line 7"
        assert told(relay_telling(Fact.SUBSCRIBER_ID), DISCOVER, Circuit()) is None

    @covers("D13")
    @pytest.mark.parametrize(
        "kind",
        [
            MessageType.DISCOVER,
            MessageType.REQUEST,
            MessageType.RELEASE,
            MessageType.DECLINE,
            MessageType.INFORM,
        ],
    )
    def test_link_selection_is_on_all_messages_and_goes_before_option_118(self, kind: MessageType) -> None:
        relay = relay_telling(Fact.LINK_SELECTION, subnet_selection=True)
        message = asks(kind, ciaddr=HOME, server=FIRST)
        found = told(relay, message)
        assert found is not None and found.link_selection == SUBNET
        relay = relay_telling(Fact.LINK_SELECTION, subnet_selection=True)
        relayed = DhcpMessage.decode(sent(relay, DISCOVER))
        assert (relayed.giaddr, relayed.option(118)) == (OURS, None)
        assert isinstance(answer(relay, says(MessageType.OFFER, subnet=None)), Answer)

    @covers("D14")
    def test_the_flags_say_whether_the_client_spoke_to_one(self) -> None:
        relay = relay_telling(Fact.SERVER_IDENTIFIER_OVERRIDE)
        broadcast = told(relay, DISCOVER)
        alone = told(relay, asks(MessageType.REQUEST, ciaddr=HOME), attrs.evolve(CIRCUIT, unicast=True))
        assert broadcast is not None and not broadcast.unicast
        assert alone is not None and alone.unicast
        assert alone.server_identifier_override == OURS

    @covers("D14")
    def test_all_messages_go_to_all_servers(self) -> None:
        relay = relay_telling(Fact.SERVER_IDENTIFIER_OVERRIDE, servers=(FIRST, SECOND))
        for message in (
            DISCOVER,
            asks(MessageType.REQUEST, server=OURS),
            asks(MessageType.RELEASE, server=OURS, ciaddr=HOME),
        ):
            relayed = relay.asked(message, CIRCUIT, 100.0)
            assert isinstance(relayed, Relayed)
            assert [one.server for one in relayed.sent] == [FIRST, SECOND]

    def test_a_circuit_may_have_an_address_of_its_own(self) -> None:
        """One relay, many links: each answer comes to the link's address, and belongs there."""
        other = ipv4("198.51.100.11")
        policy = RelayPolicy(
            servers=(FIRST,), giaddr=OURS, option_82=frozenset((Fact.SERVER_IDENTIFIER_OVERRIDE,))
        )
        relay = Relay(policy, (other,))
        relayed = relay.asked(DISCOVER, attrs.evolve(CIRCUIT, giaddr=other), 100.0)
        assert isinstance(relayed, Relayed)
        [one] = relayed.sent
        message = DhcpMessage.decode(one.payload)
        assert (one.source, message.giaddr) == (other, other)
        assert RelayInformation.decode(message.option(82) or b"").server_identifier_override == other
        assert answer(relay, says(MessageType.OFFER, subnet=None)) is Discarded.UNEXPECTED
        assert isinstance(answer(relay, says(MessageType.OFFER, subnet=None, giaddr=other)), Answer)


class TestRadiusAttributes:
    """D16."""

    ACCEPTED = (
        (26, b"\0\0\x60\xb5\x01\x06key!"),
        (27, b"\0\0\x0e\x10"),
        (2, b"password"),
        (88, b"pool-7"),
        (1, b"mn1"),
        (80, bytes(16)),
        (25, b"class"),
        (69, b"tunnel-password"),
        (64, b"\0\0\0\x03"),
    )

    def radius(self, accepted: Iterable[tuple[int, bytes]], **circuit: object) -> bytes | None:
        found = told(
            relay_telling(*EVERYTHING), DISCOVER, attrs.evolve(CIRCUIT, radius=tuple(accepted), **circuit)
        )
        assert found is not None
        assert [code for code, _ in found.sub_options].count(7) <= 1
        return found.value(7)

    @covers("D16")
    def test_names_and_pools_first_and_never_a_key(self) -> None:
        """Vendors' attributes may be keys, whatever else they are."""
        assert self.radius(self.ACCEPTED) == b"\x01\x05mn1" + b"\x58\x08pool-7" + b"\x1b\x06\0\0\x0e\x10"

    @covers("D16")
    @pytest.mark.parametrize(("room", "told"), [(4, b""), (5, b"\x01\x05mn1"), (6, b"\x01\x05mn1")])
    def test_what_fits_to_the_octet(self, room: int, told: bytes) -> None:
        assert radius_attributes(((1, b"mn1"),), room) == told

    @covers("D16")
    def test_whole_attributes_or_none(self) -> None:
        """The pool does not fit any more; what is smaller does."""
        accepted = ((1, bytes(60)), (88, bytes(100)), (27, bytes(4)))
        found = self.radius(accepted, circuit_id=bytes(80))
        assert found == b"\x01\x3e" + bytes(60) + b"\x1b\x06" + bytes(4)

    @covers("D16")
    @pytest.mark.parametrize("accepted", [(), ((26, b"vendor"),), ((1, b""),), ((1, bytes(254)),)])
    def test_nothing_to_tell(self, accepted: tuple[tuple[int, bytes], ...]) -> None:
        assert self.radius(accepted) is None


class TestSize:
    """D8."""

    def shortened(self, relay: Relay, message: DhcpMessage, circuit: Circuit = CIRCUIT) -> tuple[bool, bool]:
        """Whether it is said that option 82 is missing, and whether it is."""
        relayed = relay.asked(message, circuit, 100.0)
        assert isinstance(relayed, Relayed)
        message = DhcpMessage.decode(relayed.sent[0].payload)
        assert message.giaddr == OURS
        return relayed.shortened, message.option(82) is None

    @covers("D8")
    def test_what_would_be_too_long_for_the_link_goes_without(self) -> None:
        long = from_client(asks(MessageType.DISCOVER, more=((77, bytes(255)), (78, bytes(255)))))
        room = len(long.octets) + 2 + 14 + 28
        fits = relay_telling(Fact.CIRCUIT_ID, max_size=room)
        assert self.shortened(fits, long) == (False, False)
        tight = relay_telling(Fact.CIRCUIT_ID, max_size=room - 1)
        assert self.shortened(tight, long) == (True, True)
        assert self.shortened(tight, DISCOVER) == (False, False)

    @covers("D8")
    def test_padding_is_no_reason(self) -> None:
        padded = DhcpMessage.decode(DISCOVER.encode().ljust(548, b"\0"))
        assert self.shortened(relay_telling(Fact.CIRCUIT_ID, max_size=576), padded) == (False, False)

    @covers("D8")
    def test_what_does_not_fit_one_option(self) -> None:
        circuit = Circuit(circuit_id=bytes(130), subscriber_id=bytes(130))
        assert self.shortened(relay_telling(Fact.CIRCUIT_ID, Fact.SUBSCRIBER_ID), DISCOVER, circuit) == (
            True,
            True,
        )

    @covers("D8")
    @pytest.mark.parametrize(
        ("size", "answered"),
        [(576, False), (0, False), (601, False), (602, True), (1500, True), (None, True)],
    )
    def test_the_client_says_what_it_takes(self, size: int | None, answered: bool) -> None:
        """Of answers; what the servers take is not its business."""
        relay = relay_telling(Fact.CIRCUIT_ID)
        more = () if size is None else ((57, size.to_bytes(2, "big")),)
        sent(relay, asks(MessageType.DISCOVER, more=more))
        offer = says(MessageType.OFFER, subnet=None)
        offer = dhcp_octets.with_option_last(offer, 77, bytes(255))
        offer = dhcp_octets.with_option_last(offer, 77, bytes(602 - len(offer) - 2))
        assert len(offer) == 602
        found = answer(relay, offer)
        assert isinstance(found, Answer) if answered else found is Discarded.TOO_LONG

    @covers("D8")
    def test_every_client_takes_576_octets_whatever_it_says(self) -> None:
        relay = relay_telling()
        sent(relay, asks(MessageType.DISCOVER, more=((57, (300).to_bytes(2, "big")),)))
        offer = dhcp_octets.with_option_last(says(MessageType.OFFER, subnet=None), 77, bytes(200))
        assert len(offer) > 300
        assert isinstance(answer(relay, offer), Answer)

    @covers("D8")
    def test_what_only_we_get_of_an_answer_makes_it_no_longer_for_the_client(self) -> None:
        """A server fills what the client takes, and copies option 82 behind that (D18)."""
        relay = relay_telling(Fact.CIRCUIT_ID)
        sent(relay, asks(MessageType.DISCOVER, more=((57, (576).to_bytes(2, "big")),)))
        offer = says(MessageType.OFFER, subnet=None)
        offer = dhcp_octets.with_option_last(offer, 77, bytes(255))
        offer = dhcp_octets.with_option_last(offer, 77, bytes(576 - len(offer) - 2))
        copied = RelayInformation(sub_options=((1, b"mag1:wlan0.7"),)).encode()
        found = answer(relay, dhcp_octets.with_option_last(offer, 82, copied))
        assert isinstance(found, Answer) and len(found.message.octets) == 576


class TestWhatClientsBring:
    """Option 82, option 118, giaddr and hops that a client should not have set."""

    OWN = asks(MessageType.DISCOVER, more=((82, b"\x01\x04port"),))

    @covers("D7")
    def test_option_82_from_an_untrusted_circuit(self) -> None:
        assert relay_telling(Fact.CIRCUIT_ID).asked(self.OWN, CIRCUIT, 100.0) is Discarded.UNTRUSTED

    @covers("D6", "D7")
    def test_a_trusted_one_stays_the_last(self) -> None:
        """Behind the subnet that we ask for."""
        relayed = sent(relay_telling(subnet_selection=True), self.OWN, attrs.evolve(CIRCUIT, trusted=True))
        assert DhcpMessage.decode(relayed).options[-2:] == ((118, octets(SUBNET)), (82, b"\x01\x04port"))

    @covers("D7")
    def test_a_trusted_one_is_kept_alone_and_comes_back(self) -> None:
        """A switch before us has added it, and takes it away itself."""
        relay = relay_telling(*EVERYTHING)
        trusted = attrs.evolve(CIRCUIT, trusted=True)
        relayed = sent(relay, self.OWN, trusted)
        message = DhcpMessage.decode(relayed)
        assert (message.giaddr, message.option(82)) == (OURS, b"\x01\x04port")
        found = answer(
            relay, dhcp_octets.with_option_last(says(MessageType.OFFER, subnet=None), 82, b"\x01\x04port")
        )
        assert isinstance(found, Answer)
        assert found.message.option(82) == b"\x01\x04port"
        assert (
            answer(
                relay, dhcp_octets.with_option_last(says(MessageType.OFFER, subnet=None), 82, b"\x01\x04nort")
            )
            is Discarded.OTHER_CIRCUIT
        )

    @covers("D7")
    @pytest.mark.parametrize("value", [b"", b"\x01", b"\x01\x05port", b"\x05\x01x"])
    def test_one_that_cannot_be_read_is_not_passed_on_from_anywhere(self, value: bytes) -> None:
        message = asks(MessageType.DISCOVER, more=((82, value),))
        trusted = attrs.evolve(CIRCUIT, trusted=True)
        assert relay_telling().asked(message, trusted, 100.0) is Discarded.BROKEN_INFORMATION

    @covers("D5")
    def test_a_short_cut_is_not_taken(self) -> None:
        """Rapid commit: an ACK to a DISCOVER, from each server that hears it, is nothing that was asked for."""
        relay = relay_telling()
        relayed = sent(relay, from_client(asks(MessageType.DISCOVER, more=((80, b""), (12, b"mn1")))))
        assert [code for code, _ in DhcpMessage.decode(relayed).options] == [53, 61, 12]
        assert answer(relay, says(MessageType.ACK, subnet=None)) is Discarded.UNEXPECTED
        assert isinstance(answer(relay, says(MessageType.OFFER, subnet=None)), Answer)

    @covers("D4", "D6")
    def test_what_another_relay_has_sent_on_is_changed_in_its_hops_alone(self) -> None:
        """It may have option 82; we add nothing, and its answer does not come to us."""
        relay = relay_telling(*EVERYTHING, subnet_selection=True)
        message = from_client(
            asks(
                MessageType.DISCOVER,
                giaddr=STRANGER,
                hops=1,
                more=((82, b"\x01\x01x"), (118, octets(SUBNET))),
            )
        )
        relayed = sent(relay, message)
        assert relayed == (message.octets[:3] + b"\x02" + message.octets[4:]).ljust(300, b"\0")
        assert list(relay.waiting) == []
        assert relay.next_deadline() is None

    @covers("D4")
    @pytest.mark.parametrize(
        "giaddr", [OURS, ipv4("255.255.255.255"), ipv4("224.0.0.1"), ipv4("127.0.0.1"), ipv4("0.0.0.9")]
    )
    def test_a_relay_that_cannot_be(self, giaddr: Ipv4) -> None:
        message = asks(MessageType.DISCOVER, giaddr=giaddr, hops=1)
        assert relay_telling().asked(message, CIRCUIT, 100.0) is Discarded.SPOOFED_RELAY

    @covers("D3")
    def test_no_operator_lets_more_than_16_relays_pass(self) -> None:
        relay = relay_telling(max_hops=200)
        assert DhcpMessage.decode(sent(relay, asks(MessageType.DISCOVER, hops=16))).hops == 17
        assert relay.asked(asks(MessageType.DISCOVER, hops=17), CIRCUIT, 100.0) is Discarded.TOO_MANY_HOPS

    @covers("D3")
    def test_two_relays_that_send_to_each_other_come_to_an_end(self) -> None:
        """Each thinks that the other is the server."""
        one, other = relay_telling(), Relay(RelayPolicy(servers=(OURS,), giaddr=FIRST))
        payload, rounds = sent(one, DISCOVER), 0
        while True:
            for relay in (other, one):
                relayed = relay.asked(DhcpMessage.decode(payload), CIRCUIT, 100.0 + rounds)
                if isinstance(relayed, Discarded):
                    assert relayed in (Discarded.TOO_MANY_HOPS, Discarded.SPOOFED_RELAY)
                    assert rounds < 5
                    return
                payload, rounds = relayed.sent[0].payload, rounds + 1

    @covers("D17")
    @pytest.mark.parametrize("allowed", [True, False])
    def test_a_subnet_that_the_client_names(self, allowed: bool) -> None:
        relay = relay_telling(client_subnet_selection=allowed)
        message = asks(MessageType.DISCOVER, more=((118, octets(SUBNET)),))
        relayed = DhcpMessage.decode(sent(relay, message, Circuit()))
        assert relayed.option(118) == (octets(SUBNET) if allowed else None)
        found = answer(relay, says(MessageType.OFFER, subnet=SUBNET))
        assert isinstance(found, Answer)
        assert found.message.option(118) == (octets(SUBNET) if allowed else None)


class TestOctets:
    """Nothing but what is ours is touched."""

    STRANGE = (
        DhcpMessage(op=1, xid=7, chaddr=NODE, secs=9, sname=b"s", file=b"boot").encode()[:240]
        + bytes((53, 1, 1, 0, 0, 200, 2, 255, 82, 200, 1, 7, 12, 0, 55, 3, 1, 3, 6, 255))
        + b"tail"
    )

    @covers("D5")
    def test_towards_the_servers(self) -> None:
        """Repeated, empty and unknown options, pads, and what is behind the end."""
        relay = relay_telling(Fact.CIRCUIT_ID)
        relayed = sent(relay, DhcpMessage.decode(self.STRANGE))
        option = bytes((82, 14, 1, 12)) + b"mag1:wlan0.7"
        body = self.STRANGE[:-5] + option + b"\xfftail"
        assert relayed == (body[:3] + b"\x01" + body[4:24] + octets(OURS) + body[28:]).ljust(300, b"\0")

    @covers("D9", "D18")
    @pytest.mark.parametrize("echoed", [True, False])
    def test_towards_the_client(self, echoed: bool) -> None:
        """A server that can copies option 82, last; the client does not see it."""
        relay = relay_telling(Fact.CIRCUIT_ID, Fact.REMOTE_ID)
        question = DhcpMessage.decode(sent(relay, DhcpMessage.decode(self.STRANGE)))
        offer = (
            says(MessageType.OFFER, subnet=None, sname=b"server")[:-1]
            + bytes((200, 0, 0, 200, 1, 9, 255))
            + bytes(9)
        )
        copy = question.option(82)
        assert copy is not None
        full = dhcp_octets.with_option_last(offer, 82, copy) if echoed else offer
        found = answer(relay, full)
        assert isinstance(found, Answer)
        assert found.message.octets.rstrip(b"\0") == offer.rstrip(b"\0")
        assert found.message.payload() == offer.ljust(300, b"\0")

    @covers("D9")
    def test_equals_the_vector_but_for_the_broadcast(self) -> None:
        """offer-to-client is the offer without option 82; hops there are the vector's own."""
        relay = relay_telling(*EVERYTHING)
        sent(relay, DhcpMessage.decode(VECTORS["discover-from-client"]))
        found = answer(relay, VECTORS["offer-from-server-opt82"])
        assert isinstance(found, Answer)
        assert found.message.octets.rstrip(b"\0") == VECTORS["offer-to-client"]

    @covers("D10")
    @pytest.mark.parametrize("value", [b"\x01\x05other", b"", b"\x01\x09port"])
    def test_an_answer_for_another_circuit(self, value: bytes) -> None:
        relay = relay_telling(Fact.CIRCUIT_ID)
        sent(relay, DISCOVER)
        offer = says(MessageType.OFFER, subnet=None)
        assert answer(relay, dhcp_octets.with_option_last(offer, 82, value)) is Discarded.OTHER_CIRCUIT
        assert isinstance(answer(relay, offer), Answer)


class TestClientsAndServers:
    """Who is who."""

    @covers("D10")
    def test_the_same_mac_on_two_circuits_is_two_clients(self) -> None:
        """Whoever pretends to be another cannot take away the other's answer, nor get it."""
        relay = relay_telling()
        here, there = Circuit(port="here"), Circuit(port="there")
        sent(relay, DISCOVER, here)
        sent(relay, attrs.evolve(DISCOVER, xid=8), there)
        found = answer(relay, says(MessageType.OFFER, subnet=None))
        assert isinstance(found, Answer) and found.circuit == here
        found = answer(relay, says(MessageType.OFFER, subnet=None, xid=8))
        assert isinstance(found, Answer) and found.circuit == there

    @covers("D10")
    def test_who_repeats_anothers_transaction_on_another_circuit_does_not_get_its_answer(self) -> None:
        """The circuit id that the server copies decides; without it nobody could."""
        relay = relay_telling(Fact.CIRCUIT_ID)
        here = Circuit(port="here", circuit_id=b"here")
        there = Circuit(port="there", circuit_id=b"there")
        copy = DhcpMessage.decode(sent(relay, DISCOVER, here)).option(82)
        other_copy = DhcpMessage.decode(sent(relay, DISCOVER, there)).option(82)
        assert copy is not None and other_copy is not None
        for port, value in (("here", copy), ("there", other_copy), ("here", copy)):
            offer = dhcp_octets.with_option_last(says(MessageType.OFFER, subnet=None), 82, value)
            found = answer(relay, offer)
            assert isinstance(found, Answer) and found.circuit.port == port
        ack = says(MessageType.ACK, subnet=None)
        sent(relay, REQUEST, there)
        found = answer(relay, dhcp_octets.with_option_last(ack, 82, copy))
        assert found is Discarded.UNEXPECTED
        found = answer(relay, ack)
        assert isinstance(found, Answer) and found.circuit.port == "there"
        assert len(relay.waiting) == 1

    @covers("D5")
    def test_each_client_has_one_server_and_keeps_it(self) -> None:
        relay = relay_telling(spread=Spread.HASH, servers=(FIRST, SECOND))
        chosen: dict[bytes, set[Ipv4]] = {}
        for number in range(64):
            client = attrs.evolve(DISCOVER, chaddr=NODE[:5] + bytes((number,)))
            for kind in (MessageType.DISCOVER, MessageType.REQUEST, MessageType.RELEASE):
                relayed = relay.asked(attrs.evolve(client, options=asks(kind).options), CIRCUIT, 100.0)
                assert isinstance(relayed, Relayed)
                chosen.setdefault(client.chaddr, set()).update(one.server for one in relayed.sent)
        assert {len(servers) for servers in chosen.values()} == {1}
        assert set().union(*chosen.values()) == {FIRST, SECOND}

    @covers("D14")
    def test_servers_under_one_name_are_told_apart_by_what_they_offered(self) -> None:
        """Both hear the REQUEST; the one that did not offer that address may refuse it, which ends nothing."""
        relay = relay_telling(Fact.SERVER_IDENTIFIER_OVERRIDE, servers=(FIRST, SECOND))
        other = ipv4("10.20.0.6")
        sent(relay, DISCOVER)
        for server, address in ((FIRST, HOME), (SECOND, other)):
            offer = says(MessageType.OFFER, server=OURS, yiaddr=address, subnet=None)
            assert isinstance(relay.answered(offer, Endpoint(server, 67), 100.1), Answer)
        sent(relay, asks(MessageType.REQUEST, server=OURS, more=((50, octets(other)),)))
        nak = says(MessageType.NAK, server=OURS, yiaddr=UNSPECIFIED)
        assert relay.answered(nak, Endpoint(FIRST, 67), 100.2) is Discarded.UNEXPECTED
        sent(relay, asks(MessageType.REQUEST, server=OURS, more=((50, octets(other)),)))  # again
        assert relay.answered(nak, Endpoint(FIRST, 67), 100.2) is Discarded.UNEXPECTED
        ack = says(MessageType.ACK, server=OURS, yiaddr=other, subnet=None)
        assert isinstance(relay.answered(ack, Endpoint(SECOND, 67), 100.3), Answer)

    @covers("D14")
    @pytest.mark.parametrize("answers", [FIRST, SECOND])
    def test_of_two_that_offered_the_same_either_may_give_it(self, answers: Ipv4) -> None:
        """As partners do, or who choose by the MAC; the other one may have failed meanwhile."""
        relay = relay_telling(Fact.SERVER_IDENTIFIER_OVERRIDE, servers=(FIRST, SECOND))
        sent(relay, DISCOVER)
        for server in (FIRST, SECOND):
            offer = says(MessageType.OFFER, server=OURS, subnet=None)
            assert isinstance(relay.answered(offer, Endpoint(server, 67), 100.1), Answer)
        sent(relay, asks(MessageType.REQUEST, server=OURS, more=((50, octets(HOME)),)))
        ack = says(MessageType.ACK, server=OURS, subnet=None)
        assert isinstance(relay.answered(ack, Endpoint(answers, 67), 100.3), Answer)

    @covers("D14")
    def test_a_server_that_offers_again_and_again_does_not_hide_the_other(self) -> None:
        """A client that hears no offer asks anew; the newest ones are remembered, each once."""
        relay = relay_telling(Fact.SERVER_IDENTIFIER_OVERRIDE, servers=(FIRST, SECOND))
        other = ipv4("10.20.0.200")
        offers = [(FIRST, Ipv4(HOME + number // 2)) for number in range(40)] + [(SECOND, other)]
        for number, (server, address) in enumerate(offers):
            sent(relay, DISCOVER, at=100.0 + number)
            offer = says(MessageType.OFFER, server=OURS, yiaddr=address, subnet=None)
            assert isinstance(relay.answered(offer, Endpoint(server, 67), 100.1 + number), Answer)
        sent(relay, asks(MessageType.REQUEST, server=OURS, more=((50, octets(other)),)), at=141.0)
        nak = says(MessageType.NAK, server=OURS, yiaddr=UNSPECIFIED)
        assert relay.answered(nak, Endpoint(FIRST, 67), 141.2) is Discarded.UNEXPECTED
        [question] = relay.waiting
        assert len(question.offered) == 16

    @covers("D14")
    def test_what_the_client_asks_from_memory_any_server_may_answer(self) -> None:
        relay = relay_telling(Fact.SERVER_IDENTIFIER_OVERRIDE, servers=(FIRST, SECOND))
        sent(relay, asks(MessageType.REQUEST, server=OURS, more=((50, octets(HOME)),)))
        ack = says(MessageType.ACK, server=OURS, subnet=None)
        assert isinstance(relay.answered(ack, Endpoint(SECOND, 67), 100.3), Answer)

    @covers("D14")
    def test_a_server_that_does_not_know_a_lease_does_not_end_it(self) -> None:
        """The client takes them for one, so that all hear its renewal; with its own lessor it ends as ever."""
        relay = relay_telling(Fact.SERVER_IDENTIFIER_OVERRIDE, servers=(FIRST, SECOND))
        ack = says(MessageType.ACK, server=OURS, subnet=None)
        nak = says(MessageType.NAK, server=OURS, yiaddr=UNSPECIFIED)
        sent(relay, asks(MessageType.REQUEST, server=OURS, more=((50, octets(HOME)),)))
        assert isinstance(relay.answered(ack, Endpoint(SECOND, 67), 100.3), Answer)
        renewal, alone = asks(MessageType.REQUEST, ciaddr=HOME), attrs.evolve(CIRCUIT, unicast=True)
        sent(relay, renewal, alone, at=400.0)
        assert relay.answered(nak, Endpoint(FIRST, 67), 400.1) is Discarded.UNEXPECTED
        assert isinstance(relay.answered(ack, Endpoint(SECOND, 67), 400.2), Answer)
        sent(relay, renewal, alone, at=700.0)
        assert isinstance(relay.answered(nak, Endpoint(SECOND, 67), 700.1), Answer)

    @covers("D14")
    def test_whose_lessor_is_not_known_may_be_refused_by_any(self) -> None:
        """As after a restart; and where each server has a name of its own, it is the client who chooses."""
        for facts, name in (((Fact.SERVER_IDENTIFIER_OVERRIDE,), OURS), ((), FIRST)):
            relay = relay_telling(*facts, servers=(FIRST, SECOND))
            sent(relay, asks(MessageType.REQUEST, ciaddr=HOME))
            nak = says(MessageType.NAK, server=name, yiaddr=UNSPECIFIED)
            assert isinstance(relay.answered(nak, Endpoint(FIRST, 67), 100.1), Answer)

    @covers("D14")
    def test_a_lease_is_given_back_as_the_client_would_through_us(self) -> None:
        relay = relay_telling(Fact.SERVER_IDENTIFIER_OVERRIDE, Fact.LINK_SELECTION)
        sent(relay, asks(MessageType.REQUEST, server=OURS, more=((50, octets(HOME)),)))
        lease = answer(relay, says(MessageType.ACK, server=OURS, subnet=None))
        assert isinstance(lease, Answer)
        message = DhcpMessage.decode(relay.release(lease, 9).payload)
        assert (message.message_type, message.giaddr, message.server_identifier) == (
            MessageType.RELEASE,
            OURS,
            OURS,
        )
        found = RelayInformation.decode(message.option(82) or b"")
        assert (found.server_identifier_override, found.link_selection, found.unicast) == (OURS, SUBNET, True)

    def test_silence_is_of_all_servers_and_ends_with_any_word(self) -> None:
        relay = relay_telling()
        assert not relay.silent
        sent(relay, DISCOVER, at=100.0)
        assert [one.message for one in relay.unanswered(104.0)] == [DISCOVER]
        assert relay.silent
        sent(relay, REQUEST, at=104.0)
        answer(relay, says(MessageType.ACK, subnet=None), at=104.5)
        assert not relay.silent
        sent(relay, DISCOVER, at=104.5)
        sent(relay, asks(MessageType.DISCOVER, chaddr=OTHER_NODE, xid=8), at=105.0)
        answer(relay, says(MessageType.OFFER, subnet=None, chaddr=OTHER_NODE, xid=8), at=105.5)
        assert [one.message for one in relay.unanswered(109.0)] == [DISCOVER]
        assert not relay.silent
