"""What is told to AAA of what mobile nodes use, whatever protocol tells it (RFC 2866, AA20-AA22).

A record is a value that says everything by itself: it may lie on the disk for days before anybody takes it.
"""

from enum import IntEnum
from hashlib import sha256

import msgspec
from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.errors import Malformed
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import Counters

_ID_DIGITS = 16


class StatusType(IntEnum):
    """Acct-Status-Type (RFC 2866 5.1)."""

    START = 1
    STOP = 2
    INTERIM_UPDATE = 3
    ACCOUNTING_ON = 7
    ACCOUNTING_OFF = 8


class TerminateCause(IntEnum):
    """Acct-Terminate-Cause: why a session is over (RFC 2866 5.10, RFC 3580 3.18)."""

    USER_REQUEST = 1
    LOST_CARRIER = 2
    LOST_SERVICE = 3
    IDLE_TIMEOUT = 4
    SESSION_TIMEOUT = 5
    ADMIN_RESET = 6
    ADMIN_REBOOT = 7
    PORT_ERROR = 8
    NAS_ERROR = 9
    NAS_REQUEST = 10
    NAS_REBOOT = 11
    PORT_UNNEEDED = 12
    PORT_PREEMPTED = 13
    PORT_SUSPENDED = 14
    SERVICE_UNAVAILABLE = 15
    CALLBACK = 16
    USER_ERROR = 17
    HOST_REQUEST = 18
    SUPPLICANT_RESTART = 19
    REAUTHENTICATION_FAILURE = 20
    PORT_REINITIALIZED = 21
    PORT_ADMINISTRATIVELY_DISABLED = 22
    LOST_POWER = 23


class Usage(Struct, frozen=True, array_like=True, gc=False):
    """What a node has moved, as IP packets; input is from the user (RFC 2866 5.3, AA21)."""

    input_octets: int = 0
    output_octets: int = 0
    input_packets: int = 0
    output_packets: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_octets + other.input_octets,
            self.output_octets + other.output_octets,
            self.input_packets + other.input_packets,
            self.output_packets + other.output_packets,
        )

    def __sub__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_octets - other.input_octets,
            self.output_octets - other.output_octets,
            self.input_packets - other.input_packets,
            self.output_packets - other.output_packets,
        )

    @classmethod
    def of(cls, counters: Counters) -> "Usage":
        """All that the packet plane has counted: what went past the tunnel (N58) is the node's as well."""
        usage = cls(counters.octets_up, counters.octets_down, counters.packets_up, counters.packets_down)
        return usage if counters.local is None else usage + cls.of(counters.local)


class Echo(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """What of an Accept goes back in accounting, octet by octet: see ``AccountingSession``."""

    classes: tuple[bytes, ...] = ()
    chargeable_identity: bytes = b""
    correlation_id: bytes = b""
    aaa_session_id: bytes = b""


NO_ECHO = Echo()


class AccountingSession(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """What stays as it is from one record of a session to the next, nearly always.

    ``id``: Acct-Session-Id; ``multi_id``: Acct-Multi-Session-Id, the same at all MAGs and at the LMA of a node.
    ``nai``: octets of User-Name. ``home_agent``: its LMA; ``care_of_address``: of its MAG. ``port``: the access port,
    ``mac``: as RFC 3580 3.21 writes it; both "" at an LMA. ``classes``: what is to be echoed, byte by byte (25).
    ``correlation_id``, ``aaa_session_id``: what 3GPP2 (44) and WiMAX (4) join records by, "" if AAA gave none.
    ``interim_interval``: seconds that AAA asked for (85), 0 if it did not.
    ``domain``: of the home address (P85).
    ``begins``: nothing shows that it came from another MAG. ``called_station``: of the access point that it is at, as
    that writes it, empty if it is at none.
    """

    id: str
    multi_id: str
    nai: bytes
    home_address: Ipv4
    home_agent: Ipv4 = UNSPECIFIED
    care_of_address: Ipv4 = UNSPECIFIED
    port: str = ""
    mac: str = ""
    classes: tuple[bytes, ...] = ()
    chargeable_identity: bytes = b""
    correlation_id: bytes = b""
    aaa_session_id: bytes = b""
    interim_interval: int = 0
    domain: str = ""
    begins: bool = True
    called_station: bytes = b""

    @property
    def echo(self) -> Echo:
        return Echo(
            classes=self.classes,
            chargeable_identity=self.chargeable_identity,
            correlation_id=self.correlation_id,
            aaa_session_id=self.aaa_session_id,
        )


class AccountingRecord(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One thing to be told, at any time later: ``at`` is when it happened, Unix seconds (Event-Timestamp).

    ``session``: None if it is about all of them (On, Off). ``session_time``: seconds; ``usage``: since the beginning.
    ``terminate_cause``: of a Stop alone; ``continues``: the node goes on elsewhere (Session-Continue).
    """

    status: StatusType
    at: int
    session: AccountingSession | None = None
    session_time: int = 0
    usage: Usage = Usage()
    terminate_cause: TerminateCause | None = None
    continues: bool = False

    @property
    def session_id(self) -> str:
        """ "" of On and Off."""
        return "" if self.session is None else self.session.id


def new_id(whose: str, now: Now) -> str:
    """An Acct-Session-Id, for a session that begins now: nobody before or after it has the same."""
    return sha256(f"{whose} {now.wall!r} {now.monotonic!r}".encode()).hexdigest()[:_ID_DIGITS]


def common_id(nai: bytes, home_address: Ipv4) -> str:
    """Acct-Multi-Session-Id where AAA has given nothing to that end (see docs/decisions/0019).

    Every MAG and the LMA know both without a word to each other, and a handover changes neither.
    """
    return sha256(nai + b"\0" + home_address.to_bytes(4, "big")).hexdigest()[:_ID_DIGITS]


def encode_record(record: AccountingRecord) -> bytes:
    """As the disk has it."""
    return _ENCODER.encode(record)


def decode_record(octets: bytes) -> AccountingRecord:
    """What ``encode_record`` has made, also in an earlier version: new fields go to the end and have defaults.

    Malformed: it is nothing of the kind.
    """
    try:
        return _DECODER.decode(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Malformed(f"no accounting record: {error}", 0) from None


_ENCODER = Encoder()
_DECODER = Decoder(AccountingRecord)
