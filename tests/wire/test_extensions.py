"""How the extensions of a message lie in it, and what becomes of those that are wrong, unknown or repeated.

The shapes are those of RFC 5944 1.9-1.11 and of the documents that define the types.
"""

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.errors import Malformed, Truncated, UnrecognizedNonSkippable, WireError
from pmip_tw.wire.extension_values import (
    DynamicHomeAgent,
    MessageString,
    RevocationSupport,
    UdpTunnelRequest,
)
from pmip_tw.wire.extensions import FIRST_SKIPPABLE
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from pmip_tw.wire.revocation import Revocation, RevocationAck
from tests.conformance import covers
from tests.wire.raw_messages import (
    EVERY_MESSAGE,
    FA_HA,
    MN_AAA,
    MN_HA,
    NAI,
    VENDOR,
    acknowledgment,
    reply,
    request,
    revocation,
)

AGENT = ipv4("192.0.2.1")


class TestUnknownTypes:
    @covers("E1")
    @pytest.mark.parametrize("kind", [1, 31, 35, 37, 39, 40, 41, 42, 43, 46, 49, 50, 51, 126, 127])
    @EVERY_MESSAGE
    def test_not_skippable(self, message, kind: int) -> None:
        """Key generation, gateway foreign agents and experiments are known by name only: not understood is unknown."""
        with pytest.raises(UnrecognizedNonSkippable, match=f"extension {kind}"):
            message(NAI, bytes((kind, 4)) + bytes(4), MN_HA)

    @covers("E2")
    @pytest.mark.parametrize("kind", [128, 133, 135, 143, 146, 155, 254, 255])
    @EVERY_MESSAGE
    def test_skippable(self, message, kind: int) -> None:
        extension = bytes((kind, 2)) + b"\x20\x14"
        found = message(NAI, extension, MN_HA)
        assert found.unknown == (extension,)
        assert (found.nai, found.mn_ha.spi) == (b"a@b", 0x1000)

    @covers("E2")
    @pytest.mark.parametrize(
        "extension",
        [
            b"\x82\0",
            b"\x88\x04\x01h@r",
            b"\x94\x03\0\0\0",
            b"\x95\x02\0\0",
            b"\x97\x08internet",
            VENDOR,
            b"\x86\0",
        ],
        ids=["130", "136", "148", "149", "151", "134", "134 without a vendor"],
    )
    def test_known_and_not_acted_upon(self, extension: bytes) -> None:
        """Each is walked by its own shape, so that what follows is found."""
        found = request(NAI, extension, MN_HA)
        assert found.unknown == (extension,)
        assert found.mn_ha is not None and found.mn_ha.covered == 24 + 5 + len(extension) + 6

    def test_the_border(self) -> None:
        assert FIRST_SKIPPABLE == 128


class TestUnknownSubTypes:
    @covers("E3")
    @pytest.mark.parametrize(
        "extension",
        [b"\x24\x02\0\x14" + bytes(20), b"\x30\x01\0\x04" + bytes(4)],
        ids=["36/2", "48/1"],
    )
    def test_of_types_that_are_not_skippable(self, extension: bytes) -> None:
        with pytest.raises(UnrecognizedNonSkippable, match="sub-type"):
            request(NAI, extension, MN_HA)

    @covers("E3")
    @pytest.mark.parametrize(
        "extension", [b"\x2c\x06\x01" + bytes(5), b"\x2d\x02\x01\x44"], ids=["44/1", "45/1"]
    )
    def test_of_types_that_only_a_reply_has(self, extension: bytes) -> None:
        with pytest.raises(UnrecognizedNonSkippable, match="sub-type"):
            reply(NAI, MN_HA, extension)

    @covers("E3")
    @pytest.mark.parametrize(
        "extension",
        [
            b"\x8b\x03\0\x04" + bytes(1),
            b"\x8b\x05\x03" + bytes(4),
            b"\x90\x06\x01" + bytes(5),
            b"\x91\x03\x03hi",
            b"\x91\0",
            b"\x93\x02\x05x",
            b"\x93\x02\0x",
            b"\x93\0",
            b"\x93\x03\x04\x01\x02",
        ],
        ids=[
            "139/3 drawn",
            "139/3 short",
            "144/1",
            "145/3",
            "145 of nobody",
            "147/5",
            "147/0",
            "147 of nothing",
            "147/4 of two octets",
        ],
    )
    def test_of_skippable_types(self, extension: bytes) -> None:
        found = request(NAI, extension, MN_HA)
        assert found.unknown == (extension,)
        assert found == request(NAI, MN_HA) or found.mn_ha is not None
        assert (found.dynamic_home_agent, found.udp_tunnel, found.message) == (None, None, None)
        assert (found.identifiers, found.access_technology) == ((), None)

    @covers("P26")
    def test_of_the_per_node_method_is_left_to_who_can_refuse_it(self) -> None:
        """E3 would have the message discarded."""
        assert request(NAI, b"\x2f\x02\0\x03abc", FA_HA).per_node == (2, b"abc")


