"""The LMA as the DHCP relay of its nodes (N53, D32): out of pre-tunnels, and of renewals that come by us (D14).

A server's answer goes back the way its question came; what it means for leases and bindings is in ``leasing.py``.
"""

from typing import NamedTuple

from pmip_tw.addresses import Endpoint, Ipv4, Mac, ipv4_text, mac_text
from pmip_tw.dhcp.discarded import Discarded
from pmip_tw.dhcp.questions import Answer
from pmip_tw.dhcp.relay import Relay
from pmip_tw.dhcp.relaying import Circuit, Fact, RelayPolicy
from pmip_tw.errors import WireError
from pmip_tw.lma import observed
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.bindings import Binding, BindingTable
from pmip_tw.lma.dhcp import observed as dhcp_observed
from pmip_tw.lma.dhcp.leases import DhcpLease
from pmip_tw.lma.dhcp.leasing import Leasing
from pmip_tw.lma.dhcp.pretunnels import PreTunnel, PreTunnels
from pmip_tw.lma.dhcp.tunneled import Dropped, client_message, packet_to_client, readable
from pmip_tw.lma.place import Place
from pmip_tw.lma.registration.commitment import Effect, Expect, Forget, Wait
from pmip_tw.lma.workers.leases import Ask
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import SendThrough
from pmip_tw.mobility.tunnels import AnchorKey, Tunnel
from pmip_tw.wire.dhcp import DhcpMessage, MessageType


class _Way(NamedTuple):
    """Which way a question came, and its answer goes. ``home``: of a registered node; None: out of its pre-tunnel."""

    nai: bytes
    home: AnchorKey | None = None


