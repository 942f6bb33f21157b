"""All vectors of revocation.json: decode, verify, re-encode to the same octets."""

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.secret import Secret
from pmip_tw.wire.revocation import Revocation, RevocationAck
from tests.conformance import covers
from tests.vectors import vectors

VECTORS = {vector["name"]: vector for vector in vectors("revocation")}


def octets_of(name: str) -> bytes:
    return bytes.fromhex(VECTORS[name]["udp_payload_hex"])


def decode(octets: bytes) -> Revocation | RevocationAck:
    return Revocation.decode(octets) if octets[0] == 7 else RevocationAck.decode(octets)


@covers("RV10")
@pytest.mark.parametrize("name", VECTORS)
def test_round_trip_and_signature(name: str) -> None:
    octets = octets_of(name)
    message = decode(octets)
    assert message.encode() == octets
    [authentication] = VECTORS[name]["authentication"]
    keyed = SecurityAssociation(
        int(authentication["spi"], 16), Secret(bytes.fromhex(authentication["key_hex"]))
    )
    field = "mn_ha" if authentication["extension"] == "32" else "fa_ha"
    found = getattr(message, field)
    assert keyed.verify(octets[: found.covered], found.value)
    setattr(message, field, None)
    assert message.encode(**{field: keyed}) == octets


def test_bits_of_the_two_messages_differ_in_place() -> None:
    assert decode(octets_of("revocation-lma-inform")).inform
    assert decode(octets_of("revocation-ack-from-lma-inform")).inform
    assert not decode(octets_of("revocation-lma-to-old-mag")).inform


def test_direction_bit() -> None:
    sent_by_lma = decode(octets_of("revocation-lma-to-old-mag"))
    sent_by_mag = decode(octets_of("revocation-mag-to-lma"))
    assert isinstance(sent_by_lma, Revocation) and sent_by_lma.from_home_agent
    assert isinstance(sent_by_mag, Revocation) and not sent_by_mag.from_home_agent
    assert sent_by_lma.home_domain == ipv4("192.0.2.1")