class TestLengths:
    @covers("E4")
    @pytest.mark.parametrize(
        "extension",
        [
            b"\x83",
            b"\x83\x04a@b",
            b"\x20\x14\0\0\x10\0short",
            b"\x30\0\0",
            b"\x30\0\0\x05abcd",
            b"\x26\0\xff\xff\0\0\0\x09",
            b"\x8b\x01\0\x04abc",
            b"\xff",
            b"\xff\xff",
        ],
        ids=["no length", "NAI", "MN-HA", "48 cut", "48", "38", "139 drawn", "255 cut", "255"],
    )
    @EVERY_MESSAGE
    def test_past_the_end(self, message, extension: bytes) -> None:
        with pytest.raises(Truncated):
            message(extension)

    @covers("E4")
    @pytest.mark.parametrize(
        "extension",
        [
            b"\x83\0",
            b"\x20\x04" + bytes(4),
            b"\x20\0",
            b"\x22\x03" + bytes(3),
            b"\x24\x01\0\x04" + bytes(4),
            b"\x26\0\0\x05" + bytes(5),
            b"\x2f\x01\0\0",
            b"\x2f\x01\0\x02\x01\x01",
            b"\x30\0\0\x03" + bytes(3),
            b"\x30\0\0\x05" + bytes(5),
            b"\x89\x05" + bytes(5),
            b"\x90\x05" + bytes(5),
            b"\x90\x07" + bytes(7),
        ],
        ids=[
            "131",
            "32-SPI-only",
            "32",
            "34",
            "36",
            "38",
            "47-none",
            "47-two",
            "48-of-3",
            "48-of-5",
            "137",
            "144-of-5",
            "144-of-7",
        ],
    )
    def test_wrong_in_a_request(self, extension: bytes) -> None:
        with pytest.raises(Malformed):
            request(extension)

    @covers("E4")
    @pytest.mark.parametrize(
        "extension",
        [b"\x2c\x05" + bytes(5), b"\x2c\x07" + bytes(7), b"\x2d\x01\0", b"\x2d\x03\0\x44\0"],
        ids=["44 of 5", "44 of 7", "45 of 1", "45 of 3"],
    )
    def test_wrong_in_a_reply(self, extension: bytes) -> None:
        with pytest.raises(Malformed):
            reply(NAI, MN_HA, extension)

    def test_a_longer_revocation_support_is_a_later_version(self) -> None:
        """RFC 3543 3.2: the first six octets count."""
        assert request(b"\x89\x08\x80\0\0\0\0\x07zz").revocation == RevocationSupport(7, inform=True)

    @covers("E4")
    @pytest.mark.parametrize(
        ("decode", "size"),
        [(RegistrationRequest, 24), (RegistrationReply, 20), (Revocation, 20), (RevocationAck, 12)],
    )
    def test_shorter_than_the_fixed_part(self, decode, size: int) -> None:
        kind = {RegistrationRequest: 1, RegistrationReply: 3, Revocation: 7, RevocationAck: 15}[decode]
        for length in range(size):
            with pytest.raises(Truncated):
                decode.decode((bytes((kind,)) + bytes(size))[:length])
        decode.decode(bytes((kind,)) + bytes(size - 1))

    @pytest.mark.parametrize("decode", [RegistrationRequest, RegistrationReply, Revocation, RevocationAck])
    def test_another_message_type(self, decode) -> None:
        with pytest.raises(WireError, match="message type 2"):
            decode.decode(b"\x02" + bytes(40))

    @EVERY_MESSAGE
    def test_a_pad_is_one_octet(self, message) -> None:
        """Whatever follows it: it has no length."""
        found = message(b"\0", NAI, b"\0\0\0", MN_HA, b"\0")
        assert (found.nai, found.mn_ha.spi) == (b"a@b", 0x1000)