class DhcpRelaying:
    """Between ``pre_tunnels``, registered nodes and DHCP servers."""

    def __init__(
        self,
        policy: RelayPolicy,
        pools: Pools,
        bindings: BindingTable,
        pre_tunnels: PreTunnels,
        leasing: Leasing,
    ) -> None:
        self._relay = Relay(policy, pools.giaddrs)
        self._policy = policy
        self._own = pools.giaddrs | {policy.giaddr}
        self._sees_renewals = Fact.SERVER_IDENTIFIER_OVERRIDE in policy.option_82
        self._pools = pools
        self._leases = pools.leases
        self._bindings = bindings
        self._pre_tunnels = pre_tunnels
        self._leasing = leasing
        self._silent = False
        # With several workers: ACKs, the newest of each node, of what worker 0 has not said yet whose it is.
        self._waiting: dict[Ask, dict[_Way, tuple[Answer, Endpoint]]] = {}

    # What nodes ask

    def tunneled(self, tunnel: Tunnel, packet: bytes, now: Now) -> list[Effect]:
        """DHCP that came out of ``tunnel`` from a node that has no address (N52)."""
        source = Endpoint(tunnel.remote, tunnel.remote_port)
        try:
            message = client_message(packet)
        except WireError as error:
            return [observed.discarded(error.reason, source, str(error))]
        if isinstance(message, Dropped):
            return [observed.discarded(message, source, message.cause)]
        mac = message.chaddr
        known: list[Effect] = []
        pre_tunnel = self._pre_tunnels.find(tunnel, mac)
        if pre_tunnel is None and _begins(message):
            pre_tunnel = self._pre_tunnels.bind(tunnel, mac)
            known = [Expect(tunnel, mac), Forget(tunnel, None)]
        if pre_tunnel is None:
            dropped = Dropped.NO_PRE_TUNNEL
            return [observed.discarded(dropped, source, dropped.cause)]
        return [*known, *self._of(pre_tunnel, message, source, now)]

    def _of(self, pre_tunnel: PreTunnel, message: DhcpMessage, source: Endpoint, now: Now) -> list[Effect]:
        """What the node of ``pre_tunnel`` says."""
        nai = pre_tunnel.nai
        if not pre_tunnel.may_send(now.monotonic):
            return [observed.discarded(Dropped.TOO_OFTEN, source, Dropped.TOO_OFTEN.cause, nai)]
        lease = self._leases.of(nai)
        if _ends(message) and (lease is None or not _speaks_of(message, lease)):
            return [observed.discarded(Dropped.OTHERS_LEASE, source, Dropped.OTHERS_LEASE.cause, nai)]
        circuit = self._circuit(_Way(nai), pre_tunnel.place)
        return self._ask(message, circuit, source, lease, now)

    def from_home_address(self, payload: bytes, source: Endpoint, domain: str, now: Now) -> list[Effect]:
        """What a node says to us as its DHCP server (D14), out of its own tunnel, from its home address in ``domain``.

        It is believed about the lease of that address only, and from the client that has it (D35).
        """
        key = AnchorKey(source.address, domain)
        try:
            message = readable(DhcpMessage.decode(payload), source.address)
        except WireError as error:
            return [observed.discarded(error.reason, source, str(error))]
        if isinstance(message, Dropped):
            return [observed.discarded(message, source, message.cause)]
        lease, bound = self._leases.at(key), self._bound(key)
        if lease is None or bound is None or bound.nai != lease.nai or not _speaks_of(message, lease):
            return [observed.discarded(Dropped.OTHERS_LEASE, source, Dropped.OTHERS_LEASE.cause)]
        circuit = self._circuit(_Way(lease.nai, key), bound.place, unicast=True)
        return self._ask(message, circuit, source, lease, now)

    def _ask(
        self, message: DhcpMessage, circuit: Circuit, source: Endpoint, lease: DhcpLease | None, now: Now
    ) -> list[Effect]:
        """The servers hear it. A release or decline has no answer: it is true at once."""
        nai = _way(circuit).nai
        relayed = self._relay.asked(message, circuit, now.monotonic)
        if isinstance(relayed, Discarded):
            return [observed.discarded(relayed, source, relayed.cause or "DHCP that is not relayed", nai)]
        effects: list[Effect] = [
            *relayed.sent,
            dhcp_observed.forwarded(nai, message, shortened=relayed.shortened),
        ]
        if lease is not None and _ends(message):
            declined = message.message_type is MessageType.DECLINE
            why = "declined" if declined else "released"
            effects += self._leasing.over(lease, why, now, declined=declined)
        return effects

    def _circuit(self, way: _Way, place: Place, *, unicast: bool = False) -> Circuit:
        """The MAG, where it is seen, and the node (D12); its MAC is in the message."""
        link = self._pools.dhcp_link(way.nai)
        assert link is not None  # who has a pre-tunnel or a lease has one
        mag = f"{ipv4_text(place.care_of_address)}:{ipv4_text(place.seen_from)}"
        return Circuit(
            port=way,
            circuit_id=mag.encode(),
            subscriber_id=way.nai,
            subnet=link.prefix.network,
            giaddr=link.giaddr,
            unicast=unicast,
        )

    # What servers answer

    def answered(self, payload: bytes, source: Endpoint, now: Now) -> list[Effect]:
        """A datagram that arrived at our port 67 from the core."""
        try:
            answer = self._relay.answered(payload, source, now.monotonic)
        except WireError as error:
            return [observed.discarded(error.reason, source, str(error))]
        effects = self._servers_heard()
        if isinstance(answer, Discarded):
            return [*effects, observed.discarded(answer, source, answer.cause)]
        return [*effects, *self._pass_on(answer, source, now)]

    def _pass_on(self, answer: Answer, source: Endpoint, now: Now) -> list[Effect]:
        message, way = answer.message, _way(answer.circuit)
        down = self._down(answer, way)
        if down is None:
            return [
                observed.discarded(Discarded.UNEXPECTED, source, "its node is not there any more", way.nai)
            ]
        noted = dhcp_observed.answered(way.nai, message)
        if message.message_type is MessageType.NAK:
            lease = self._leases.of(way.nai)
            if lease is None or not _speaks_of(answer.asked, lease):
                return [down, noted]
            return [down, noted, *self._leasing.over(lease, "refused", now)]
        if not message.yiaddr or answer.asked.message_type is MessageType.INFORM:
            return [down, noted]
        key = self._pools.assigned_by_dhcp(way.nai, message.yiaddr)
        problem = self._objection(key, way.nai, message.chaddr, now)
        if key is None or problem:
            cause = f"{ipv4_text(message.yiaddr)} {problem}"
            return [observed.discarded("dhcp-unusable-address", source, cause, way.nai)]
        if not answer.is_lease:
            return [down, noted]
        ask = self._pools.ask_for(key, now.monotonic)
        if ask is not None:
            self._waiting.setdefault(ask, {})[way] = (answer, source)
            return [Wait(ask)]
        if not self._pools.is_here(key):
            cause = f"{ipv4_text(message.yiaddr)} is another node's, who is registered with it"
            return [observed.discarded("dhcp-unusable-address", source, cause, way.nai)]
        assert message.lease_time is not None  # else the relay has discarded it
        return [
            noted,
            *self._leasing.granted(
                way.nai,
                message.chaddr,
                key,
                message.lease_time,
                answer.asked_at,
                down,
                now,
                seen=self._sees_renewals and message.server_identifier == self._giaddr(answer.circuit),
            ),
        ]

    def lent(self, ask: Ask, now: Now) -> list[Effect]:
        """Worker 0 has answered what some ACKs may have waited for."""
        effects: list[Effect] = []
        for answer, source in self._waiting.pop(ask, {}).values():
            effects += self._pass_on(answer, source, now)
        return effects

    def _objection(self, key: AnchorKey | None, nai: bytes, mac: Mac, now: Now) -> str:
        """Why a server must not give ``nai`` an address, "" if it may.

        Servers go by what clients say of themselves (option 61), and so would give anybody's address to whoever says
        that he is that client. Nobody loses it by that who is registered with it, unless both are one station.
        """
        if key is None:
            return 'is in no pool with assigned_by = "dhcp" of its realm: the server\'s subnet must be that of the pool'
        if key.home_address in self._own:
            return "is an address of this LMA: the server's subnet must leave it out"
        if self._leases.is_declined(key, now.monotonic):
            return "was declined by a client a moment ago: somebody else has it"
        lease, bound = self._leases.at(key), self._bound(key)
        if lease is not None and bound is not None and bound.nai == lease.nai != nai and lease.mac != mac:
            return (
                f"is leased to {lease.nai.decode(errors='replace')!r} ({mac_text(lease.mac)}), who is registered with "
                "it: the server takes two for one client, or has lost its leases; pmipctl revoke ends the registration"
            )
        return ""

    def _down(self, answer: Answer, way: _Way) -> SendThrough | None:
        """To the client, through its own tunnel if it is registered."""
        giaddr = self._giaddr(answer.circuit)
        if way.home is not None:
            bound = self._bound(way.home)
            if bound is None or bound.nai != way.nai:
                return None
            packet = packet_to_client(answer.message, giaddr, way.home.home_address)
            return SendThrough(bound.tunnel, packet)
        pre_tunnel = self._pre_tunnels.of(way.nai)
        if pre_tunnel is None or pre_tunnel.mac != answer.message.chaddr:
            return None
        return SendThrough(pre_tunnel.tunnel, packet_to_client(answer.message, giaddr))

    def _bound(self, key: AnchorKey) -> Binding | None:
        owner = self._pools.user(key)
        return None if owner is None else self._bindings.get(owner)

    def _giaddr(self, circuit: Circuit) -> Ipv4:
        return circuit.giaddr or self._policy.giaddr

    # What time brings

    def wake(self, now: Now) -> list[Effect]:
        """Who was not answered is told of, and once that nobody is."""
        effects: list[Effect] = []
        for question in self._relay.unanswered(now.monotonic):
            nai = _way(question.circuit).nai
            effects.append(dhcp_observed.unanswered(nai, question.message, self._relay.servers))
        if self._relay.silent and not self._silent:
            self._silent = True
            effects.append(dhcp_observed.servers_silent(self._relay.servers))
        return effects

    def _servers_heard(self) -> list[Effect]:
        if not self._silent or self._relay.silent:
            return []
        self._silent = False
        return [dhcp_observed.servers_heard()]

    def next_deadline(self) -> float | None:
        return self._relay.next_deadline()


def _way(circuit: Circuit) -> _Way:
    assert isinstance(circuit.port, _Way)
    return circuit.port


def _begins(message: DhcpMessage) -> bool:
    """A client that has no address yet, or wants to know whether it still has one (N47, N51)."""
    return message.message_type in (MessageType.DISCOVER, MessageType.REQUEST)


def _ends(message: DhcpMessage) -> bool:
    return message.message_type in (MessageType.RELEASE, MessageType.DECLINE)


def _speaks_of(message: DhcpMessage, lease: DhcpLease) -> bool:
    """Of that lease, and from its client."""
    address = message.ciaddr or message.requested_address
    return message.chaddr == lease.mac and address == lease.key.home_address
