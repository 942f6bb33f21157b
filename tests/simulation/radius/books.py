"""What RADIUS servers have written down of accounting, and what must be right about it when all is quiet."""

import struct
from collections import defaultdict
from typing import TYPE_CHECKING

from pmip_tw.aaa.accounting.records import StatusType, Usage
from pmip_tw.addresses import Ipv4
from pmip_tw.mobility.tunnels import AccessEntry, Entry
from pmip_tw.wire.radius import Attributes, AttributeType
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.machines import Machine
    from tests.simulation.world import World

_MAY_DIFFER = frozenset((AttributeType.ACCT_DELAY_TIME, AttributeType.MESSAGE_AUTHENTICATOR))
"""Between a record and its double."""

_COUNTED = (
    (AttributeType.ACCT_INPUT_OCTETS, AttributeType.ACCT_INPUT_GIGAWORDS),
    (AttributeType.ACCT_OUTPUT_OCTETS, AttributeType.ACCT_OUTPUT_GIGAWORDS),
)

Said = tuple[tuple[int, bytes], ...]
"""A record's attributes, without those that may differ."""


class Books:
    """Of all servers of a world. ``sessions``: what was said of each, by Acct-Session-Id and Acct-Status-Type."""

    def __init__(self) -> None:
        self.sessions: defaultdict[str, defaultdict[StatusType, dict[Said, None]]] = defaultdict(
            lambda: defaultdict(dict)
        )

    def write(self, attributes: Attributes) -> None:
        status = StatusType(_number(attributes, AttributeType.ACCT_STATUS_TYPE))
        if status in (StatusType.ACCOUNTING_ON, StatusType.ACCOUNTING_OFF):
            return
        session = (attributes.first(AttributeType.ACCT_SESSION_ID) or b"").decode()
        said = tuple(pair for pair in attributes.pairs if pair[0] not in _MAY_DIFFER)
        self.sessions[session][status][said] = None

    def balance(self, world: "World") -> None:
        """Each session has one Start and one Stop, those of a MAG add up to what it has carried."""
        for session, said in self.sessions.items():
            found = {status.name: len(said[status]) for status in (StatusType.START, StatusType.STOP)}
            if set(found.values()) != {1}:
                raise Violation("a session has one beginning and one end", f"{session}: {found}")
            [stop] = said[StatusType.STOP]
            for interim in said[StatusType.INTERIM_UPDATE]:
                if not _within(usage_in(interim), usage_in(stop)):
                    seen = f"{session}: {usage_in(interim)} before, {usage_in(stop)} in the end"
                    raise Violation("usage adds up", seen)
        for machine in world.machines:
            self._of(machine)
        for mag in world.mags:
            if mag.life == 1 and (missing := mag.aaa_moved.sessions - self.sessions.keys()):
                raise Violation("a session has one beginning and one end", f"nothing was told of {missing}")

    def _of(self, machine: "Machine") -> None:
        told: defaultdict[str, Usage] = defaultdict(Usage)
        for said in self.sessions.values():
            [stop] = said[StatusType.STOP]
            if _value(stop, AttributeType.NAS_IDENTIFIER) == machine.name.encode():
                told[_whose(stop)] += usage_in(stop)
        moved = machine.aaa_moved
        for who in moved.counted.keys() | told.keys():
            counted, lost = moved.counted[who], moved.lost[who]
            if not (_within(told[who], counted) and _within(counted - lost, told[who])):
                seen = f"{who} at {machine.name}: told {told[who]}, counted {counted}, of it lost {lost}"
                raise Violation("usage adds up", seen)


class Moved:
    """What a machine's packet planes have counted, by MAC as RADIUS writes it, at an LMA by home address. ``lost``: how
    much of it need not be told, by processes that died, and of who was not registered after all.

    ``sessions``: the ids of those that a MAG has served.
    """

    def __init__(self) -> None:
        self.counted: defaultdict[str, Usage] = defaultdict(Usage)
        self.lost: defaultdict[str, Usage] = defaultdict(Usage)
        self.sessions: set[str] = set()

    def removed(self, entry: Entry, usage: Usage) -> None:
        at_mag = isinstance(entry, AccessEntry)
        who = entry.key.mac.hex("-").upper() if at_mag else _written(entry.key.home_address)
        self.counted[who] += usage
        if at_mag and not entry.upstream:
            self.lost[who] += usage  # whoever was never registered has had no session (P77)

    def dies(self) -> None:
        """The process, and what it has not written down."""
        self.lost = self.counted.copy()


def usage_in(said: Said) -> Usage:
    octets = [
        int.from_bytes(_value(said, low) or b"\0", "big") + (int.from_bytes(_value(said, high), "big") << 32)
        for low, high in _COUNTED
    ]
    return Usage(octets[0], octets[1])


def _within(some: Usage, more: Usage) -> bool:
    return some.input_octets <= more.input_octets and some.output_octets <= more.output_octets


def _value(said: Said, kind: AttributeType) -> bytes:
    return next((value for number, value in said if number == kind), b"")


def _number(attributes: Attributes, kind: AttributeType) -> int:
    value = attributes.first(kind)
    assert value is not None
    return int(struct.unpack("!L", value)[0])


def _whose(said: Said) -> str:
    mac = _value(said, AttributeType.CALLING_STATION_ID).decode()
    return mac or _value(said, AttributeType.FRAMED_IP_ADDRESS).hex()


def _written(home_address: Ipv4) -> str:
    return home_address.to_bytes(4, "big").hex()
