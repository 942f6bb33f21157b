"""Requests for pre-tunnels: judged as registrations are, answered, and replaced by the registration (N48-N51, N55)."""

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.dhcp import observed as dhcp_observed
from pmip_tw.lma.dhcp.pretunnels import MOST, PreTunnel, PreTunnels
from pmip_tw.lma.journal.records import Spent
from pmip_tw.lma.place import Place
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.registration import admission
from pmip_tw.lma.registration.authorization import proxy_refusal
from pmip_tw.lma.registration.commitment import Asked, Effect, Expect, Forget, Grant, Save
from pmip_tw.lma.registration.home_agent import redirection
from pmip_tw.lma.registration.intake import Intake
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.lma.registration.registrations import Registrations
from pmip_tw.lma.registration.replies import reply
from pmip_tw.lma.registration.tunnelling import tunnel_to, udp_reply
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.replay import ReplayFloors
from pmip_tw.mobility.tunnels import Tunnel
from pmip_tw.wire.codes import Code
from pmip_tw.wire.extension_values import UdpTunnelRequest
from pmip_tw.wire.pretunnel import mac_in


class PreTunnelling:
    """Who gets a tunnel for his DHCP. ``pre_tunnels``: those that there are."""

    def __init__(
        self,
        policy: LmaPolicy,
        intake: Intake,
        pools: Pools,
        floors: ReplayFloors,
        registrations: Registrations,
    ) -> None:
        self.pre_tunnels = PreTunnels()
        self._policy = policy
        self._intake = intake
        self._pools = pools
        self._floors = floors
        self._registrations = registrations

    def requested(self, payload: bytes, source: Endpoint, local: Ipv4, now: Now) -> list[Effect]:
        """A request from ``source`` to our ``local``. WireError: it cannot be read."""
        asked = self._intake.take_pre_tunnel(payload, source, self._policy.address, self._is_granted, now)
        if not isinstance(asked, Asked):
            return [*asked]
        if local != self._policy.address:
            return self._registrations.sent_to_all(asked, now)
        tunnel = self._refusal(asked) or tunnel_to(asked.request, source, self._policy)
        if isinstance(tunnel, Refusal):
            return self._registrations.refuse(asked, tunnel, now)
        return self._accept(asked, tunnel, now)

    def _refusal(self, asked: Asked) -> Refusal | None:
        """What forbids it, in the order in which registrations are looked at."""
        request = asked.request
        problem = admission.message_refusal(request, asked.local, self._policy)
        if problem is None and (asked.mag is not None or request.per_node is not None):
            problem = proxy_refusal(asked)
        problem = problem or redirection(request, self._policy)
        if problem is not None:
            return problem
        if isinstance(request.udp_tunnel, UdpTunnelRequest) and not request.udp_tunnel.dhcp_only:
            cause = "its extension 144 does not say that the tunnel is for DHCP only (flag D)"
            return Refusal(Code.HA_MALFORMED_REQUEST, cause)
        if self._pools.dhcp_link(asked.nai) is None:
            cause = 'no pool with assigned_by = "dhcp" serves its realm: its address does not come from DHCP'
            return Refusal(Code.HA_ADMIN_PROHIBITED, cause)
        if len(self.pre_tunnels) >= MOST and self.pre_tunnels.of(asked.nai) is None:
            return Refusal(Code.HA_RESOURCES, f"there are {MOST} pre-tunnels already")
        return None

    def _accept(self, asked: Asked, tunnel: Tunnel, now: Now) -> list[Effect]:
        """There it is, for as long as if it had just begun. Its Identification is spent (I6b).

        Nobody hears of it before that is durable: who has heard the request could use it after a crash.
        """
        request = asked.request
        former = self.pre_tunnels.of(asked.nai)
        new = PreTunnel(
            asked.nai,
            mac_in(request.identifiers),
            tunnel,
            asked.place,
            request.identification,
            now.monotonic + self._policy.pre_tunnel_lifetime,
        )
        effects: list[Effect] = []
        if former is not None:
            if former.tunnel == tunnel and new.mac is None:
                new.mac = former.mac
            self.pre_tunnels.remove(former)
        self.pre_tunnels.put(new)
        changed = former is None or (former.tunnel, former.mac) != (tunnel, new.mac)
        if changed or new.mac is not None:
            effects.append(Expect(tunnel, new.mac))  # once more: it may not have been possible before
        if changed:
            effects.append(dhcp_observed.pre_tunnel_opened(new))
            if former is not None:
                # The new one first: what both go through stays open.
                effects += self._no_more(former)
        answer = reply(asked, 0, udp_tunnel=udp_reply(request, tunnel, self._policy))
        spent = Spent(
            asked.owner, self._floors.note(asked.owner, request.identification, now.monotonic), now.monotonic
        )
        return [*effects, Save(spent, Grant(tunnel, new.mac, answer))]

    def _is_granted(self, nai: bytes, identification: int) -> bool:
        """Whether the request with that ``identification`` has brought what ``nai`` has."""
        pre_tunnel = self.pre_tunnels.of(nai)
        return pre_tunnel is not None and pre_tunnel.identification == identification

    def replaced(self, nai: bytes, place: Place) -> list[Effect]:
        """N55: the node is registered there, and its tunnel is for all that it says.

        What another MAG has asked for stays: it has come there meanwhile.
        """
        pre_tunnel = self.pre_tunnels.of(nai)
        if pre_tunnel is None or pre_tunnel.place != place:
            return []
        return self._end(pre_tunnel, "registered")

    def expire(self, now: Now) -> list[Effect]:
        """Nobody has asked for them again."""
        effects: list[Effect] = []
        for pre_tunnel in self.pre_tunnels.over(now.monotonic):
            effects += self._end(pre_tunnel, "expired")
        return effects

    def _end(self, pre_tunnel: PreTunnel, why: str) -> list[Effect]:
        self.pre_tunnels.remove(pre_tunnel)
        return [*self._no_more(pre_tunnel), dhcp_observed.pre_tunnel_closed(pre_tunnel, why)]

    def _no_more(self, over: PreTunnel) -> list[Effect]:
        """Nothing of its client is expected there, unless that is another node by now."""
        if over.mac is not None and self.pre_tunnels.find(over.tunnel, over.mac) is not None:
            return []
        return [Forget(over.tunnel, over.mac)]
