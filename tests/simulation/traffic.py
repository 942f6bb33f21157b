"""Packets through the planes, end to end: whose they are when they come out, and that they do come out."""

from typing import TYPE_CHECKING

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lma.bindings import Binding
from pmip_tw.mobility.tunnels import AnchorKey
from pmip_tw.wire.dhcp import DhcpMessage
from pmip_tw.wire.udp import udp_packet
from tests.agents.world import CORRESPONDENT
from tests.simulation import state
from tests.simulation.machines import LmaMachine, MagMachine
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.nodes import MobileNode
    from tests.simulation.world import World

_ETHERNET = 14
_HEADERS = 28
_PORTS = slice(20, 24)
_TO_DHCP_SERVER = b"\x00\x44\x00\x43"
_MARK = b"to whom it may concern"


class Traffic:
    """Nodes send by themselves; correspondents send here, to one node after the other."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._turn = 0
        self._to_sample = 0
        self._packets: dict[Ipv4, bytes] = {}

    # From a node

    def expect_upstream(self, mag: MagMachine, frame: bytes) -> tuple[LmaMachine, bytes] | None:
        """What must come out, and at which LMA, when ``mag`` gets ``frame``; None if nothing must."""
        payload = frame[_ETHERNET + _HEADERS :]
        if frame[12:14] != b"\x08\x00" or not payload.startswith(b"mn"):
            return None
        visitor = self._world.view.agreed(mag, payload.decode())
        if visitor is None or frame[26:30] != visitor.home_address.to_bytes(4, "big"):
            return None
        return self._world.lma_at(visitor.lma), payload

    def check_upstream(self, lma: LmaMachine, payload: bytes) -> None:
        if not any(packet.endswith(payload) for packet in lma.plane.delivered):
            raise Violation("packets flow", f"a packet of {payload.decode()} did not get through {lma.name}")

    def check_delivered(self) -> None:
        """What leaves an LMA has the source of whom it comes from, and is in his address space (T6, P48, P85)."""
        for lma in self._world.lmas:
            if not lma.up or not lma.plane.delivered:
                continue
            owners = {binding.key: binding.nai for binding in state.bindings(lma)}
            for domain, packets in lma.plane.delivered_in.items():
                for packet in packets:
                    source = AnchorKey(Ipv4(int.from_bytes(packet[12:16], "big")), domain)
                    sender = packet[_HEADERS:]
                    if packet[_PORTS] == _TO_DHCP_SERVER:
                        asked = DhcpMessage.decode(sender)
                        sender = self._world.with_mac(asked.chaddr).nai.encode()
                        self._world.ask_dhcp_server(lma, asked, domain)
                    self._check_sender(lma, sender, source, owners.get(source))
                packets.clear()
            lma.plane.delivered.clear()

    def _check_sender(self, lma: LmaMachine, sender: bytes, source: AnchorKey, owner: bytes | None) -> None:
        if owner == sender:
            return
        raise Violation("nobody speaks for another", f"{sender!r} spoke with the address of {owner!r}")

    # To a node

    def sample(self, *, anew: bool) -> None:
        """A packet to the next node: it reaches that one if both ends agree, and nobody else ever.

        ``anew``: something has changed. When every node has been tried since, there is nothing more to learn.
        """
        world = self._world
        self._to_sample = len(world.nodes) if anew else self._to_sample - 1
        if self._to_sample <= 0:
            return
        self._turn = (self._turn + 1) % len(world.nodes)
        node = world.nodes[self._turn]
        for lma in world.lmas:
            binding = world.view.bindings.get((lma.address, node.nai))
            if binding is not None:
                self._send(lma, binding, node)

    def _send(self, lma: LmaMachine, binding: Binding, node: "MobileNode") -> None:
        world = self._world
        lma.plane.host_sends(self._packet(binding.home_address), node.domain)
        lma.plane.tunnelled.clear()
        reached = self._collect()
        self._check_receivers(lma, binding, node, reached)
        for mag in world.mags:
            if mag.place != binding.place or (mag, node.mac) in reached:
                continue
            visitor = world.view.agreed(mag, node.nai)
            if visitor is not None and visitor.lma == lma.address:
                raise Violation("packets flow", f"a packet to {node.nai} did not leave {mag.name}")

    def _collect(self) -> list[tuple[MagMachine, bytes]]:
        """Which MAGs sent it, and to which MACs."""
        reached = []
        for mag in self._world.mags:
            if mag.up and mag.plane.transmitted:
                sent = [frame[:6] for _, frame in mag.plane.transmitted if frame.endswith(_MARK)]
                reached += [(mag, mac) for mac in sent]
                mag.plane.transmitted[:] = [
                    sent for sent in mag.plane.transmitted if not sent[1].endswith(_MARK)
                ]
        return reached

    def _check_receivers(
        self,
        lma: LmaMachine,
        binding: Binding,
        node: "MobileNode",
        reached: list[tuple[MagMachine, bytes]],
    ) -> None:
        for mag, mac in reached:
            if mac == node.mac:
                continue
            receiver = self._world.with_mac(mac)
            if state.claims(mag, receiver.nai, binding.home_address):
                continue  # a provisional entry takes a claim for true until the LMA has decided (P77)
            if self._has_moved_on(receiver, mag):
                continue  # its MAG has not heard so yet (RV23), and nobody listens there any more
            seen = f"a packet to {node.nai} was sent to {mac.hex()}"
            raise Violation("nobody hears another's packets", seen)

    def _has_moved_on(self, node: "MobileNode", mag: MagMachine) -> bool:
        if mag.number in (node.where, node.overheard_by):
            return False
        bindings = (state.binding_of(lma, node.nai) for lma in self._world.lmas)
        return any(binding is not None and binding.place != mag.place for binding in bindings)

    def _packet(self, home_address: Ipv4) -> bytes:
        packet = self._packets.get(home_address)
        if packet is None:
            packet = udp_packet(Endpoint(CORRESPONDENT, 7), Endpoint(home_address, 5000), _MARK)
            self._packets[home_address] = packet
        return packet
