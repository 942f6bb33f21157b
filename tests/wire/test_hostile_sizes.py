"""A datagram of 64 KiB, whatever is in it, costs a decoder no more than its size."""

import time
from collections.abc import Callable

import pytest

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


def test_the_limit_is_far_from_what_is_real() -> None:
    request = RegistrationRequest(
        lifetime=1, home_agent=1, care_of_address=1, identification=1, unknown=(b"\xc8\0",) * MAX_EXTENSIONS
    )
    assert RegistrationRequest.decode(request.encode()) == request
    request.unknown += (b"\xc8\0",)
    with pytest.raises(WireError, match="more than 64 extensions"):
        RegistrationRequest.decode(request.encode())
