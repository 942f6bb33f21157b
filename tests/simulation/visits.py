"""What a MAG's disk knows of its visitors, and what these were promised because of it."""

from collections.abc import Iterable, Sequence

from pmip_tw.addresses import Ipv4
from pmip_tw.mag.journal.records import Departed, Visiting
from pmip_tw.mag.visitors import State, Visitor
from pmip_tw.mobility.records import Record
from pmip_tw.wire.dhcp import MessageType
from pmip_tw.wire.ethernet import ETHERTYPE_IPV4
from tests.simulation.nodes import dhcp_answer
from tests.simulation.violation import Violation


class Visits:
    """Nobody is given a lease that a restart would not know; who has one, or has left, is that afterwards as well."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._newest: dict[bytes, Visiting | Departed] = {}
        self._unsaved: set[bytes] = set()

    @property
    def lacks(self) -> bool:
        return bool(self._unsaved)

    def knows(self, mac: bytes) -> bool:
        """Whether the latest that the MAG had to write of ``mac`` is on its disk, or on its way there."""
        return mac not in self._unsaved

    def durable(self, records: Sequence[Record]) -> None:
        for record in records:
            if isinstance(record, Visiting | Departed):
                self._newest[record.mac] = record
                self._unsaved.discard(record.mac)

    def failed(self, records: Sequence[Record]) -> None:
        """Nodes are served all the same, and the MAG has said that a restart would not know."""
        self._unsaved.update(record.mac for record in records if isinstance(record, Visiting | Departed))

    def said(self, frame: bytes) -> None:
        """The MAG has sent a frame to a node. Whether the address is the right one is for others to say."""
        mac = frame[:6]
        answer = dhcp_answer(frame[14:]) if frame[12:14] == ETHERTYPE_IPV4.to_bytes(2, "big") else None
        if answer is None or answer.message_type is not MessageType.ACK or mac in self._unsaved:
            return
        newest = self._newest.get(mac)
        if not isinstance(newest, Visiting):
            seen = f"{self._name} saved {newest} before it gave {answer.yiaddr:#x}"
            raise Violation("what is answered is durable", seen)

    def restarted(self, visitors: Iterable[Visitor], address: Ipv4, monotonic: float) -> None:
        """A process has begun, with ``visitors``, on a machine that has ``address``."""
        served = {visitor.mac: visitor for visitor in visitors}
        for mac, newest in self._newest.items():
            visitor = served.get(newest.mac)
            if mac in self._unsaved:
                continue
            if isinstance(newest, Departed):
                if visitor is not None:
                    raise Violation("who has left does not come back", f"{newest.nai} at {self._name}")
            elif newest.deadline > monotonic and newest.care_of_address == address:
                if visitor is None or visitor.state is not State.REGISTERED:
                    raise Violation("what was promised survives", f"{self._name} lost {newest.nai}")
                if visitor.home_address != newest.home_address:
                    raise Violation("what was promised survives", f"{self._name} gave {newest.nai} another")
