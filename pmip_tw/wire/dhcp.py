"""DHCP messages (RFC 2131 2, options of RFC 2132, long options of RFC 3396)."""

import struct
from enum import IntEnum
from typing import Final

import attrs

from pmip_tw.addresses import UNSPECIFIED, Ipv4, Mac
from pmip_tw.errors import Malformed, Truncated

SERVER_PORT: Final = 67
CLIENT_PORT: Final = 68

BOOTREQUEST: Final = 1
BOOTREPLY: Final = 2
BROADCAST_FLAG: Final = 0x8000

MINIMUM_PAYLOAD: Final = 300
"""Octets of the shortest message that every BOOTP implementation takes (RFC 1542 2.1)."""

_FIXED = struct.Struct("!BBBBIHHIIII16s64s128s")
_COOKIE = bytes((99, 130, 83, 99))
_OPTIONS_OFFSET = _FIXED.size + len(_COOKIE)
_SNAME_OFFSET = 44
_FILE_OFFSET = 108
_ETHERNET = 1
_PAD = 0
_END = 255


class MessageType(IntEnum):
    """Values of option 53 (RFC 2132 9.6, RFC 3203, RFC 4388)."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8
    FORCERENEW = 9
    LEASEQUERY = 10
    LEASEUNASSIGNED = 11
    LEASEUNKNOWN = 12
    LEASEACTIVE = 13


_MESSAGE_TYPES: Final[dict[int, MessageType]] = {kind.value: kind for kind in MessageType}


class OptionCode(IntEnum):
    """The options that we read or write; every other one is carried as it came."""

    SUBNET_MASK = 1
    ROUTERS = 3
    DNS_SERVERS = 6
    HOST_NAME = 12
    INTERFACE_MTU = 26
    BROADCAST_ADDRESS = 28
    REQUESTED_ADDRESS = 50
    LEASE_TIME = 51
    OVERLOAD = 52
    MESSAGE_TYPE = 53
    SERVER_IDENTIFIER = 54
    PARAMETER_LIST = 55
    MESSAGE = 56
    MAXIMUM_SIZE = 57
    RENEWAL_TIME = 58
    REBINDING_TIME = 59
    VENDOR_CLASS = 60
    CLIENT_IDENTIFIER = 61
    RAPID_COMMIT = 80
    RELAY_AGENT_INFORMATION = 82
    SUBNET_SELECTION = 118


_FIXED_LENGTHS: Final[dict[int, int]] = {
    OptionCode.REQUESTED_ADDRESS: 4,
    OptionCode.LEASE_TIME: 4,
    OptionCode.MESSAGE_TYPE: 1,
    OptionCode.SERVER_IDENTIFIER: 4,
    OptionCode.MAXIMUM_SIZE: 2,
    OptionCode.RENEWAL_TIME: 4,
    OptionCode.REBINDING_TIME: 4,
}

Option = tuple[int, bytes]


@attrs.frozen(slots=True, kw_only=True)
class DhcpMessage:
    """A message of an Ethernet client.

    ``options`` has one (code, value) for each code, in order of first appearance, whole even if it was split
    (RFC 3396) or lay in ``file`` or ``sname`` (RFC 2131 4.1); pad, end and overload are not values and not
    in it. ``sname`` and ``file`` are without their trailing zeros. ``octets``: as it came, which says more than all
    these; empty for a message of our own, and for one that was changed.
    """

    op: int
    xid: int
    chaddr: Mac
    hops: int = 0
    secs: int = 0
    flags: int = 0
    ciaddr: Ipv4 = UNSPECIFIED
    yiaddr: Ipv4 = UNSPECIFIED
    siaddr: Ipv4 = UNSPECIFIED
    giaddr: Ipv4 = UNSPECIFIED
    sname: bytes = b""
    file: bytes = b""
    options: tuple[Option, ...] = ()
    # Not an argument, so that attrs.evolve leaves it empty.
    octets: bytes = attrs.field(default=b"", init=False, eq=False, repr=False)

    @classmethod
    def decode(cls, octets: bytes) -> "DhcpMessage":
        """From a UDP payload. A missing End is forgiven.

        Raises Truncated; or Malformed for BOOTP without the cookie, a client that is not on Ethernet, an
        ``op`` of neither kind, or an option that we read whose length is not what RFC 2132 gives it.
        """
        if len(octets) < _OPTIONS_OFFSET:
            raise Truncated("a DHCP message has at least 240 octets", len(octets))
        (op, htype, hlen, hops, xid, secs, flags, ciaddr, yiaddr, siaddr, giaddr, chaddr, sname, file) = (
            _FIXED.unpack_from(octets)
        )
        if op not in (BOOTREQUEST, BOOTREPLY):
            raise Malformed(f"op {op} is neither request (1) nor reply (2)")
        if (htype, hlen) != (_ETHERNET, 6):
            raise Malformed(f"hardware type {htype} with addresses of {hlen} octets is not Ethernet", 1)
        if octets[_FIXED.size : _OPTIONS_OFFSET] != _COOKIE:
            raise Malformed("no DHCP cookie", _FIXED.size)
        found: dict[int, bytes] = {}
        _read_options(octets, _OPTIONS_OFFSET, len(octets), found)
        overload = found.pop(OptionCode.OVERLOAD, None)
        if overload is not None:
            if overload not in (b"\x01", b"\x02", b"\x03"):
                raise Malformed("option overload (52) is not 1, 2 or 3", _OPTIONS_OFFSET)
            if overload[0] & 1:
                _read_options(octets, _FILE_OFFSET, _FIXED.size, found)
                file = b""
            if overload[0] & 2:
                _read_options(octets, _SNAME_OFFSET, _FILE_OFFSET, found)
                sname = b""
            found.pop(OptionCode.OVERLOAD, None)
            # What lay in file and sname came behind the relay's option, which has to stay the last one (D6).
            relayed = found.pop(OptionCode.RELAY_AGENT_INFORMATION, None)
            if relayed is not None:
                found[OptionCode.RELAY_AGENT_INFORMATION] = relayed
        for code, length in _FIXED_LENGTHS.items():
            if code in found and len(found[code]) != length:
                raise Malformed(
                    f"option {code} of {len(found[code])} octets instead of {length}", _OPTIONS_OFFSET
                )
        message = cls(
            op=op,
            xid=xid,
            chaddr=Mac(chaddr[:6]),
            hops=hops,
            secs=secs,
            flags=flags,
            ciaddr=Ipv4(ciaddr),
            yiaddr=Ipv4(yiaddr),
            siaddr=Ipv4(siaddr),
            giaddr=Ipv4(giaddr),
            sname=sname.rstrip(b"\0"),
            file=file.rstrip(b"\0"),
            options=tuple(found.items()),
        )
        object.__setattr__(message, "octets", octets)
        return message

    def encode(self) -> bytes:
        """The UDP payload, without padding; all options in the options field, values over 255 octets split.

        ValueError: an option code outside 1-254, or overload; ``sname`` over 64 octets, ``file`` over 128.
        """
        if len(self.sname) > 64 or len(self.file) > 128:
            raise ValueError("sname holds 64 octets and file 128")
        fixed = _FIXED.pack(
            self.op,
            _ETHERNET,
            6,
            self.hops,
            self.xid,
            self.secs,
            self.flags,
            self.ciaddr,
            self.yiaddr,
            self.siaddr,
            self.giaddr,
            self.chaddr,
            self.sname,
            self.file,
        )
        parts = [fixed, _COOKIE]
        for code, value in self.options:
            if not _PAD < code < _END or code == OptionCode.OVERLOAD:
                raise ValueError(f"{code} is not the code of an option with a value")
            for start in range(0, len(value) or 1, 255):
                piece = value[start : start + 255]
                parts.append(bytes((code, len(piece))) + piece)
        parts.append(bytes((_END,)))
        return b"".join(parts)

    def payload(self) -> bytes:
        """As it came, or else as ``encode``; with the padding that old implementations want."""
        return (self.octets or self.encode()).ljust(MINIMUM_PAYLOAD, b"\0")

    def option(self, code: int) -> bytes | None:
        """The value of option ``code``, None if the message has none."""
        for found, value in self.options:
            if found == code:
                return value
        return None

    @property
    def broadcast(self) -> bool:
        """The client cannot take unicast before it has its address (RFC 2131 4.1)."""
        return bool(self.flags & BROADCAST_FLAG)

    @property
    def message_type(self) -> MessageType | None:
        """None for BOOTP, and for a type that we do not know."""
        value = self._number(OptionCode.MESSAGE_TYPE)
        return None if value is None else _MESSAGE_TYPES.get(value)

    @property
    def requested_address(self) -> Ipv4 | None:
        return self._address(OptionCode.REQUESTED_ADDRESS)

    @property
    def server_identifier(self) -> Ipv4 | None:
        return self._address(OptionCode.SERVER_IDENTIFIER)

    @property
    def lease_time(self) -> int | None:
        """Seconds; 0xffffffff is forever (RFC 2131 3.3)."""
        return self._number(OptionCode.LEASE_TIME)

    @property
    def maximum_size(self) -> int | None:
        """Octets of the longest message that the client takes (RFC 2132 9.10)."""
        return self._number(OptionCode.MAXIMUM_SIZE)

    @property
    def client_identifier(self) -> bytes | None:
        return self.option(OptionCode.CLIENT_IDENTIFIER)

    @property
    def host_name(self) -> bytes | None:
        return self.option(OptionCode.HOST_NAME)

    @property
    def parameter_list(self) -> bytes:
        """The codes that the client asks for, one octet each."""
        return self.option(OptionCode.PARAMETER_LIST) or b""

    def _number(self, code: OptionCode) -> int | None:
        value = self.option(code)
        return None if value is None else int.from_bytes(value, "big")

    def _address(self, code: OptionCode) -> Ipv4 | None:
        value = self._number(code)
        return None if value is None else Ipv4(value)


def _read_options(octets: bytes, offset: int, end: int, found: dict[int, bytes]) -> None:
    """Collect the options of one field; values of the same code are joined (RFC 3396 7)."""
    while offset < end:
        code = octets[offset]
        if code == _END:
            return
        offset += 1
        if code == _PAD:
            continue
        if offset == end:
            raise Truncated(f"option {code} has no length", offset)
        start = offset + 1
        offset = start + octets[offset]
        if offset > end:
            raise Truncated(f"option {code} ends behind its field", end)
        value = octets[start:offset]
        found[code] = found[code] + value if code in found else value
