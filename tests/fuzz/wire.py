"""The law of the wire: any octets give a value or a WireError, soon; and what a value encodes to means the same."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import attrs
import msgspec
from msgspec import structs

from pmip_tw.errors import WireError
from pmip_tw.wire.arp import Arp
from pmip_tw.wire.dhcp import DhcpMessage
from pmip_tw.wire.encapsulation import IpInIp, TunnelData
from pmip_tw.wire.ethernet import EthernetFrame
from pmip_tw.wire.icmp import IcmpMessage, echo_reply, fragmentation_needed
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.pretunnel import PreTunnelReply, PreTunnelRequest
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from pmip_tw.wire.relay_information import RelayInformation
from pmip_tw.wire.revocation import Revocation, RevocationAck
from pmip_tw.wire.udp import UdpDatagram
from tests.fuzz.checksums import mend_checksums
from tests.fuzz.datagrams import EXTENSIONS
from tests.fuzz.target import Check, Target
from tests.vectors import vectors

ARP = bytes.fromhex("0001080006040001 020000000001 0a010009 000000000000 0a010001")

LONGEST = 0.5
"""CPU seconds for one input, on the slowest machine; a quadratic decoder takes more."""

AUTHENTICATORS = ("mn_ha", "mn_aaa", "fa_ha")
KEPT = ("unknown", "trailing", "repeated", "agent_part")


class Codec(Protocol):
    def decode(self, octets: bytes, /) -> "Value": ...


class Value(Protocol):
    def encode(self) -> bytes: ...


def in_time(decode: Callable[[bytes], object], octets: bytes) -> object | None:
    """The value, or None for a WireError; any other exception is a finding."""
    began = time.thread_time()
    try:
        found = decode(octets)
    except WireError as error:
        assert 0 <= error.offset <= len(octets), f"{error!r} is about octet {error.offset} of {len(octets)}"
        assert error.reason and str(error)
        found = None
    took = time.thread_time() - began
    assert took < LONGEST, f"decoding {len(octets)} octets took {took:.2f} s"
    return found


def stable(codec: Codec) -> Check:
    """decode(encode(x)) is x."""

    def check(octets: bytes) -> None:
        found = in_time(codec.decode, octets)
        if found is not None:
            assert codec.decode(found.encode()) == found

    return check


def message(codec: Codec) -> Check:
    """Encoding puts the extensions into order and leaves out the repeated ones: once in order, it stays as it is."""

    def check(octets: bytes) -> None:
        found = in_time(codec.decode, octets)
        if found is None:
            return
        ordered = found.encode()
        again = codec.decode(ordered)
        assert again.encode() == ordered
        assert meaning(again) == meaning(found)

    return check


def meaning(found: msgspec.Struct) -> dict[str, object]:
    """All fields but the octets that are kept as they came, and where an authenticator lay."""
    fields = {name: value for name, value in structs.asdict(found).items() if name not in KEPT}
    for name in AUTHENTICATORS:
        if fields.get(name) is not None:
            fields[name] = structs.replace(fields[name], covered=0)
    return fields


def option_82(octets: bytes) -> None:
    """What fits one option is written as it was read."""
    found = in_time(RelayInformation.decode, octets)
    assert found is None or isinstance(found, RelayInformation)
    if found is not None and found.fits:
        assert found.encode() == octets


def options_82() -> Iterator[bytes]:
    for vector in vectors("dhcp"):
        if "option_82_hex" in vector:
            yield bytes.fromhex(vector["option_82_hex"])[2:]


def frame(octets: bytes) -> None:
    """An Ethernet frame, through every decoder that may meet it, its checksums mended and as they are."""
    stable(EthernetFrame)(octets)
    found = in_time(EthernetFrame.decode, octets)
    if found is None:
        return
    stable(Arp)(found.payload)
    for payload in (found.payload, mend_checksums(found.payload)):
        packet(payload)


def packet(octets: bytes) -> None:
    stable(Ipv4Packet)(octets)
    found = in_time(Ipv4Packet.decode, octets)
    if found is None:
        return
    in_time(IpInIp.decode, octets)
    in_time(lambda _: echo_reply(found), octets)
    fragmentation_needed(found.destination, found, 1400)
    icmp = in_time(lambda _: IcmpMessage.decode(found), found.payload)
    if icmp is not None:
        assert IcmpMessage.decode(attrs.evolve(found, payload=icmp.encode())) == icmp
    datagram = in_time(lambda _: UdpDatagram.decode(found), found.payload)
    if datagram is not None:
        in_time(DhcpMessage.decode, datagram.payload)
        in_time(TunnelData.decode, datagram.payload)


def of_vectors(*names: str, first: int | None = None) -> Callable[[], Iterable[bytes]]:
    """UDP payloads of the vectors, those whose first octet is ``first`` if that is given."""

    def octets() -> Iterator[bytes]:
        for name in names:
            for vector in vectors(name):
                found = bytes.fromhex(vector.get("udp_payload_hex", ""))
                if found and first in (None, found[0]):
                    yield found

    return octets


def messages(first: int, size: int, *names: str) -> Callable[[], Iterable[bytes]]:
    """The vectors of one message type, and one with each kind of extension alone."""

    def octets() -> Iterator[bytes]:
        yield from of_vectors(*names, first=first)()
        for extension in EXTENSIONS:
            yield bytes((first,)) + bytes(size - 1) + extension

    return octets


def frames() -> Iterator[bytes]:
    """A frame of each kind that an access link carries."""
    station = bytes.fromhex("02005e504d49020000000001")
    yield (station + b"\x08\x06" + ARP)
    for vector in vectors("dhcp"):
        payload = bytes.fromhex(vector["udp_payload_hex"])
        udp = bytes.fromhex("00440043") + (8 + len(payload)).to_bytes(2, "big") + b"\0\0" + payload
        yield station + b"\x08\0" + header(17, len(udp)) + udp
    for payload in (b"\x08\0\0\0\x12\x34\0\x01ping", b"\x03\x04\0\0\0\0\x05\x78" + header(17, 8) + bytes(8)):
        yield station + b"\x08\0" + header(1, len(payload)) + payload
    inner = header(17, 12) + bytes.fromhex("1388000700000000") + b"data"
    yield station + b"\x08\0" + header(4, len(inner)) + inner
    data = b"\x01\xb2\x01\xb2" + (12 + len(inner)).to_bytes(2, "big") + b"\0\0\x04\x04\0\0" + inner
    yield station + b"\x08\0" + header(17, len(data)) + data


def header(protocol: int, size: int) -> bytes:
    """An IPv4 header; its checksum is somebody else's business."""
    length = (20 + size).to_bytes(2, "big")
    return b"\x45\0" + length + b"\0\x01\0\0\x40" + bytes((protocol,)) + b"\0\0\x0a\x01\0\x09\xcb\0\x71\x09"


