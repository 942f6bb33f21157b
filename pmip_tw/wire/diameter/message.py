"""Diameter messages (RFC 6733 3) over python-diameter's codec; the library's node, commands and names are not used.

A stream is cut by ``frame_size``; whatever it cuts ``decode`` reads. Three things can be wrong, in the order of what
is left to do about them: the stream cannot be cut any more (WireError of ``frame_size``: close it), the message cannot
be read (BadMessage: the header can, so that a request is answered with ``result``), or an AVP is not what its reader
needs (InvalidAvp, later).
"""

from typing import Final

import attrs
from diameter.message._base import Message as LibraryMessage
from diameter.message._base import MessageHeader

from pmip_tw.errors import Malformed
from pmip_tw.wire.diameter.avps import Avp, Avps, InvalidAvp, decode_avps, to_library
from pmip_tw.wire.diameter.codes import Code, Command, Result, result_name

HEADER_SIZE: Final = 20
MAXIMUM_SIZE: Final = 1 << 16
"""Octets of a message. The header could say 16 MiB; who does has lost the thread or wants our memory."""

_VERSION: Final = 1
_REQUEST: Final = 0x80
_PROXIABLE: Final = 0x40
_ERROR: Final = 0x20
_RETRANSMITTED: Final = 0x10
_INITIALS: Final = {
    Command.CAPABILITIES_EXCHANGE: "CE",
    Command.RE_AUTH: "RA",
    Command.AA_MOBILE_NODE: "AM",
    Command.HOME_AGENT_MIP: "HA",
    Command.AA: "AA",
    Command.DIAMETER_EAP: "DE",
    Command.ACCOUNTING: "AC",
    Command.ABORT_SESSION: "AS",
    Command.SESSION_TERMINATION: "ST",
    Command.DEVICE_WATCHDOG: "DW",
    Command.DISCONNECT_PEER: "DP",
}


@attrs.frozen(slots=True, kw_only=True)
class Header:
    """What is in front of the AVPs. ``retransmitted``: the T flag, of a request that may have arrived before."""

    command: int
    application: int
    request: bool
    proxiable: bool = True
    error: bool = False
    retransmitted: bool = False
    hop_by_hop: int = 0
    end_to_end: int = 0

    @property
    def name(self) -> str:
        """``DER``, ``DWA``; ``command 300 request`` for what has no name here."""
        try:
            return _INITIALS[Command(self.command)] + ("R" if self.request else "A")
        except ValueError:
            return f"command {self.command} {'request' if self.request else 'answer'}"


@attrs.frozen(slots=True, kw_only=True)
class Message:
    header: Header
    avps: Avps

    @property
    def name(self) -> str:
        return self.header.name

    @property
    def session_id(self) -> str:
        """Empty if there is none. InvalidAvp: it is no text."""
        return self.avps.text(Code.SESSION_ID) or ""

    @property
    def result(self) -> int:
        """Result-Code, or that of Experimental-Result. InvalidAvp: neither is there."""
        experimental = self.avps.group(Code.EXPERIMENTAL_RESULT)
        if experimental is not None:
            return experimental.required_number(Code.EXPERIMENTAL_RESULT_CODE)
        return self.avps.required_number(Code.RESULT_CODE)

    def explained(self) -> str:
        """The result of an answer in words: its number and what the peer says about it."""
        said = self.avps.first(Code.ERROR_MESSAGE) or self.avps.first(Code.REPLY_MESSAGE) or b""
        shown = "".join(letter for letter in said.decode(errors="replace") if letter.isprintable()).strip()
        return result_name(self.result) + (f': "{shown}"' if shown else "")

    def encode(self) -> bytes:
        """ValueError: it is longer than MAXIMUM_SIZE."""
        header = self.header
        flags = (
            (_REQUEST if header.request else 0)
            | (_PROXIABLE if header.proxiable else 0)
            | (_ERROR if header.error else 0)
            | (_RETRANSMITTED if header.retransmitted else 0)
        )
        written = MessageHeader(
            version=_VERSION,
            command_flags=flags,
            command_code=header.command,
            application_id=header.application,
            hop_by_hop_identifier=header.hop_by_hop,
            end_to_end_identifier=header.end_to_end,
        )
        encoded: bytes = LibraryMessage(written, [to_library(avp) for avp in self.avps]).as_bytes()
        if len(encoded) > MAXIMUM_SIZE:
            raise ValueError(f"a message of {len(encoded)} octets; {MAXIMUM_SIZE} is the limit")
        return encoded

    def answer(self, *avps: Avp, error: bool = False) -> "Message":
        """To this request: identifiers, P flag and every Proxy-Info are its own (RFC 6733 6.2)."""
        header = attrs.evolve(self.header, request=False, error=error, retransmitted=False)
        of_proxies = (avp for avp in self.avps if avp.code == Code.PROXY_INFO and not avp.vendor)
        return Message(header=header, avps=Avps((*avps, *of_proxies)))


class BadMessage(Malformed):
    """``header`` can be read and the rest cannot; ``result`` says why to whoever sent a request."""

    def __init__(self, text: str, header: Header, result: Result, failed: Avp | None, offset: int) -> None:
        super().__init__(text, offset)
        self.header = header
        self.result = result
        self.failed = failed


def frame_size(stream: bytes | bytearray) -> int | None:
    """Octets of the message that ``stream`` begins with; None if they are not there yet.

    Malformed: it is no message of version 1, or has an impossible length; nothing behind it can be found any more.
    """
    if not stream:
        return None
    if stream[0] != _VERSION:
        raise Malformed(f"version {stream[0]}: this is no Diameter, or a message did not end where it said")
    if len(stream) < 4:
        return None
    length = int.from_bytes(stream[1:4], "big")
    if length < HEADER_SIZE or length % 4 or length > MAXIMUM_SIZE:
        raise Malformed(
            f"a message of {length} octets; there are {HEADER_SIZE} to {MAXIMUM_SIZE}, by fours", 1
        )
    return length if length <= len(stream) else None


def decode(frame: bytes) -> Message:
    """What ``frame_size`` has cut. WireError: it was not; BadMessage: see there."""
    if frame_size(frame) != len(frame):
        raise Malformed("octets that are not one message", 1 if len(frame) > 1 else 0)
    read = MessageHeader.from_bytes(frame)
    header = Header(
        command=read.command_code,
        application=read.application_id,
        request=read.is_request,
        proxiable=read.is_proxyable,
        error=read.is_error,
        retransmitted=read.is_retransmit,
        hop_by_hop=read.hop_by_hop_identifier,
        end_to_end=read.end_to_end_identifier,
    )
    if header.request and header.error:
        raise BadMessage("a request with the E flag", header, Result.INVALID_HDR_BITS, None, 4)
    try:
        return Message(header=header, avps=decode_avps(frame, HEADER_SIZE))
    except InvalidAvp as error:
        raise BadMessage(str(error), header, error.result, error.failed, error.offset) from None
