"""The loop of a DHCP relay by itself: packets, datagrams and time into the relay agent, its effects out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import TypeVar

from twisted.logger import Logger
from zope.interface import implementer

from pmip_tw.addresses import Ipv4, ipv4_text, mac_text
from pmip_tw.agents.observers import Observers
from pmip_tw.agents.rows.tables import Row
from pmip_tw.dhcp.relay import ToServer
from pmip_tw.dhcp.relay_agent import RelayAgent, RelayEffect, ToClient
from pmip_tw.interfaces import (
    Datagram,
    IClientLinks,
    IClientLinksReceiver,
    IClock,
    IDhcpReceiver,
    IDhcpSocket,
    IObserver,
)
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe

Input = TypeVar("Input")


@implementer(IDhcpReceiver, IClientLinksReceiver)
class DhcpRelay:
    """``servers``: towards the servers, by the address of ours that each socket is bound to."""

    _log = Logger(namespace="pmip.dhcp-relay")

    def __init__(
        self,
        agent: RelayAgent,
        *,
        clock: IClock,
        links: IClientLinks,
        servers: Mapping[Ipv4, IDhcpSocket],
        observers: Sequence[IObserver] = (),
    ) -> None:
        self._agent = agent
        self._clock = clock
        self._links = links
        self._servers = dict(servers)
        self._observers = Observers(observers)

    def start(self) -> None:
        """PmipError: what could not be opened; nothing is left open."""
        with ExitStack() as undo:
            for server_side in self._servers.values():
                server_side.start(self)
                undo.callback(server_side.stop)
            self._links.start(self)
            undo.pop_all()

    def stop(self) -> None:
        """Idempotent."""
        self._clock.wake_at(None, self._wake)
        self._links.stop()
        for server_side in self._servers.values():
            server_side.stop()

    def client_packets_received(self, link: str, packets: Sequence[bytes]) -> None:
        now = self._clock.now()
        self._each(packets, lambda packet: self._agent.packet_received(link, packet, now.monotonic), now)

    def dhcp_received(self, batch: Sequence[Datagram]) -> None:
        now = self._clock.now()
        agent = self._agent
        self._each(
            batch,
            lambda one: agent.datagram_received(one.payload, one.source, one.local, now.monotonic),
            now,
        )

    def tables(self) -> dict[str, Callable[[], list[Row]]]:
        """What an operator can look at, by name."""
        return {"clients": self._client_rows, "drops": self._drop_rows}

    def _each(
        self, inputs: Sequence[Input], decide: Callable[[Input], Iterable[RelayEffect]], now: Now
    ) -> None:
        for one in inputs:
            try:
                for effect in decide(one):
                    self._carry_out(effect, now)
            except Exception:
                # A defect of ours costs one message, not those behind it.
                self._log.failure("a DHCP message met a defect")
        self._clock.wake_at(self._agent.next_deadline(), self._wake)

    def _wake(self) -> None:
        now = self._clock.now()
        for effect in self._agent.wake(now.monotonic):
            self._carry_out(effect, now)
        self._clock.wake_at(self._agent.next_deadline(), self._wake)

    def _carry_out(self, effect: RelayEffect, now: Now) -> None:
        match effect:
            case ToServer():
                self._servers[effect.source].send(effect.payload, effect.server)
            case ToClient():
                self._links.send(effect.link, effect.packet, effect.destination)
            case Observe():
                self._observers.observe(effect.observation, now)

    def _client_rows(self) -> list[Row]:
        """Who has an address, and who waits for one."""
        monotonic = self._clock.now().monotonic
        waiting = [
            {
                "mac": mac_text(question.message.chaddr),
                "interface": str(question.circuit.port),
                "address": ipv4_text(question.message.ciaddr) if question.message.ciaddr else "",
                "state": "waiting",
                "server": "",
                "remaining": 0,
            }
            for question in self._agent.waiting
        ]
        return waiting + [
            {
                "mac": mac_text(client.mac),
                "interface": str(client.link),
                "address": ipv4_text(client.address),
                "state": "leased" if client.expires_at > monotonic else "expired",
                "server": ipv4_text(client.server),
                "remaining": max(0, round(client.expires_at - monotonic)),
            }
            for client in self._agent.clients
        ]

    def _drop_rows(self) -> list[Row]:
        return [
            {"name": "packet-dropped", "reason": reason, "count": count}
            for reason, count in sorted(self._links.drops().items())
        ]
