"""What a relay changes in a message, and that it changes nothing else (D5, D6, D9)."""

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pmip_tw.addresses import Ipv4, ipv4, mac
from pmip_tw.errors import WireError
from pmip_tw.wire import dhcp_octets
from pmip_tw.wire.dhcp import DhcpMessage
from tests.conformance import covers
from tests.vectors import vectors

FIXED = DhcpMessage(op=1, xid=7, chaddr=mac("02:00:00:00:00:01"), sname=b"name", file=b"file").encode()[:-1]
TYPE = bytes((53, 1, 1))
END = b"\xff"
OPTION = bytes((82, 3, 1, 1, 9))


@covers("D6")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TYPE + END, TYPE + OPTION + END),
        (END, OPTION + END),
        (b"", OPTION + END),
        (TYPE, TYPE + OPTION + END),
        (TYPE + END + bytes(9), TYPE + OPTION + END + bytes(4)),
        (TYPE + END + bytes(2), TYPE + OPTION + END),
        (TYPE + END + b"junk" + bytes(9), TYPE + OPTION + END + b"junk" + bytes(4)),
        (TYPE + bytes(2) + END, TYPE + bytes(2) + OPTION + END),
        (TYPE + bytes(9), TYPE + OPTION + END + bytes(3)),
        (TYPE + bytes((200, 2)) + b"\xff\xff" + END, TYPE + bytes((200, 2)) + b"\xff\xff" + OPTION + END),
    ],
    ids=[
        "plain",
        "empty",
        "nothing",
        "no end",
        "padded",
        "little padding",
        "junk",
        "pads before",
        "pads, no end",
        "255",
    ],
)
def test_one_option_more_is_the_last(before: bytes, after: bytes) -> None:
    assert dhcp_octets.with_option_last(FIXED + before, 82, OPTION[2:]) == FIXED + after


@covers("D6")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TYPE + OPTION, TYPE + b"\x76\x01s" + OPTION),
        (TYPE + OPTION + OPTION, TYPE + b"\x76\x01s" + OPTION + OPTION),
        (OPTION + TYPE, OPTION + TYPE + b"\x76\x01s"),
        (TYPE + OPTION + bytes(2), TYPE + b"\x76\x01s" + OPTION + bytes(2)),
    ],
    ids=["last", "in pieces", "not last", "pads behind"],
)
def test_what_another_relay_says_stays_the_last(before: bytes, after: bytes) -> None:
    assert dhcp_octets.with_option_last(FIXED + before + END, 118, b"s") == FIXED + after + END


def test_no_option_is_longer_than_one() -> None:
    with pytest.raises(ValueError, match="256"):
        dhcp_octets.with_option_last(FIXED + END, 82, bytes(256))


@covers("D9")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TYPE + OPTION + END, TYPE + END),
        (OPTION + TYPE + OPTION + END + b"junk", TYPE + END + b"junk"),
        (TYPE + bytes(3) + OPTION, TYPE + bytes(3)),
        (TYPE + END + OPTION, TYPE + END + OPTION),
        (bytes((200, 5)) + OPTION + END, bytes((200, 5)) + OPTION + END),
        (TYPE + END, TYPE + END),
    ],
    ids=["last", "pieces", "no end", "behind the end", "inside another", "none"],
)
def test_an_option_less(before: bytes, after: bytes) -> None:
    assert dhcp_octets.without_option(FIXED + before, 82) == FIXED + after


@covers("D9")
@pytest.mark.parametrize("overload", [0, 1, 2, 3])
def test_an_option_in_file_and_sname_becomes_padding(overload: int) -> None:
    """If the message says that options are there; else it is a name that begins strangely."""
    octets = bytearray(FIXED + TYPE + (bytes((52, 1, overload)) if overload else b"") + END)
    for start in (44, 108):
        octets[start : start + 9] = bytes((12, 1, 65)) + OPTION + END
    found = dhcp_octets.without_option(bytes(octets), 82)
    expected = bytearray(octets)
    for bit, start in ((1, 108), (2, 44)):
        if overload & bit:
            expected[start + 3 : start + 8] = bytes(5)
    assert found == expected


@pytest.mark.parametrize(
    "options",
    [bytes((52, 1, 1, 52, 0)), bytes((52, 1, 1, 52, 0)) + END, bytes((52, 0, 52, 1, 1, 52, 0)) + OPTION],
    ids=["nothing behind", "what is behind says sname", "more pieces"],
)
def test_an_empty_piece_of_overload_says_nothing(options: bytes) -> None:
    """Only ``file`` has options then; ``sname`` looks as if it had, which would reach over all that is behind it."""
    octets = bytearray(FIXED + TYPE + options)
    octets[44:46] = bytes((118, 255))
    octets[108:111] = bytes((118, 1, 65))
    DhcpMessage.decode(bytes(octets))
    expected = bytes(octets[:108]) + bytes(3) + bytes(octets[111:])
    assert dhcp_octets.without_option(bytes(octets), 118) == expected


def test_hops_and_giaddr_and_nothing_else() -> None:
    changed = dhcp_octets.relayed(FIXED + TYPE + b"tail", hops=3, giaddr=ipv4("192.0.2.1"))
    assert [at for at in range(len(changed)) if changed[at] != (FIXED + TYPE + b"tail")[at]] == [
        3,
        24,
        26,
        27,
    ]
    message = DhcpMessage.decode(FIXED + TYPE)
    assert DhcpMessage.decode(changed[:-4]) == attrs.evolve(message, hops=3, giaddr=Ipv4(0xC0000201))


OPTION_OF_ANY_KIND = st.builds(
    lambda code, value: bytes((code, len(value))) + value,
    st.sampled_from([12, 82, 118, 200]),
    st.binary(max_size=9),
)
OPTIONS = st.lists(
    st.one_of(OPTION_OF_ANY_KIND, st.just(b"\0"), st.just(bytes((52, 1, 3))), st.just(bytes((52, 0)))),
    max_size=8,
).map(b"".join)
NAMES = st.builds(
    lambda options, rest: (options + END + rest)[:64].ljust(64, b"\0"), OPTIONS, st.binary(max_size=9)
)


@given(NAMES, NAMES, OPTIONS, st.sampled_from([b"", END, END + bytes(50), END + b"x"]))
def test_whatever_is_added_last_can_be_taken_away(
    sname: bytes, file: bytes, options: bytes, tail: bytes
) -> None:
    octets = FIXED[:44] + sname + file + bytes(64) + FIXED[236:240] + options + tail
    try:
        before = DhcpMessage.decode(octets)
    except WireError:
        assume(False)
    without = dhcp_octets.without_option(octets, 82)
    plain = DhcpMessage.decode(without)
    assert [option for option in before.options if option[0] != 82] == list(plain.options)
    added = dhcp_octets.with_option_last(without, 82, b"\x01\x01x")
    assert DhcpMessage.decode(added).options == (*plain.options, (82, b"\x01\x01x"))
    assert dhcp_octets.without_option(added, 82).rstrip(b"\0\xff") == without.rstrip(b"\0\xff")


def test_a_message_knows_its_octets_until_it_is_changed() -> None:
    octets = bytes.fromhex(vectors("dhcp")[0]["udp_payload_hex"]) + b"tail"
    message = DhcpMessage.decode(octets)
    assert message.payload() == octets.ljust(300, b"\0")
    changed = attrs.evolve(message, xid=9)
    assert changed.octets == b""
    assert DhcpMessage.decode(changed.payload()).xid == 9
