"""What a MAG asks an LMA for: exchanges, and the request of each try (RFC 5944 3.6; RFC 5563 3, 4)."""

import attrs
from msgspec.structs import replace

from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4, ipv4_text
from pmip_tw.mag import observed
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.registration.care_of import CareOf
from pmip_tw.mag.registration.clocks import Identifications
from pmip_tw.mag.registration.exchanges import Exchange
from pmip_tw.mag.registration.lmas import Lmas
from pmip_tw.mag.registration.protection import Protection
from pmip_tw.mag.visitors import Visitor
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe, Send
from pmip_tw.mobility.tunnels import SIGNALLING_PORT, Encapsulation, Tunnel
from pmip_tw.wire.extension_values import (
    REQUESTED_HOME_AGENT,
    DynamicHomeAgent,
    RevocationSupport,
    UdpTunnelRequest,
)
from pmip_tw.wire.extensions import GRE_KEY, REVOCATION_SUPPORT, UDP_TUNNEL_REQUEST
from pmip_tw.wire.host_configuration import host_configuration_request
from pmip_tw.wire.pretunnel import PreTunnelRequest, ethernet_device
from pmip_tw.wire.registration import (
    BROADCASTS,
    COLOCATED,
    GRE,
    MINIMAL,
    REVERSE_TUNNEL,
    RegistrationRequest,
)

RETRANSMIT_AFTER = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds after each try (M8); after the last the LMA counts as silent."""

TRIES_BEFORE_ANOTHER = 3
"""Tries where another LMA could be asked instead (P81)."""

DISCOVERY_LIFETIME = 5
"""Seconds asked for while the LMA itself is being asked for (DY9)."""

LONGEST_LIFETIME = 65_534
"""Seconds that can be asked for; the next number stands for ever (RFC 5944 3.3)."""

PRE_TUNNEL_TRIES = 4
"""Tries for a tunnel before there is an address: 15 seconds (N49)."""

_INTERFACE_ID = 1
"""Sub-type of 147 (RFC 5563 5.2)."""

_WIRED_ETHERNET = 1
"""IEEE 802.3 in 147/4 (RFC 5563 5.5): all that we see of a node's access."""

_AGENT_PART = frozenset((GRE_KEY, REVOCATION_SUPPORT, UDP_TUNNEL_REQUEST))
_FLAGS = {Encapsulation.GRE: GRE, Encapsulation.MINIMAL: MINIMAL}


