"""Changes to a DHCP message in its octets, for relays: whatever is not changed stays as it came, to the octet (D5, D9).

Decoding and encoding would not do: the order and the pieces of options, padding, and what is behind the end would be
others. All of these take octets that ``DhcpMessage.decode`` has taken.
"""

from collections.abc import Iterator
from typing import Final

from pmip_tw.addresses import Ipv4, Mac
from pmip_tw.wire.dhcp import OptionCode

_HOPS = 3
_XID = 4
_GIADDR = 24
_CHADDR = 28
_SNAME, _FILE, _COOKIE = 44, 108, 236
_OPTIONS = 240
_PAD, _END = 0, 255
_LONGEST_VALUE: Final = 255


def client_and_transaction(octets: bytes) -> tuple[Mac, int]:
    """Of any octets, perhaps of none: whose question they are about, if they are a message (D10)."""
    return Mac(octets[_CHADDR : _CHADDR + 6]), int.from_bytes(octets[_XID : _XID + 4], "big")


def relayed(octets: bytes, *, hops: int, giaddr: Ipv4) -> bytes:
    """With these two fields, in which a relay says that it was there (RFC 1542 4.1.1)."""
    return b"".join(
        (
            octets[:_HOPS],
            bytes((hops,)),
            octets[_HOPS + 1 : _GIADDR],
            giaddr.to_bytes(4, "big"),
            octets[_GIADDR + 4 :],
        )
    )


def with_option_last(octets: bytes, code: int, value: bytes) -> bytes:
    """One more option, before the End of the options field, never in ``file`` or ``sname`` (D6).

    An option 82 that is the last one stays that. Zeros behind the End make room. ValueError: ``value`` has more than
    255 octets.
    """
    if len(value) > _LONGEST_VALUE:
        raise ValueError(f"an option of {len(value)} octets cannot be one whole")
    end, place = _end_of_options(octets), _before_relay_information(octets)
    option = bytes((code, len(value))) + value
    rest = octets[end + 1 :]
    padding = len(rest) - len(rest.rstrip(b"\0"))
    kept = len(rest) - min(padding, len(option))
    if place is None:
        place = end
    return b"".join((octets[:place], option, octets[place:end], bytes((_END,)), rest[:kept]))


def without_option(octets: bytes, code: int) -> bytes:
    """Without every piece of option ``code``; in ``file`` and ``sname``, which keep their size, it becomes padding."""
    changed = bytearray(octets)
    overload = 0
    cut: list[tuple[int, int]] = []
    for found, start, end in _options(octets, _OPTIONS, len(octets)):
        if found == OptionCode.OVERLOAD and end > start + 2:  # a piece of it may be empty (RFC 3396)
            overload = octets[start + 2]
        if found == code:
            cut.append((start, end))
    for bit, first, last in ((1, _FILE, _COOKIE), (2, _SNAME, _FILE)):
        if overload & bit:
            for found, start, end in _options(octets, first, last):
                if found == code:
                    changed[start:end] = bytes(end - start)
    for start, end in reversed(cut):
        del changed[start:end]
    return bytes(changed)


def _options(octets: bytes, offset: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Code, start and end of every option of a field."""
    while offset < end and octets[offset] != _END:
        start = offset
        if octets[start] == _PAD:
            offset += 1
            continue
        offset += 2 + octets[start + 1]
        yield octets[start], start, offset


def _end_of_options(octets: bytes) -> int:
    """Where the End is, or should have been: behind the last option then."""
    behind_last = _OPTIONS
    for _, _, behind_last in _options(octets, _OPTIONS, len(octets)):  # noqa: B007
        pass
    end = behind_last
    while end < len(octets) and octets[end] == _PAD:
        end += 1
    return end if end < len(octets) else behind_last


def _before_relay_information(octets: bytes) -> int | None:
    """Where option 82 begins, all its pieces, if nothing stands behind it."""
    place = None
    for found, start, _ in _options(octets, _OPTIONS, len(octets)):
        if found != OptionCode.RELAY_AGENT_INFORMATION:
            place = None
        elif place is None:
            place = start
    return place
