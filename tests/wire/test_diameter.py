"""Diameter messages: the vectors byte by byte, and everything a peer can get wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import ipv4
from pmip_tw.errors import Malformed, WireError
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avp, Avps, InvalidAvp, decode_avps, encode_avps
from pmip_tw.wire.diameter.codes import Application, Code, Command, Result, result_name
from pmip_tw.wire.diameter.message import (
    HEADER_SIZE,
    MAXIMUM_SIZE,
    BadMessage,
    Header,
    Message,
    decode,
    frame_size,
)
from tests.vectors import vectors

VECTORS = {vector["name"]: vector for vector in vectors("diameter")}
NAMES = {
    "amr-colocated": "AMR",
    "der-eap-identity": "DER",
    "aar-authorize-only": "AAR",
    "dwr": "DWR",
    "asa": "ASA",
}


def octets(name: str) -> bytes:
    return bytes.fromhex(VECTORS[name]["hex"])


@pytest.mark.parametrize("name", VECTORS)
def test_every_vector_is_read_and_written_octet_by_octet(name: str) -> None:
    message = decode(octets(name))
    assert message.name == NAMES[name]
    assert message.encode() == octets(name)
    fields = VECTORS[name]["tshark_4.0.17_fields"]
    assert message.header.command == int(fields["diameter.cmd.code"])
    assert message.header.application == int(fields["diameter.applicationId"])
    assert message.session_id == fields["diameter.Session-Id"]
    assert message.avps.text(Code.ORIGIN_HOST) == fields["diameter.Origin-Host"]
    assert [avp.code for avp in message.avps] == VECTORS[name]["scapy_avp_codes"]


def test_a_group_is_read_as_its_avps() -> None:
    group = decode(octets("amr-colocated")).avps.group(Code.MIP_MN_AAA_AUTH)
    assert group is not None
    assert [avp.code for avp in group] == [341, 338, 339, 340]
    assert group.required_number(Code.MIP_AUTHENTICATOR_LENGTH) == 16


def test_an_answer_has_the_identifiers_of_its_request() -> None:
    asked = decode(octets("der-eap-identity"))
    answer = asked.answer(avps.unsigned32(Code.RESULT_CODE, 2001))
    assert (answer.header.hop_by_hop, answer.header.end_to_end) == (3, 4)
    assert (answer.name, answer.header.proxiable, answer.header.request) == ("DEA", True, False)
    assert answer.result == 2001


class TestStreams:
    """Where a message ends."""

    def test_pieces(self) -> None:
        whole = octets("dwr")
        assert [frame_size(whole[:size]) for size in range(len(whole))] == [None] * len(whole)
        assert frame_size(whole + b"\1") == len(whole)

    @pytest.mark.parametrize(
        "head", ["01000010", "01000000", "0100004d", "01ffffff", f"01{MAXIMUM_SIZE + 4:06x}", "02", "16"]
    )
    def test_a_length_that_cannot_be_ends_the_stream_at_once(self, head: str) -> None:
        """Too short, not by fours, more than we hold for a stranger; another version; a TLS record."""
        with pytest.raises(Malformed):
            frame_size(bytes.fromhex(head))

    def test_what_is_not_one_message_is_not_decoded(self) -> None:
        for wrong in (b"", octets("dwr")[:-4], octets("dwr") + bytes(4)):
            with pytest.raises(WireError):
                decode(wrong)

    def test_nothing_longer_is_sent(self) -> None:
        header = Header(command=Command.AA, application=Application.NASREQ, request=True)
        with pytest.raises(ValueError, match="65536 is the limit"):
            Message(header=header, avps=Avps((avps.octets(Code.STATE, bytes(MAXIMUM_SIZE)),))).encode()


def with_avps(tail: bytes) -> bytes:
    """A DWR whose AVPs are ``tail``."""
    head = octets("dwr")[:HEADER_SIZE]
    return head[:1] + (HEADER_SIZE + len(tail)).to_bytes(3, "big") + head[4:] + tail


class TestLies:
    """What python-diameter believes, and we do not."""

    @pytest.mark.parametrize(
        ("tail", "result"),
        [
            ("00000108 40000007 00000000", Result.INVALID_AVP_LENGTH),
            ("00000108 40000000 00000000", Result.INVALID_AVP_LENGTH),
            ("00000108 4000000d 00000000", Result.INVALID_AVP_LENGTH),
            ("00000108 40ffffff 00000000", Result.INVALID_AVP_LENGTH),
            ("00000108 c000000b 00000000", Result.INVALID_AVP_LENGTH),
            ("00000108", Result.INVALID_AVP_LENGTH),
            ("00000108 5000000c 00000000", Result.INVALID_AVP_BITS),
        ],
        ids=["short", "zero", "padding", "long", "vendor", "cut", "flags"],
    )
    def test_an_avp_that_lies_about_itself(self, tail: str, result: Result) -> None:
        with pytest.raises(BadMessage) as caught:
            decode(with_avps(bytes.fromhex(tail)))
        assert caught.value.result is result
        assert caught.value.header.name == "DWR"
        assert caught.value.failed is not None and caught.value.failed.code == 264

    def test_a_request_with_the_error_flag(self) -> None:
        wrong = bytearray(octets("dwr"))
        wrong[4] |= 0x20
        with pytest.raises(BadMessage) as caught:
            decode(bytes(wrong))
        assert caught.value.result is Result.INVALID_HDR_BITS


class TestValues:
    def test_of_each_type(self) -> None:
        found = decode_avps(
            encode_avps(
                [
                    avps.unsigned32(Code.RESULT_CODE, 2001),
                    avps.unsigned64(Code.ACCOUNTING_INPUT_OCTETS, 1 << 40),
                    avps.text(Code.USER_NAME, "mn1@example.net"),
                    avps.address(Code.HOST_IP_ADDRESS, ipv4("192.0.2.1")),
                    Avp(code=58, vendor=5535, data=b"key", mandatory=False),
                ]
            )
        )
        assert found.number(Code.RESULT_CODE) == 2001
        assert found.first(Code.ACCOUNTING_INPUT_OCTETS) == (1 << 40).to_bytes(8, "big")
        assert found.text(Code.USER_NAME) == "mn1@example.net"
        assert found.address(Code.HOST_IP_ADDRESS) == ipv4("192.0.2.1")
        assert found.first(58, 5535) == b"key" and found.first(58) is None
        assert found.number(Code.VENDOR_ID) is found.text(Code.SESSION_ID) is found.group(Code.FAILED_AVP)

    @pytest.mark.parametrize(
        "code", [Code.RESULT_CODE, Code.HOST_IP_ADDRESS, Code.FAILED_AVP, Code.USER_NAME]
    )
    @pytest.mark.parametrize("data", [b"", b"\0\1\0", b"\xff\xfe"])
    def test_of_another_size_or_kind(self, code: Code, data: bytes) -> None:
        found = Avps((Avp(code=code, data=data),))
        read = {
            Code.RESULT_CODE: found.number,
            Code.HOST_IP_ADDRESS: found.address,
            Code.FAILED_AVP: found.group,
            Code.USER_NAME: found.text,
        }[code]
        if (code, data) in ((Code.FAILED_AVP, b""), (Code.HOST_IP_ADDRESS, b"\xff\xfe")):
            return  # a group of nothing, and an address of another family
        with pytest.raises(InvalidAvp) as caught:
            read(code)
        assert caught.value.failed.code == code
        assert 5000 < caught.value.result < 5020

    def test_what_is_missing_is_named(self) -> None:
        with pytest.raises(InvalidAvp, match=r"Session-Id \(263\) is missing") as caught:
            Avps().required_text(Code.SESSION_ID)
        assert caught.value.result is Result.MISSING_AVP

    def test_an_experimental_result_counts(self) -> None:
        header = Header(command=Command.AA, application=1, request=False)
        group = avps.grouped(
            Code.EXPERIMENTAL_RESULT,
            avps.unsigned32(Code.VENDOR_ID, 5535),
            avps.unsigned32(Code.EXPERIMENTAL_RESULT_CODE, 5001),
        )
        assert Message(header=header, avps=Avps((group,))).result == 5001

    def test_results_have_names(self) -> None:
        assert result_name(3004) == "DIAMETER_TOO_BUSY (3004)"
        assert result_name(9999) == "result 9999"

    def test_no_value_is_shown(self) -> None:
        """AVPs carry keys."""
        message = decode(octets("aar-authorize-only"))
        assert "mn1" not in repr(message)


AVPS = st.builds(
    Avp,
    code=st.integers(0, 2**32 - 1),
    vendor=st.integers(0, 2**32 - 1),
    data=st.binary(max_size=40),
    mandatory=st.booleans(),
)


@given(st.lists(AVPS, max_size=6), st.booleans(), st.integers(0, 2**24 - 1), st.integers(0, 2**32 - 1))
def test_what_is_written_is_read(found: list[Avp], request: bool, command: int, identifier: int) -> None:
    header = Header(
        command=command, application=identifier, request=request, hop_by_hop=identifier, end_to_end=7
    )
    message = Message(header=header, avps=Avps(tuple(found)))
    assert decode(message.encode()) == message


@given(st.binary(max_size=200))
def test_any_octets_are_a_message_or_a_wire_error(noise: bytes) -> None:
    for wrong in (noise, with_avps(noise[: len(noise) // 4 * 4])):
        try:
            decode(wrong)
        except WireError as error:
            assert 0 <= error.offset <= len(wrong)