@attrs.frozen(eq=False, repr=False)
class Registrar:
    """Builds what is asked; what the answers mean is for others to say."""

    _policy: MagPolicy
    _care_of: CareOf
    _lmas: Lmas
    _clocks: Identifications

    def exchange(
        self,
        visitor: Visitor,
        lma: Ipv4,
        home_address: Ipv4,
        now: Now,
        given_up: frozenset[Ipv4] = frozenset(),
    ) -> Exchange | str:
        """A registration of ``visitor`` at ``lma`` that begins; or why there can be none."""
        assert visitor.profile is not None
        protection = self._lmas.protection(lma, visitor.profile)
        if isinstance(protection, str):
            return protection
        renews = visitor.grant is not None and visitor.lma == lma
        lifetime = self.lifetime_for(visitor)
        discovers = self._policy.dynamic_home_agent and not visitor.profile.lmas and not renews
        expected = visitor.tunnel if renews else self._lmas.gives(lma, now.monotonic)
        others = set(self._lmas.candidates(visitor.profile)) - given_up - {lma}
        exchange = Exchange(
            lifetime=min(DISCOVERY_LIFETIME, lifetime) if discovers else lifetime,
            home_address=home_address,
            lma=lma,
            home_agent=UNSPECIFIED if discovers else lma,
            care_of_address=self._care_of.address,
            protection=protection,
            encapsulation=expected.encapsulation if expected else self._policy.encapsulation,
            offers_udp=self._offers_udp(protection),
            max_tries=TRIES_BEFORE_ANOTHER if others else len(RETRANSMIT_AFTER),
            given_up=given_up,
        )
        if self._may_have_key(protection) and exchange.encapsulation is Encapsulation.GRE:
            if renews and expected is not None:
                exchange.gre_key = expected.key_in
            elif expected is None or expected.key_in is not None:
                exchange.gre_key = self._first_key(now)
        return exchange

    def lifetime_for(self, visitor: Visitor) -> int:
        """What is asked for, as AAA says or else ours (AA9); 65535 would be for ever."""
        said = 0 if visitor.profile is None else visitor.profile.lifetime
        return min(said, LONGEST_LIFETIME) or self._policy.lifetime

    def pre_tunnel(
        self, visitor: Visitor, lma: Ipv4, now: Now, given_up: frozenset[Ipv4] = frozenset()
    ) -> Exchange | str:
        """The same for a tunnel that brings it an address (N47)."""
        exchange = self.exchange(visitor, lma, UNSPECIFIED, now, given_up)
        if isinstance(exchange, str):
            return exchange
        # 144 is in the node's own part, which every mode protects; without it nobody would be told what to put inside.
        offers_udp = self._policy.nat_traversal != "off"
        return exchange.again(
            lifetime=self.lifetime_for(visitor),
            home_agent=lma,
            offers_udp=offers_udp,
            encapsulation=exchange.encapsulation if offers_udp else Encapsulation.IP_IN_IP,
            gre_key=None,
            max_tries=min(exchange.max_tries, PRE_TUNNEL_TRIES),
        )

    def farewell(
        self, visitor: Visitor, home_address: Ipv4, asked: Exchange | None, now: Now
    ) -> Exchange | None:
        """The de-registration of ``visitor``, or of what ``asked`` may have brought (P21); None: it cannot be asked."""
        if asked is not None:
            return asked.again(
                lifetime=0,
                home_address=home_address,
                home_agent=asked.lma,  # whoever else it might name has nothing of this node (DY8)
                repaired=frozenset(),
                max_tries=len(RETRANSMIT_AFTER),
            )
        exchange = self.exchange(visitor, visitor.lma, home_address, now)
        if isinstance(exchange, str) or visitor.grant is None:
            return None
        return exchange.again(
            lifetime=0,
            care_of_address=visitor.grant.care_of_address,
            max_tries=len(RETRANSMIT_AFTER),
        )

    def readdressed(self, visitor: Visitor, exchange: Exchange, lma: Ipv4) -> Exchange | None:
        """``exchange`` at another LMA, to which the answer pointed; None where we have no association with it."""
        assert visitor.profile is not None
        protection = self._lmas.protection(lma, visitor.profile)
        if isinstance(protection, str):
            return None
        return exchange.again(
            lma=lma,
            home_agent=UNSPECIFIED if exchange.discovers else lma,
            protection=protection,
            given_up=exchange.given_up | {exchange.lma},
        )

    def provisional_tunnel(self, exchange: Exchange, now: Now) -> Tunnel:
        """The tunnel that ``exchange`` will most likely bring, for the provisional entry (P77).

        Behind a NAT only the LMA finds out that it is a UDP tunnel; the next visitor's will be one too. A key that the
        LMA chooses cannot be known before.
        """
        known = self._lmas.gives(exchange.lma, now.monotonic)
        forced = self._policy.nat_traversal == "force" and exchange.offers_udp
        return Tunnel(
            local=self._care_of.address,
            remote=known.remote if known else exchange.lma,
            encapsulation=exchange.encapsulation,
            remote_port=known.remote_port if known else SIGNALLING_PORT if forced else 0,
            key_in=exchange.gre_key or None,
            key_out=exchange.gre_key or None,
        )

    def attempt(self, visitor: Visitor, exchange: Exchange, now: Now) -> list[Send | Observe]:
        """One more try of ``exchange``; each is a new registration with a new Identification (I5)."""
        self._try(visitor, exchange, now)
        request = self._request(visitor, exchange, now)
        protection = exchange.protection
        datagram = request.encode(
            mn_ha=protection.mn_ha,
            mn_aaa=None if protection.mn_aaa is None else protection.mn_aaa.over(request.challenge),
            fa_ha=protection.fa_ha_for(exchange.lifetime),
        )
        name = "registration-sent" if exchange.lifetime else "deregistration-sent"
        return [
            Send(datagram, Endpoint(exchange.lma, SIGNALLING_PORT), self._care_of.address),
            observed.visitor_event(name, visitor, lma=ipv4_text(exchange.lma), tries=exchange.tries),
        ]

    def attempt_pre_tunnel(self, visitor: Visitor, exchange: Exchange, now: Now) -> list[Send | Observe]:
        """One more try of an exchange that ``pre_tunnel`` has made (N48, N49)."""
        self._try(visitor, exchange, now)
        protection, asked = exchange.protection, self._udp_tunnel(exchange)
        request = PreTunnelRequest(
            home_agent=exchange.home_agent,
            care_of_address=exchange.care_of_address,
            identification=exchange.identifications[-1],
            nai=visitor.nai.encode(),
            per_node=protection.per_node,
            identifiers=(ethernet_device(visitor.mac),),
            udp_tunnel=None if asked is None else replace(asked, dhcp_only=True),
        )
        datagram = request.encode(
            self._policy.pre_tunnel_request_type,
            mn_ha=protection.mn_ha,
            mn_aaa=None if protection.mn_aaa is None else protection.mn_aaa.over(None),
            fa_ha=protection.fa_ha,
        )
        lma = ipv4_text(exchange.lma)
        return [
            Send(datagram, Endpoint(exchange.lma, SIGNALLING_PORT), self._care_of.address),
            observed.visitor_event("pre-tunnel-requested", visitor, lma=lma, tries=exchange.tries),
        ]

    def _try(self, visitor: Visitor, exchange: Exchange, now: Now) -> None:
        exchange.identifications.append(self._clocks.next(visitor.nai, exchange.lma, now.wall))
        exchange.sent_at, exchange.heard = now.monotonic, False
        wait = RETRANSMIT_AFTER[min(exchange.tries, len(RETRANSMIT_AFTER)) - 1]
        exchange.next_try = now.monotonic + min(wait, exchange.lifetime or wait)
        self._lmas.asked(exchange.lma, visitor.nai, now.monotonic)

    def _request(self, visitor: Visitor, exchange: Exchange, now: Now) -> RegistrationRequest:
        policy, protection = self._policy, exchange.protection
        flags = REVERSE_TUNNEL | _FLAGS.get(exchange.encapsulation, 0)  # P9
        flags |= COLOCATED if policy.colocated else 0  # P8
        flags |= BROADCASTS if policy.tunnel_broadcast and exchange.lifetime else 0  # P68
        behind_mn_ha = not policy.colocated and protection.mn_ha is not None
        challenge = None
        if protection.mn_aaa is not None and not policy.colocated:
            challenge = now.entropy(16)  # as a foreign agent would have advertised (RFC 4721 3.1)
        return RegistrationRequest(
            flags=flags,
            lifetime=exchange.lifetime,
            home_address=exchange.home_address or policy.unknown_home_address,  # P5
            home_agent=exchange.home_agent,
            care_of_address=exchange.care_of_address,
            identification=exchange.identifications[-1],
            nai=visitor.nai.encode(),
            per_node=protection.per_node,
            identifiers=self._identifiers(visitor),
            access_technology=_WIRED_ETHERNET,
            dynamic_home_agent=self._requested(exchange),
            gre_key=exchange.gre_key,
            udp_tunnel=self._udp_tunnel(exchange),
            revocation=self._revocation(exchange, now),
            challenge=challenge,
            unknown=(host_configuration_request(),)
            if policy.host_configuration and exchange.lifetime
            else (),
            agent_part=_AGENT_PART if behind_mn_ha else frozenset(),  # N2, N3, RV2
        )

    @staticmethod
    def _requested(exchange: Exchange) -> DynamicHomeAgent | None:
        """DY6: who is asked to be the LMA is told so, because nothing else in the request says it."""
        return DynamicHomeAgent(REQUESTED_HOME_AGENT, exchange.lma) if exchange.discovers else None

    def _identifiers(self, visitor: Visitor) -> tuple[tuple[int, bytes], ...]:
        if not self._policy.send_identifiers:
            return ()
        return ((_INTERFACE_ID, visitor.mac), ethernet_device(visitor.mac))

    def _udp_tunnel(self, exchange: Exchange) -> UdpTunnelRequest | None:
        """N1; a de-registration needs no tunnel."""
        if not exchange.offers_udp or not exchange.lifetime:
            return None
        forced = self._policy.nat_traversal == "force"
        return UdpTunnelRequest(forced=forced, encapsulation=int(exchange.encapsulation))

    def _revocation(self, exchange: Exchange, now: Now) -> RevocationSupport | None:
        """RV2: by a foreign agent only where something protects it."""
        if not exchange.lifetime or not (self._policy.colocated or exchange.protection.covers_agent_part):
            return None
        return RevocationSupport(int(now.wall), inform=self._policy.on_revoke != "none")  # RV5

    def _offers_udp(self, protection: Protection) -> bool:
        """What a foreign agent adds behind MN-HA would go unprotected without FA-HA (N3)."""
        return self._policy.nat_traversal != "off" and (
            self._policy.colocated or protection.covers_agent_part
        )

    def _may_have_key(self, protection: Protection) -> bool:
        """T5: with the D bit only if it is wished for, without it only where it is protected."""
        if self._policy.gre_key == "none":
            return False
        return self._policy.gre_key_with_d if self._policy.colocated else protection.covers_agent_part

    def _first_key(self, now: Now) -> int:
        return int.from_bytes(now.entropy(4), "big") or 1 if self._policy.gre_key == "own" else 0
