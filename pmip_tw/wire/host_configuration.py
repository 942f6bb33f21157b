"""The host configuration extensions of RFC 4332: what a node needs to believe to be at home.

Each is a vendor extension (134) of vendor 9 and type 14; its value begins with a sub-type of two octets. A request
has one of sub-type 0 with the sub-types that are wanted, 0 for all; the reply has one for each that is told.
"""

from collections.abc import Iterable
from enum import IntEnum
from struct import Struct

import attrs

from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.wire.extensions import VENDOR, simple

CISCO = 9
HOST_CONFIGURATION = 14

_HEADER = Struct("!HIHH")
"""Reserved, vendor, vendor type, sub-type: what follows type and length."""
_START = 2
_SELECTOR = Struct("!H")
_ADDRESS = Struct("!I")
_ADDRESSES = Struct("!II")


class Item(IntEnum):
    """The sub-types that are read and written; others are skipped (RFC 4332 3)."""

    REQUEST = 0
    PREFIX_LENGTH = 1
    NAME_SERVERS = 2
    GATEWAY = 5


@attrs.frozen(slots=True, kw_only=True)
class HostConfiguration:
    """What a reply tells: None or nothing where it is silent. At most two name servers fit."""

    prefix_length: int | None = None
    gateway: Ipv4 | None = None
    name_servers: tuple[Ipv4, ...] = ()

    def encode(self, wanted: frozenset[int]) -> tuple[bytes, ...]:
        """The extensions for what is ``wanted``, of what there is."""
        values: list[tuple[Item, bytes]] = []
        if self.prefix_length is not None:
            values.append((Item.PREFIX_LENGTH, _SELECTOR.pack(self.prefix_length)))
        if self.name_servers:
            first, second = (*self.name_servers, UNSPECIFIED)[:2]
            values.append((Item.NAME_SERVERS, _ADDRESSES.pack(first, second)))
        if self.gateway is not None:
            values.append((Item.GATEWAY, _ADDRESS.pack(self.gateway)))
        everything = Item.REQUEST in wanted
        return tuple(_extension(item, value) for item, value in values if everything or item in wanted)

    @classmethod
    def told(cls, extensions: Iterable[bytes]) -> "HostConfiguration | None":
        """What the ``unknown`` extensions of a reply tell; None: nothing. Values of a wrong length are skipped."""
        found: dict[int, bytes] = {}
        for extension in extensions:
            item, value = _item(extension)
            if item:
                found.setdefault(item, value)
        length = found.get(Item.PREFIX_LENGTH, b"")
        servers = found.get(Item.NAME_SERVERS, b"")
        gateway = found.get(Item.GATEWAY, b"")
        told = cls(
            prefix_length=_SELECTOR.unpack(length)[0] if len(length) == 2 and length <= b"\0\x20" else None,
            name_servers=tuple(Ipv4(one) for one in _ADDRESSES.unpack(servers) if one)
            if len(servers) == _ADDRESSES.size
            else (),
            gateway=Ipv4(_ADDRESS.unpack(gateway)[0]) if len(gateway) == 4 and any(gateway) else None,
        )
        return None if told == cls() else told


def host_configuration_request(*items: Item) -> bytes:
    """The extension that asks for ``items``; for everything without any."""
    return _extension(Item.REQUEST, b"".join(_SELECTOR.pack(item) for item in items or (Item.REQUEST,)))


def wanted_items(extensions: Iterable[bytes]) -> frozenset[int]:
    """The sub-types that the ``unknown`` extensions of a request ask for, 0 for everything; none: nothing is asked."""
    wanted: set[int] = set()
    for extension in extensions:
        item, value = _item(extension)
        if item == Item.REQUEST:
            # Without a selector, as some write it, everything is wanted.
            wanted.update(number for (number,) in _SELECTOR.iter_unpack(value[: len(value) & ~1] or b"\0\0"))
    return frozenset(wanted)


def _extension(item: Item, value: bytes) -> bytes:
    return simple(VENDOR, _HEADER.pack(0, CISCO, HOST_CONFIGURATION, item) + value)


def _item(extension: bytes) -> tuple[int | None, bytes]:
    """The sub-type and data of a host configuration extension; (None, nothing) for any other extension."""
    if extension[0] != VENDOR or len(extension) < _START + _HEADER.size:
        return None, b""
    _, vendor, kind, item = _HEADER.unpack_from(extension, _START)
    if (vendor, kind) != (CISCO, HOST_CONFIGURATION):
        return None, b""
    return item, extension[_START + _HEADER.size :]
