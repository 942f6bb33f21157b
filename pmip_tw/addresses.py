"""IPv4 and Ethernet addresses as the code carries them: 32-bit integers and six octets."""

from typing import NamedTuple, NewType

Ipv4 = NewType("Ipv4", int)
"""An IPv4 address as an unsigned 32-bit integer, which is what ``struct`` unpacks and dictionaries hash fastest."""

Mac = NewType("Mac", bytes)
"""An Ethernet address, six octets."""

UNSPECIFIED = Ipv4(0)
ALL_ONES = Ipv4(0xFFFFFFFF)
BROADCAST_MAC = Mac(b"\xff" * 6)


class Endpoint(NamedTuple):
    """Where a datagram comes from or goes to."""

    address: Ipv4
    port: int

    def __str__(self) -> str:
        return f"{ipv4_text(self.address)}:{self.port}"


def ipv4(text: str) -> Ipv4:
    """``"192.0.2.1"`` as an address; ValueError says what is wrong with it."""
    parts = text.split(".")
    if len(parts) != 4 or not all(
        p.isascii() and p.isdigit() and len(p) <= 3 and int(p) <= 255 for p in parts
    ):
        raise ValueError(f"{text!r} is not an IPv4 address (four numbers 0-255, such as 192.0.2.1)")
    return Ipv4(int(parts[0]) << 24 | int(parts[1]) << 16 | int(parts[2]) << 8 | int(parts[3]))


def ipv4_text(address: Ipv4) -> str:
    """Dotted decimal."""
    return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"


def mac(text: str) -> Mac:
    """``"02:00:00:00:00:01"`` (or with dashes) as an address; ValueError says what is wrong with it."""
    digits = text.replace("-", ":").split(":")
    try:
        if len(digits) != 6 or not all(len(d) == 2 for d in digits):
            raise ValueError
        return Mac(bytes.fromhex("".join(digits)))
    except ValueError:
        raise ValueError(f"{text!r} is not an Ethernet address (such as 02:00:00:00:00:01)") from None


def mac_text(address: bytes, separator: str = ":") -> str:
    """Six pairs of lower-case hexadecimal digits."""
    return address.hex(separator)


class Prefix(NamedTuple):
    """An IPv4 prefix; ``network`` has its host bits clear."""

    network: Ipv4
    length: int

    @property
    def mask(self) -> Ipv4:
        return Ipv4(0xFFFFFFFF << (32 - self.length) & 0xFFFFFFFF)

    @property
    def first_host(self) -> Ipv4:
        return Ipv4(self.network + 1)

    @property
    def broadcast(self) -> Ipv4:
        return Ipv4(self.network | (0xFFFFFFFF >> self.length))

    def __contains__(self, address: object) -> bool:
        return isinstance(address, int) and address & self.mask == self.network

    def __str__(self) -> str:
        return f"{ipv4_text(self.network)}/{self.length}"


def prefix(text: str) -> Prefix:
    """``"10.1.0.0/24"`` as a prefix; ValueError says what is wrong with it."""
    address, slash, digits = text.partition("/")
    if not slash or not (digits.isascii() and digits.isdigit() and len(digits) <= 2) or int(digits) > 32:
        raise ValueError(f"{text!r} is not an IPv4 prefix (such as 10.1.0.0/24)")
    found = Prefix(ipv4(address), int(digits))
    if found.network & ~found.mask:
        proper = Prefix(Ipv4(found.network & found.mask), found.length)
        raise ValueError(f"{text!r} has host bits set; the prefix is {proper}")
    return found
