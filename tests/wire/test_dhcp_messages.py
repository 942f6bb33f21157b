"""DHCP messages: the vectors with the fields that tshark read, long and overloaded options, broken octets."""

import attrs
import pytest

from pmip_tw.addresses import ipv4, ipv4_text, mac
from pmip_tw.errors import Malformed, Truncated, WireError
from pmip_tw.wire.dhcp import BOOTREQUEST, DhcpMessage, MessageType, OptionCode
from tests.vectors import vectors

VECTORS = {vector["name"]: vector for vector in vectors("dhcp")}
CLIENT = mac("02:00:00:00:00:01")

TSHARK_FIELDS = {
    "dhcp.type": lambda m: str(m.op),
    "dhcp.hops": lambda m: str(m.hops),
    "dhcp.ip.relay": lambda m: ipv4_text(m.giaddr),
    "dhcp.ip.your": lambda m: ipv4_text(m.yiaddr),
    "dhcp.ip.client": lambda m: ipv4_text(m.ciaddr),
    "dhcp.option.dhcp": lambda m: str(int(m.message_type)),
    "dhcp.option.dhcp_server_id": lambda m: ipv4_text(m.server_identifier),
    "dhcp.option.ip_address_lease_time": lambda m: str(m.lease_time),
}


def octets_of(name: str) -> bytes:
    return bytes.fromhex(VECTORS[name]["udp_payload_hex"])


@pytest.mark.parametrize("name", VECTORS)
def test_vector_round_trips_and_equals_what_tshark_read(name: str) -> None:
    message = DhcpMessage.decode(octets_of(name))
    assert message.encode() == octets_of(name)
    assert message.chaddr == CLIENT
    assert message.client_identifier == b"\x01" + CLIENT
    for field, value in VECTORS[name]["tshark_4.0.17_fields"].items():
        if field in TSHARK_FIELDS:
            assert TSHARK_FIELDS[field](message) == value, field


def test_discover_accessors() -> None:
    message = DhcpMessage.decode(octets_of("discover-from-client"))
    assert message.message_type is MessageType.DISCOVER
    assert message.requested_address == ipv4("10.20.0.5")
    assert message.parameter_list == bytes((1, 3, 6, 15, 51, 54, 58, 59))
    assert message.broadcast
    assert message.server_identifier is None
    assert message.lease_time is None
    assert message.host_name is None


@pytest.mark.parametrize("name", ["discover-relayed-opt82", "offer-from-server-opt82"])
def test_relay_option_stays_the_last(name: str) -> None:
    """D6, D18: nothing may come behind it."""
    message = DhcpMessage.decode(octets_of(name))
    option_82 = bytes.fromhex(
        VECTORS[name].get("option_82_hex", VECTORS["discover-relayed-opt82"]["option_82_hex"])
    )
    assert message.options[-1] == (OptionCode.RELAY_AGENT_INFORMATION, option_82[2:])
    assert message.encode().endswith(option_82 + b"\xff")


def plain(*options: tuple[int, bytes]) -> DhcpMessage:
    return DhcpMessage(op=BOOTREQUEST, xid=1, chaddr=CLIENT, options=options)


def test_long_option_is_split_and_joined() -> None:
    """RFC 3396 5 and 7."""
    value = bytes(range(256)) + b"tail"
    octets = plain((OptionCode.MESSAGE_TYPE, b"\x01"), (77, value)).encode()
    assert octets[243:245] == bytes((77, 255))
    assert octets[243 + 257 : 243 + 259] == bytes((77, 5))
    assert DhcpMessage.decode(octets).option(77) == value


def test_overload_is_read_in_the_order_options_file_sname() -> None:
    """RFC 2131 4.1; the relay's option stays last although file and sname were behind it."""
    octets = bytearray(plain((53, b"\x01"), (77, b"one "), (82, b"\x01\x01x")).encode()[:-1])
    octets += bytes((OptionCode.OVERLOAD, 1, 3, 255))
    octets[44:54] = bytes((77, 5)) + b"three" + b"\xff" + b"\0\0"
    octets[108:116] = bytes((0, 77, 4)) + b"two " + b"\xff"
    message = DhcpMessage.decode(bytes(octets))
    assert message.options == ((53, b"\x01"), (77, b"one two three"), (82, b"\x01\x01x"))
    assert (message.sname, message.file) == (b"", b"")
    assert DhcpMessage.decode(message.encode()) == message


@pytest.mark.parametrize(("overload", "read", "kept"), [(1, b"file", "sname"), (2, b"sname", "file")])
def test_overload_of_one_field_leaves_the_other_a_name(overload: int, read: bytes, kept: str) -> None:
    octets = bytearray(plain((53, b"\x01")).encode()[:-1] + bytes((OptionCode.OVERLOAD, 1, overload, 255)))
    octets[44:52] = bytes((77, 5)) + b"sname" + b"\xff"
    octets[108:115] = bytes((77, 4)) + b"file" + b"\xff"
    message = DhcpMessage.decode(bytes(octets))
    assert message.option(77) == read
    assert getattr(message, kept) == bytes((77, len(kept))) + kept.encode() + b"\xff"
    assert getattr(message, read.decode()) == b""


def test_names_survive_without_overload() -> None:
    message = attrs.evolve(plain((53, b"\x02")), sname=b"boot.example.net", file=b"pxe.0")
    assert DhcpMessage.decode(message.encode()) == message


def test_pad_is_skipped_and_a_missing_end_forgiven() -> None:
    octets = plain((53, b"\x01")).encode()
    assert DhcpMessage.decode(octets[:240] + b"\0\0" + octets[240:-1]) == plain((53, b"\x01"))


def test_what_follows_the_end_is_padding() -> None:
    octets = plain((53, b"\x01")).encode()
    assert DhcpMessage.decode(octets + b"\0" * 20 + b"junk") == plain((53, b"\x01"))


def test_unknown_and_missing_message_types() -> None:
    assert plain((53, b"\xc8")).message_type is None
    assert plain().message_type is None


def damaged(at: int, value: int) -> bytes:
    octets = bytearray(octets_of("discover-from-client"))
    octets[at] = value
    return bytes(octets)


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        (octets_of("discover-from-client")[:239], Truncated),
        (damaged(239, 0), Malformed),
        (damaged(0, 3), Malformed),
        (damaged(1, 6), Malformed),
        (damaged(2, 17), Malformed),
        (octets_of("discover-from-client")[:-5], Truncated),
        (plain().encode()[:-1] + b"\x35", Truncated),
        (plain((53, b"")).encode(), Malformed),
        (plain((50, b"\x0a\x14\x00")).encode(), Malformed),
        (plain((54, bytes(8))).encode(), Malformed),
        (plain().encode()[:-1] + bytes((52, 1, 4, 255)), Malformed),
    ],
    ids=[
        "cookie cut",
        "cookie",
        "op 3",
        "token ring",
        "17-octet address",
        "option cut",
        "no length",
        "empty type",
        "3-octet address",
        "two server ids",
        "overload 4",
    ],
)
def test_broken_messages(octets: bytes, error: type[WireError]) -> None:
    with pytest.raises(error):
        DhcpMessage.decode(octets)


@pytest.mark.parametrize("code", [0, 52, 255, 256])
def test_codes_that_carry_no_value_cannot_be_encoded(code: int) -> None:
    with pytest.raises(ValueError, match=str(code)):
        plain((code, b"")).encode()


def test_names_that_do_not_fit_are_not_cut() -> None:
    with pytest.raises(ValueError, match="sname"):
        attrs.evolve(plain(), sname=bytes(65)).encode()