TARGETS = (
    Target(
        name="registration-request",
        about="decoding registration requests",
        check=message(RegistrationRequest),
        seeds=messages(1, 24, "registration"),
        head=0,
    ),
    Target(
        name="registration-reply",
        about="decoding registration replies",
        check=message(RegistrationReply),
        seeds=messages(3, 20, "registration"),
        head=0,
    ),
    Target(
        name="revocation",
        about="decoding revocations",
        check=message(Revocation),
        seeds=messages(7, 20, "revocation"),
        head=0,
    ),
    Target(
        name="revocation-ack",
        about="decoding acknowledgments of revocations",
        check=message(RevocationAck),
        seeds=messages(15, 12, "revocation"),
        head=0,
    ),
    Target(
        name="pre-tunnel-request",
        about="decoding pre-tunnel requests",
        check=message(PreTunnelRequest),
        seeds=messages(250, 20, "nat"),
        head=0,
    ),
    Target(
        name="pre-tunnel-reply",
        about="decoding pre-tunnel replies",
        check=message(PreTunnelReply),
        seeds=messages(251, 20, "nat"),
        head=0,
    ),
    Target(
        name="tunnel-data",
        about="decoding tunnel data messages",
        check=stable(TunnelData),
        seeds=of_vectors("nat", first=4),
    ),
    Target(name="dhcp", about="decoding DHCP messages", check=stable(DhcpMessage), seeds=of_vectors("dhcp")),
    Target(
        name="option-82",
        about="decoding relay agent information",
        check=option_82,
        seeds=options_82,
        longest=300,
    ),
    Target(
        name="frames",
        about="Ethernet frames: ARP, IPv4, ICMP, UDP, IP-in-IP, and what is inside",
        check=frame,
        seeds=frames,
    ),
)
