"""A datagram of 64 KiB, whatever is in it, costs a decoder no more than its size."""

import time
from collections.abc import Callable

import pytest
from msgspec import structs

from pmip_tw.errors import WireError
from pmip_tw.wire.extensions import MAX_EXTENSIONS
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from pmip_tw.wire.revocation import Revocation, RevocationAck

SIZE = 65_000
FIXED = {1: 24, 3: 20, 7: 20, 15: 12}
DECODERS = {
    1: RegistrationRequest.decode,
    3: RegistrationReply.decode,
    7: Revocation.decode,
    15: RevocationAck.decode,
}
EXTENSIONS = {
    "pads": b"\0",
    "empty skippable": b"\xc8\0",
    "pad and skippable": b"\0\xc8\0",
    "identifiers": b"\x93\x02\x01x",
    "NAIs": b"\x83\x01n",
    "authenticators": b"\x20\x05\0\0\x10\0x",
    "long ones": b"\x30\0\0\4abcd",
}


def cpu_seconds(decode: Callable[[bytes], object], octets: bytes) -> float:
    began = time.thread_time()
    try:
        decode(octets)
    except WireError:
        return time.thread_time() - began
    return time.thread_time() - began


@pytest.mark.parametrize("extension", EXTENSIONS.values(), ids=EXTENSIONS)
@pytest.mark.parametrize("kind", DECODERS)
def test_many_extensions_cost_little(kind: int, extension: bytes) -> None:
    """The quadratic decoder that this forbids took seconds; the margin is for slow machines."""
    fixed = bytes((kind,)) + bytes(FIXED[kind] - 1)
    octets = fixed + extension * (SIZE // len(extension))
    assert cpu_seconds(DECODERS[kind], octets) < 0.25


@pytest.mark.parametrize(
    "message",
    [
        RegistrationRequest(lifetime=1, home_agent=1, care_of_address=1, identification=1),
        RegistrationReply(code=0, lifetime=1, home_address=1, home_agent=1, identification=1),
        Revocation(from_home_agent=True, home_address=1, home_domain=1, foreign_domain=1, identifier=1),
        RevocationAck(home_address=1, identifier=1),
    ],
    ids=lambda message: type(message).__name__,
)
def test_the_limit_is_far_from_what_is_real(message) -> None:
    full = structs.replace(message, unknown=(b"\xc8\0",) * MAX_EXTENSIONS)
    assert type(message).decode(full.encode()) == full
    with pytest.raises(WireError, match="more than 64 extensions"):
        type(message).decode(full.encode() + b"\xc8\0")


def test_what_stands_behind_fa_ha_counts_as_well() -> None:
    octets = bytes((1,)) + bytes(23) + b"\x22\x05\0\0\x10\0f" + b"\xc8\0" * (MAX_EXTENSIONS - 1)
    assert RegistrationRequest.decode(octets).fa_ha is not None
    with pytest.raises(WireError, match="more than 64 extensions"):
        RegistrationRequest.decode(octets + b"\xc8\0")