class TestRepeated:
    @covers("E5")
    @pytest.mark.parametrize("extension", [MN_HA, FA_HA], ids=["MN-HA", "FA-HA"])
    def test_authenticators_are_reported(self, extension: bytes) -> None:
        assert request(NAI, MN_HA, FA_HA, extension).repeated == (extension[0],)
        assert reply(NAI, MN_HA, FA_HA, extension).repeated == (extension[0],)

    @covers("E5")
    @pytest.mark.parametrize("extension", [MN_HA, FA_HA], ids=["MN-HA", "FA-HA"])
    @pytest.mark.parametrize("message", [revocation, acknowledgment])
    def test_authenticators_of_revocations(self, message, extension: bytes) -> None:
        with pytest.raises(Malformed, match="twice"):
            message(NAI, extension, extension)

    @covers("E5")
    @pytest.mark.parametrize(
        ("field", "first", "second"),
        [
            ("nai", NAI, b"\x83\x03c@d"),
            ("per_node", b"\x2f\x01\0\x01\x01", b"\x2f\x01\0\x01\x02"),
            ("access_technology", b"\x93\x02\x04\x01", b"\x93\x02\x04\x02"),
            ("dynamic_home_agent", b"\x8b\x01\0\x04\xc0\0\x02\x01", b"\x8b\x05\x01\xc0\0\x02\x02"),
            ("gre_key", b"\x30\0\0\x04\0\0\0\x01", b"\x30\0\0\x04\0\0\0\x02"),
            ("udp_tunnel", b"\x90\x06\0\0\x80\x04\0\0", b"\x90\x06\0\0\0\x04\0\0"),
            ("revocation", b"\x89\x06\0\0\0\0\0\x01", b"\x89\x06\0\0\0\0\0\x02"),
            ("challenge", b"\x84\x02c1", b"\x84\x02c2"),
            ("mn_aaa", MN_AAA, MN_AAA[:-1] + b"b"),
            ("message", b"\x91\x03\x01hi", b"\x91\x03\x01ho"),
        ],
    )
    def test_of_the_others_the_first_counts(self, field: str, first: bytes, second: bytes) -> None:
        found = request(first, second)
        assert getattr(found, field) == getattr(request(first), field) != getattr(request(second), field)
        assert found.repeated == (first[0],)

    def test_an_empty_nai_is_wrong_wherever_it_stands(self) -> None:
        for extensions in ((b"\x83\0", MN_HA), (NAI, b"\x83\0", MN_HA), (NAI, MN_HA, b"\x83\0")):
            with pytest.raises(Malformed, match="the NAI is empty"):
                request(*extensions)


class TestDynamicHomeAgent:
    """RFC 4433 3.4 draws the long shape; decoders in the field use the short one."""

    DRAWN = b"\x8b\x01\0\x04\xc0\0\x02\x01"
    SHORT = b"\x8b\x05\x01\xc0\0\x02\x01"

    @pytest.mark.parametrize(("octets", "drawn"), [(DRAWN, True), (SHORT, False)])
    def test_both_forms(self, octets: bytes, drawn: bool) -> None:
        found = request(NAI, octets, MN_HA)
        assert found.dynamic_home_agent == DynamicHomeAgent(1, AGENT, drawn_form=drawn)
        assert found.mn_ha is not None
        assert octets in found.encode()

    @pytest.mark.parametrize(
        "octets",
        [
            b"\x8b\x06\0\x04\xc0\0\x02\x01",
            b"\x8b\x05\x03\xc0\0\x02\x01",
            b"\x8b\x01\0",
            b"\x8b\0",
            b"\x8b\x02\0\x05",
        ],
        ids=["drawn with sub-type 6", "short with sub-type 3", "length 1", "length 0", "length 2"],
    )
    def test_neither_form_is_skipped_by_its_length_octet(self, octets: bytes) -> None:
        found = request(NAI, octets, MN_HA)
        assert found.dynamic_home_agent is None
        assert found.unknown == (octets,)


class TestWordsOfThePeer:
    def test_a_message_string_before_or_behind_mn_ha(self) -> None:
        assert reply(NAI, b"\x91\x05\x01full", MN_HA).message == MessageString(b"full")
        found = reply(NAI, MN_HA, b"\x91\x05\x02busy")
        assert found.message == MessageString(b"busy", 2)
        assert found.agent_part == {145}
        assert found.encode().endswith(b"\x91\x05\x02busy")

    def test_it_cannot_write_to_the_terminal(self) -> None:
        words = MessageString(b"\x1b[2Jno \r\n\x00more\x9b \xe2\x80\xaespace\xc3\xa9 \xff\n")
        assert words.shown == "[2Jno more\ufffd spaceé \ufffd"

    @pytest.mark.parametrize("text", [b"", b"x" * 254])
    def test_it_survives_the_wire(self, text: bytes) -> None:
        told = MessageString(text, 2)
        assert reply(told.encode()).message == told

    def test_the_complaint_of_a_foreign_agent(self) -> None:
        """RFC 4636: appended when the home agent has answered already."""
        found = reply(NAI, MN_HA, b"\x2d\x02\0\x44", FA_HA)
        assert found.fa_error == 68
        assert found.encode().endswith(b"\x2d\x02\0\x44" + FA_HA)


def test_a_request_to_tunnel_in_udp_with_a_reserved_field_is_not_understood() -> None:
    """N8."""
    assert request(b"\x90\x06\0\0\x80\x04\0\x01").udp_tunnel is None
    assert request(b"\x90\x06\0\0\x80\x04\0\0").udp_tunnel == UdpTunnelRequest(forced=True)
