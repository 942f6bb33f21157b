"""The attributes of a packet: raw octets, in the order in which they stand in it."""

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import attrs

from pmip_tw.addresses import Ipv4
from pmip_tw.wire.radius.codes import AttributeType

MAXIMUM_VALUE_SIZE = 253
"""What fits into an attribute (RFC 2865 5)."""

MAXIMUM_VENDOR_VALUE_SIZE = 247
"""What is left of it for one value of a vendor (RFC 2865 5.26)."""

_VENDOR_SIZE = 4

Attribute = tuple[int, bytes]
"""(type, value)."""

VendorType = tuple[int, int]
"""(vendor, type)."""


def _in_order(pairs: Iterable[Attribute]) -> tuple[Attribute, ...]:
    return tuple(pairs)


@attrs.frozen(slots=True, repr=False)
class Attributes:
    """Type and value of each, in order. Values may be secrets: none of them is shown."""

    pairs: tuple[Attribute, ...] = attrs.field(default=(), converter=_in_order)

    @classmethod
    def of(
        cls,
        standard: Mapping[int, Iterable[bytes]] | None = None,
        vendor: Mapping[VendorType, Iterable[bytes]] | None = None,
    ) -> "Attributes":
        """By type, and by vendor and type. ValueError: a vendor's value is too long."""
        pairs = [(int(kind), value) for kind, values in (standard or {}).items() for value in values]
        for (who, kind), values in (vendor or {}).items():
            pairs += [vendor_specific(who, kind, value) for value in values]
        return cls(pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[Attribute]:
        return iter(self.pairs)

    def __repr__(self) -> str:
        return f"Attributes({', '.join(str(kind) for kind, _ in self.pairs)})"

    @cached_property
    def standard(self) -> Mapping[int, tuple[bytes, ...]]:
        """Values by type; of vendors, whole attributes under 26."""
        found: defaultdict[int, tuple[bytes, ...]] = defaultdict(tuple)
        for kind, value in self.pairs:
            found[kind] += (value,)
        return dict(found)

    @cached_property
    def vendor(self) -> Mapping[VendorType, tuple[bytes, ...]]:
        """Values by vendor and type, of vendors whose attributes are made as RFC 2865 5.26 suggests.

        Others, and what is cut short, are in ``standard`` only.
        """
        found: defaultdict[VendorType, tuple[bytes, ...]] = defaultdict(tuple)
        for value in self.standard.get(AttributeType.VENDOR_SPECIFIC, ()):
            for key, inner in _within(value):
                found[key] += (inner,)
        return dict(found)

    def all(self, attribute_type: int) -> tuple[bytes, ...]:
        return self.standard.get(attribute_type, ())

    def first(self, attribute_type: int) -> bytes | None:
        values = self.standard.get(attribute_type)
        return values[0] if values else None

    def all_vendor(self, vendor: int, attribute_type: int) -> tuple[bytes, ...]:
        return self.vendor.get((vendor, attribute_type), ())

    def joined(self, attribute_type: int) -> bytes:
        """A value that was split over several attributes (RFC 3579 3.1)."""
        return b"".join(self.all(attribute_type))

    def without(self, *attribute_types: int) -> "Attributes":
        return Attributes(pair for pair in self.pairs if pair[0] not in attribute_types)

    def followed_by(self, pairs: Iterable[Attribute]) -> "Attributes":
        return Attributes((*self.pairs, *pairs))


NO_ATTRIBUTES = Attributes()


def text(attribute_type: int, value: str) -> Attribute:
    return (int(attribute_type), value.encode())


def number(attribute_type: int, value: int) -> Attribute:
    """32 bits, as nearly all numbers are."""
    return (int(attribute_type), struct.pack("!L", value))


def address(attribute_type: int, value: Ipv4) -> Attribute:
    return (int(attribute_type), struct.pack("!L", value))


def vendor_specific(vendor: int, attribute_type: int, value: bytes) -> Attribute:
    """One value of a vendor in an attribute of its own. ValueError: it is too long."""
    if len(value) > MAXIMUM_VENDOR_VALUE_SIZE:
        raise ValueError(f"{len(value)} octets of vendor {vendor}, type {attribute_type}, do not fit")
    header = struct.pack("!LBB", vendor, attribute_type, 2 + len(value))
    return (AttributeType.VENDOR_SPECIFIC.value, header + value)


def split_value(attribute_type: int, value: bytes) -> tuple[Attribute, ...]:
    """A long value in as many attributes as it takes; at least one (EAP-Message, RFC 3579 3.1)."""
    starts = range(0, max(len(value), 1), MAXIMUM_VALUE_SIZE)
    return tuple((int(attribute_type), value[start : start + MAXIMUM_VALUE_SIZE]) for start in starts)


def _within(value: bytes) -> Iterator[tuple[VendorType, bytes]]:
    """The values in one Vendor-Specific attribute; none if they do not end where it does."""
    if len(value) < _VENDOR_SIZE:
        return
    vendor = int.from_bytes(value[:_VENDOR_SIZE], "big")
    found: list[tuple[VendorType, bytes]] = []
    offset = _VENDOR_SIZE
    while offset < len(value):
        size = value[offset + 1] if offset + 1 < len(value) else 0
        if size < 2 or offset + size > len(value):
            return
        found.append(((vendor, value[offset]), value[offset + 2 : offset + size]))
        offset += size
    yield from found
