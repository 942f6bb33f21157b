"""EAP and EAPOL: what is read, what is written, and what is refused (RFC 3748 4, IEEE 802.1X-2010 11)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import mac
from pmip_tw.errors import Malformed, Truncated, WireError
from pmip_tw.wire.eap import Eap, EapCode
from pmip_tw.wire.eapol import (
    EAP_PACKET,
    LOGOFF,
    PAE_GROUP,
    START,
    Eapol,
    eap_failure,
    eapol_frame,
)
from pmip_tw.wire.ethernet import ETHERTYPE_EAPOL, EthernetFrame

NODE, MAG = mac("02:00:00:00:00:01"), mac("02:00:5e:50:4d:49")

VECTORS = {
    # RFC 3748 4.1, 5.1: Request/Identity, and the Response with "mn1@lab.example".
    "0101000501": Eap(code=EapCode.REQUEST, identifier=1, kind=1),
    "02010014016d6e31406c61622e6578616d706c65": Eap(
        code=EapCode.RESPONSE, identifier=1, kind=1, data=b"mn1@lab.example"
    ),
    # 4.2
    "03070004": Eap(code=EapCode.SUCCESS, identifier=7),
    "04070004": Eap(code=EapCode.FAILURE, identifier=7),
    # RFC 5281 9.1: EAP-TTLS/Start
    "010200061520": Eap(code=EapCode.REQUEST, identifier=2, kind=21, data=b"\x20"),
}


@pytest.mark.parametrize("octets", VECTORS)
def test_eap_vectors(octets: str) -> None:
    packet = bytes.fromhex(octets)
    assert Eap.decode(packet) == VECTORS[octets]
    assert VECTORS[octets].encode() == packet
    assert Eap.decode(packet + bytes(40)) == VECTORS[octets], "padding of the frame is not of the packet"


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        ("", Truncated),
        ("010100", Truncated),
        ("0101000601", Truncated),
        ("01010004", Malformed),
        ("02010003", Malformed),
        ("0201000000", Malformed),
        ("0301000500", Malformed),
        ("0401000300", Malformed),
        ("0001000501", Malformed),
        ("0501000501", Malformed),
    ],
)
def test_broken_eap(octets: str, error: type[WireError]) -> None:
    with pytest.raises(error):
        Eap.decode(bytes.fromhex(octets))


def test_what_a_method_says_is_in_no_repr() -> None:
    password = Eap(code=EapCode.RESPONSE, identifier=1, kind=6, data=b"open sesame")
    assert "sesame" not in repr(password)
    assert "sesame" not in repr(Eapol(kind=EAP_PACKET, body=password.encode()))
    assert password.method == "gtc"
    assert Eap(code=EapCode.RESPONSE, identifier=1, kind=99).method == "type 99"


@pytest.mark.parametrize("version", [1, 2, 3, 255])
def test_any_version_and_any_padding_is_read(version: int) -> None:
    start = bytes((version, START, 0, 0))
    assert Eapol.decode(start) == Eapol.decode(start + bytes(42)) == Eapol(kind=START)


@pytest.mark.parametrize("payload", ["", "020100", "02000005", "0200ffff00"])
def test_truncated_eapol(payload: str) -> None:
    with pytest.raises(Truncated):
        Eapol.decode(bytes.fromhex(payload))


def test_frames_as_they_go_out() -> None:
    request = Eap(code=EapCode.REQUEST, identifier=1, kind=1).encode()
    frame = EthernetFrame.decode(eapol_frame(PAE_GROUP, MAG, request))
    assert (frame.destination, frame.source, frame.ethertype) == (PAE_GROUP, MAG, ETHERTYPE_EAPOL)
    assert frame.payload.hex() == "020000050101000501"
    assert eap_failure(NODE, MAG)[14:].hex() == "0200000404000004"


@given(st.binary(max_size=64))
def test_any_octets_are_a_value_or_a_wire_error(octets: bytes) -> None:
    for decode in (Eap.decode, Eapol.decode):
        try:
            value = decode(octets)
        except WireError:
            continue
        assert decode(value.encode()) == value


@given(st.sampled_from([EAP_PACKET, START, LOGOFF, 3, 5]), st.binary(max_size=1500))
def test_eapol_round_trip(kind: int, body: bytes) -> None:
    assert Eapol.decode(Eapol(kind=kind, body=body).encode()) == Eapol(kind=kind, body=body)
