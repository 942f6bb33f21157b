"""What follows from an accepted registration: the packet plane's entry, and what the node is told (P41, P44, P57)."""

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.access import homelink
from pmip_tw.addresses import ipv4_text
from pmip_tw.mag import observed
from pmip_tw.mag.addressing.answers import Addressing, Told
from pmip_tw.mag.effects import Forward, MagEffect, Save, Serve, Transmit
from pmip_tw.mag.journal.recording import Recording
from pmip_tw.mag.links import HomeLinks
from pmip_tw.mag.policy import COMMON_GATEWAY_MAC, MagPolicy
from pmip_tw.mag.registration.exchanges import Exchange
from pmip_tw.mag.registration.grants import grant_of, tunnel_of
from pmip_tw.mag.registration.lmas import Lmas
from pmip_tw.mag.session.departures import Departures
from pmip_tw.mag.session.revoked import Revocations
from pmip_tw.mag.visitors import Place, State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Remove
from pmip_tw.wire.registration import RegistrationReply


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Acceptance:
    """Turns a reply into a grant, a tunnel and an entry."""

    _policy: MagPolicy
    _visitors: VisitorList
    _links: HomeLinks
    _addressing: Addressing
    _lmas: Lmas
    _revocations: Revocations
    _recording: Recording
    _departures: Departures

    def accepted(self, visitor: Visitor, exchange: Exchange, reply: RegistrationReply, now: Now) -> Told:
        """``reply`` is authentic and complete. What to do, and whether the node leaves all the same."""
        renewal = visitor.state is State.REGISTERED and visitor.lma == exchange.lma
        former = visitor.grant
        moved = visitor.lma != exchange.lma
        effects: list[MagEffect] = []
        if former is not None and (moved or former.care_of_address != exchange.care_of_address):
            # The LMA may revoke what was registered there, or with our former address (P82, RV37).
            effects.append(Save(self._revocations.bury(visitor, now.monotonic)))
        visitor.grant = grant_of(exchange, reply, now, inform=self._policy.on_revoke != "none")
        visitor.tunnel = tunnel_of(exchange, reply)
        visitor.lma, visitor.home_address = exchange.lma, reply.home_address
        visitor.state, visitor.exchange, visitor.retries = State.REGISTERED, None, 0
        visitor.check_at, visitor.tunnel_lost = None, False
        if not renewal:
            visitor.confirmed_at = now.monotonic
        self._lmas.gave(visitor.lma, visitor.tunnel, now.monotonic)
        if self._policy.require_revocation and visitor.grant.lma_timestamp is None:
            cause = f"LMA {ipv4_text(visitor.lma)} offers no revocation, and [mag] require_revocation is true"
            return self._unusable(visitor, cause, "revocation", effects, now)  # RV3
        if self._policy.behind_nat and reply.udp_tunnel is None:
            cause = f"LMA {ipv4_text(visitor.lma)} gives no UDP tunnel, and [mag] behind_nat is true"
            return self._unusable(visitor, cause, "no-udp-tunnel", effects, now)  # N9
        if self._policy.host_configuration:
            self._links.learn(reply)
        return self._served(visitor, renewal, effects, now)

    def _served(self, visitor: Visitor, renewal: bool, effects: list[MagEffect], now: Now) -> Told:
        assert visitor.tunnel is not None
        place = Place.of(visitor.tunnel, visitor.home_address)
        effects += self._displace_other(visitor, place)
        self._visitors.place(visitor, place)
        entry = visitor.entry(upstream=True, broadcasts_on=self._links.broadcasts_of(visitor.home_address))
        assert entry is not None
        then: list[MagEffect] = [
            observed.registered(visitor, "registration-renewed" if renewal else "registration-accepted")
        ]
        if not renewal and not self._links.is_known(visitor.home_address):
            then.append(observed.home_prefix_unknown(visitor))
        told = self._addressing.accepted(visitor, now)
        if told.leaves:
            effects += [*then, *told.effects]
            return Told(
                effects=effects,
                leaves=told.leaves,
                terminate_cause=told.terminate_cause,
                refused=told.refused,
            )
        effects += told.ends
        then += [*told.effects, self._recording.registered(visitor, told.promises)]
        if not renewal and visitor.configured and self._policy.gateway_mac != COMMON_GATEWAY_MAC:
            # P57: it came with an ARP cache that may name another MAG.
            gateway = self._links.of(visitor.home_address).gateway
            announcement = homelink.gateway_announcement(visitor.mac, gateway, self._policy.gateway_mac)
            then.append(Transmit(visitor.key.port, announcement))
        frames, lost = visitor.frames.take(now.monotonic)
        then += [Forward(visitor.key.port, frame) for frame in frames]
        then += [observed.frame_dropped(visitor, "held-too-long")] * lost
        return Told(effects=[*effects, Serve(entry, tuple(then))])

    def _unusable(
        self, visitor: Visitor, cause: str, reason: str, effects: list[MagEffect], now: Now
    ) -> Told:
        """What was accepted is not what was needed: the binding must not stay."""
        noted = observed.visitor_event("registration-refused", visitor, cause=cause, reason=reason)
        effects += [noted, *self._addressing.refused(visitor, now)]
        return Told(effects=effects, leaves=cause, refused=True)

    def _displace_other(self, visitor: Visitor, place: Place) -> list[MagEffect]:
        """The LMA decides whose an address is: who had it here has lost it, who only claimed it never had it."""
        holder = self._visitors.at(place)
        if holder is None or holder is visitor:
            return []
        if holder.grant is None:
            self._visitors.displace(holder)
            return [Remove(holder.key)]
        cause = f"the LMA has given {ipv4_text(visitor.home_address)} to {visitor.nai}"
        return self._departures.forget(
            holder,
            "visitor-removed",
            terminate_cause=TerminateCause.NAS_REQUEST,
            cause=cause,
            reason="address-moved",
        )
