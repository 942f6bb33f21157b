"""What AAA has said, read by our dictionaries: the values of an Access-Accept, or of Diameter's answer with the same.

Whatever is used must be readable, or the node is refused (AA8), with a cause that names the attribute; what is not used
is never looked at (AA7).
"""

from collections.abc import Callable
from typing import TypeVar

from pmip_tw.aaa.dictionaries.dictionary import Attribute
from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.errors import AccessDenied, WireError
from pmip_tw.mobility.associations import MINIMUM_SPI
from pmip_tw.secret import Secret
from pmip_tw.wire.ipv4 import is_host_address
from pmip_tw.wire.radius import Attributes
from pmip_tw.wire.sub_attributes import read_sub_attributes
from pmip_tw.wire.wimax import VENDOR_WIMAX, join_fragments

MINIMUM_KEY_SIZE = 16
"""RFC 5944 5.1 wants 128 bits; what is shorter is a mistake or the remains of a wrong decryption."""

MAXIMUM_KEY_SIZE = 64
"""The block of MD5 and SHA-1: HMAC hashes a longer key first, so that nobody has a reason to send one."""

Found = TypeVar("Found")

_ADDRESS_SIZE = 4
_IPV6_SIZE = 16


class Said:
    """``hidden``: gives the clear value of a salt-encrypted one, or WireError; of Diameter, which has no such thing,
    the value itself as a Secret. ``fragmented``: WiMAX values have continuation octets, as in RADIUS.

    Every method raises AccessDenied if what it looks for is there and cannot be read. ``ignored``: why that was done
    without, of what nobody needs to be served.
    """

    def __init__(
        self, attributes: Attributes, hidden: Callable[[bytes], Secret], *, fragmented: bool = True
    ) -> None:
        self._attributes = attributes
        self._hidden = hidden
        self._fragmented = fragmented
        self.ignored: list[str] = []

    def if_usable(self, read: Callable[[], Found | None]) -> Found | None:
        """What ``read`` finds, by other methods; what of it cannot be read refuses nobody."""
        try:
            return read()
        except AccessDenied as denied:
            self.ignored.append(str(denied))
            return None

    def speaks(self, vendor: int) -> bool:
        """Whether there is any attribute of ``vendor``."""
        return any(who == vendor for who, _ in self._attributes.vendor)

    def values(self, attribute: Attribute) -> tuple[bytes, ...]:
        """All of them, in order."""
        if not attribute.vendor:
            return self._attributes.all(attribute.number)
        found = self._attributes.all_vendor(attribute.vendor, attribute.number)
        if attribute.vendor != VENDOR_WIMAX or not self._fragmented:
            return found
        try:
            return join_fragments(found)
        except WireError as error:
            raise AccessDenied(f"{attribute} of the Access-Accept cannot be put together: {error}") from None

    def has(self, *attributes: Attribute) -> bool:
        """Whether any of them is there."""
        return any(map(self.values, attributes))

    def one(self, attribute: Attribute) -> bytes | None:
        """Of what can only be there once."""
        values = self.values(attribute)
        if len(values) > 1:
            raise AccessDenied(
                f"the Access-Accept has {len(values)} values of {attribute}; which one is meant is unknown"
            )
        return values[0] if values else None

    def number(self, attribute: Attribute) -> int | None:
        value = self.one(attribute)
        return None if value is None else int.from_bytes(_sized(value, attribute), "big")

    def text(self, attribute: Attribute) -> str | None:
        """Printable UTF-8 without blanks, as names are."""
        value = self.one(attribute)
        if value is None:
            return None
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = ""
        if not text or not text.isprintable() or " " in text:
            raise AccessDenied(f"{attribute} of the Access-Accept is no NAI: empty, or not printable text")
        return text

    def addresses(self, attribute: Attribute) -> tuple[Ipv4, ...]:
        """Of IPv4, which another kind of address beside them is not."""
        values = [value for value in self.values(attribute) if len(value) != _IPV6_SIZE]
        return tuple(Ipv4(int.from_bytes(_sized(value, attribute), "big")) for value in values)

    def hosts(self, attribute: Attribute, what: str, *, but: frozenset[Ipv4]) -> tuple[Ipv4, ...]:
        """Those of single machines, each once, in order, without ``but``. ``what``: what they are to be, in words."""
        named = [address for address in self.addresses(attribute) if address not in but]
        for address in named:
            if not is_host_address(address):
                raise AccessDenied(f"{attribute} {ipv4_text(address)} is no address {what}")
        return tuple(dict.fromkeys(named))

    def sub_attributes(self, attribute: Attribute) -> dict[int, bytes]:
        """By type, of all its values; the first of each type counts."""
        found: dict[int, bytes] = {}
        for value in self.values(attribute):
            try:
                for number, inner in read_sub_attributes(value):
                    found.setdefault(number, inner)
            except WireError as error:
                raise AccessDenied(f"{attribute} of the Access-Accept cannot be read: {error}") from None
        return found

    def key_and_spi(self, key: Attribute, spi: Attribute) -> tuple[int, Secret] | None:
        """(SPI, key); None if neither is there: one is useless without the other."""
        if not self.has(key, spi):
            return None
        number = self.number(spi)
        if number is None:
            raise AccessDenied(f"the Access-Accept has no {spi} ({spi.place})")
        if number < MINIMUM_SPI:
            raise AccessDenied(
                f"{spi} {number} is reserved; give this node one of {MINIMUM_SPI} or more (RFC 5944 3.5.1)"
            )
        return number, self.key(key)

    def key(self, attribute: Attribute) -> Secret:
        """A key that must be there (AA11: it is used as it is delivered)."""
        value = self.one(attribute)
        if value is None:
            raise AccessDenied(f"the Access-Accept has no {attribute} ({attribute.place})")
        try:
            key = self._hidden(value)
        except WireError:
            # The answer itself verified, so that our secret is that of whom we have asked.
            raise AccessDenied(
                f"{attribute} does not decrypt: it was encrypted with another shared secret, or a RADIUS proxy on the"
                " way passed it on without encrypting it anew for its own shared secret, or it was sent in the clear"
            ) from None
        if not MINIMUM_KEY_SIZE <= len(key) <= MAXIMUM_KEY_SIZE:
            raise AccessDenied(
                f"{attribute} has {len(key)} octets instead of {MINIMUM_KEY_SIZE}-{MAXIMUM_KEY_SIZE}: the server's key"
                " is unsuitable, or another shared secret encrypted it, as when a RADIUS proxy on the way does not"
                " encrypt it anew"
            )
        return key


def _sized(value: bytes, attribute: Attribute) -> bytes:
    if len(value) != _ADDRESS_SIZE:
        raise AccessDenied(f"{attribute} has {len(value)} octets instead of {_ADDRESS_SIZE}")
    return value
