"""Whatever a DHCP server, or somebody in its name, sends: it is relayed to who asked, or it changes nothing (P63)."""

from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import Endpoint
from pmip_tw.dhcp.discarded import Discarded
from pmip_tw.dhcp.questions import Answer
from pmip_tw.dhcp.relay import Relay
from pmip_tw.errors import WireError
from pmip_tw.mag.effects import SendDhcp, Transmit
from pmip_tw.mobility.effects import Install, Send
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.wire.dhcp import DhcpMessage, MessageType
from tests.agents.world import HOME, PORT
from tests.dhcp.test_relay import ACK, CIRCUIT, DISCOVER, FIRST, NAK, OFFER, OURS, PLAIN, REQUEST
from tests.mag.bench import only
from tests.mag.test_independent import STATION, answered, independent, said
from tests.mag.test_relayed import SERVER, RelayBench

WHOLE = st.sampled_from([OFFER, ACK, NAK, DISCOVER.encode(), REQUEST.encode()])
PLACES = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), min_size=1, max_size=6)


def changed(octets: bytes, places: list[tuple[int, int]], length: int) -> bytes:
    """``octets`` with other values at some places, cut or padded."""
    made = bytearray(octets)
    for place, value in places:
        if place < len(made):
            made[place] = value
    return bytes(made[:length])


CHANGED = st.builds(changed, WHOLE, PLACES, st.integers(0, 400))


@given(st.one_of(st.binary(max_size=400), CHANGED))
def test_a_relay_answers_only_who_asked(payload: bytes) -> None:
    relay = Relay(PLAIN)
    relay.asked(DISCOVER, CIRCUIT, 100.0)
    try:
        found = relay.answered(payload, Endpoint(FIRST, 67), 100.5)
    except WireError:
        return
    if isinstance(found, Discarded):
        return
    assert isinstance(found, Answer)
    assert (found.message.xid, found.message.chaddr) == (DISCOVER.xid, DISCOVER.chaddr)
    assert found.message.message_type is MessageType.OFFER
    assert found.message.option(118) is None


@given(st.one_of(st.binary(max_size=400), CHANGED))
def test_a_mag_registers_nobody_for_an_answer_to_nothing(payload: bytes) -> None:
    """Its node asked by another transaction."""
    bench = RelayBench()
    bench.admit()
    effects = bench.take(bench.engine.dhcp_received(payload, Endpoint(SERVER, 67), bench.now))
    assert only(Install, effects) + only(Send, effects) + only(SendDhcp, effects) == []
    for transmit in only(Transmit, effects):
        assert transmit.frame[:6] in (STATION.mac, b"\xff" * 6)


@given(
    st.one_of(
        st.binary(max_size=400),
        st.builds(
            changed,
            st.sampled_from(
                [said(MessageType.REQUEST), said(MessageType.RELEASE), answered(MessageType.NAK)]
            ),
            PLACES,
            st.integers(0, 400),
        ),
    )
)
def test_what_passes_through_the_tunnel_may_be_anything(packet: bytes) -> None:
    """A changed packet has a wrong checksum, or is not about this node: the binding stays."""
    bench = independent()
    bench.register(STATION.data(HOME.first_host + 8))
    effects = bench.take(bench.engine.dhcp_shown(AccessKey(PORT, STATION.mac), packet, bench.now))
    assert only(Send, effects) == []


def test_the_unchanged_messages_are_good() -> None:
    """Or the properties above would hold for nothing."""
    for payload in (OFFER, ACK, NAK):
        assert DhcpMessage.decode(payload).giaddr == OURS
