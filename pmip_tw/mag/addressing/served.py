"""DHCP method "server": the MAG is the DHCP server of its mobile nodes (P60, P66).

The address comes from the registration, the rest of the answer from the configuration.
"""

from pmip_tw.access.evidence import Evidence
from pmip_tw.addresses import UNSPECIFIED
from pmip_tw.dhcp import requests, server
from pmip_tw.dhcp.configuration import HomeConfiguration
from pmip_tw.dhcp.requests import RequestKind
from pmip_tw.mag import observed
from pmip_tw.mag.addressing.answers import (
    DECLINED,
    LEASE_EXPIRED,
    LEASE_GRACE,
    MAX_DHCP_WAIT,
    RELEASED,
    Addressing,
    Told,
)
from pmip_tw.mag.effects import MagEffect, Transmit
from pmip_tw.mag.visitors import Visitor
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.dhcp import DhcpMessage, MessageType
from pmip_tw.wire.ethernet import EthernetFrame

OTHER_SERVER_GRACE = 10.0
"""Seconds until a node that chose another DHCP server is de-registered."""

NAK_GRACE = 60.0
"""Seconds until a node is de-registered that was told to begin again and has not been given an address since."""

_OTHER_SERVER = "it chose another DHCP server"
_NOT_BACK = "its address was refused by DHCP, and it has not taken another"

_CLAIMS = (RequestKind.SELECTING, RequestKind.INIT_REBOOT, RequestKind.RENEWING)
_DEPARTURES = (MessageType.RELEASE, MessageType.DECLINE)


class Served(Addressing):
    """The table of docs/requirements.md, "DHCP at the MAG"."""

    lma_assigns = True

    def _serves(self, found: Evidence) -> bool:
        return True

    def admitted(self, visitor: Visitor, now: Now) -> Told:
        """An address that AAA names is the one to ask for, else the one that the node uses or wishes for (P5)."""
        assert visitor.profile is not None
        visitor.hint = visitor.profile.home_address or visitor.hint
        return Told(registers=visitor.hint)

    def read(self, visitor: Visitor, frame: EthernetFrame) -> DhcpMessage | requests.Refusal | None:
        known = None
        if visitor.home_address:
            known = self._links.of(visitor.home_address).gateway
        return requests.client_message(frame, known)

    def before(self, visitor: Visitor, message: DhcpMessage, now: Now) -> Told:
        """The answer needs the registration: the last message waits for it."""
        visitor.waiting_dhcp, visitor.waiting_dhcp_since = message, now.monotonic
        return Told()

    def dhcp(self, visitor: Visitor, message: DhcpMessage, now: Now) -> Told:
        link = self._links.of_visitor(visitor)
        asked = requests.classify(message, visitor.home_address, link).kind
        if asked is RequestKind.RELEASE:
            return Told(effects=[self._released(visitor, now)], leaves=RELEASED)
        if asked is RequestKind.DECLINE:
            noted = observed.visitor_event("dhcp-decline", visitor)
            return Told(effects=[noted], leaves=DECLINED)
        if asked is RequestKind.OTHER_SERVER:
            if message.message_type is not MessageType.REQUEST:
                return self._ignored(visitor)  # what it gives back there is not ours
            self._expect(visitor, now.monotonic + OTHER_SERVER_GRACE, _OTHER_SERVER)
            return Told(effects=[observed.visitor_event("dhcp-other-server", visitor)])
        lease = self._lease(visitor, link, message, now)
        answer = server.answer(message, visitor.home_address, link, lease)
        if answer is None:
            return self._ignored(visitor)
        told = [self._transmit(visitor, answer, link), _told(visitor, answer, lease)]
        kind = answer.message_type
        if kind is MessageType.ACK and asked is not RequestKind.INFORM:
            self._expect(visitor, now.monotonic + lease * (1 + LEASE_GRACE), LEASE_EXPIRED)
            return Told(promises=told)
        if kind is MessageType.NAK:
            self._expect(visitor, now.monotonic + NAK_GRACE, _NOT_BACK)
        return Told(effects=told)

    def accepted(self, visitor: Visitor, now: Now) -> Told:
        message, visitor.waiting_dhcp = visitor.waiting_dhcp, None
        if message is None:
            return Told()
        # After a while a client asks again, and the old answer would only confuse it; who left stays away.
        late = visitor.waiting_dhcp_since + MAX_DHCP_WAIT < now.monotonic
        if late and message.message_type not in _DEPARTURES:
            return Told()
        return self.dhcp(visitor, message, now)

    def address_refused(self, visitor: Visitor, now: Now) -> Told:
        """Any other address will do: the node learns of it when it asks again."""
        effects = self.refused(visitor, now)
        visitor.hint = UNSPECIFIED
        return Told(effects=effects, registers=visitor.hint)

    def refused(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        """NAK to whoever claims an address of ours, silence to whoever looks for one."""
        message = visitor.waiting_dhcp
        if message is None:
            return []
        link = self._links.of(message.requested_address or message.ciaddr)
        if requests.classify(message, None, link).kind not in _CLAIMS:
            return []
        visitor.waiting_dhcp = None
        self._expect(visitor, now.monotonic + NAK_GRACE, _NOT_BACK)
        nak = server.nak(message, link.gateway)
        return [self._transmit(visitor, nak, link), _told(visitor, nak, 0)]

    @staticmethod
    def _expect(visitor: Visitor, until: float, otherwise: str) -> None:
        visitor.lease_ends, visitor.lease_cause = until, otherwise

    @staticmethod
    def _ignored(visitor: Visitor) -> Told:
        return Told(effects=[observed.frame_dropped(visitor, "dhcp-ignored")])

    def _transmit(self, visitor: Visitor, reply: DhcpMessage, link: HomeConfiguration) -> Transmit:
        frame = server.encapsulate(reply, visitor.mac, self._policy.gateway_mac, link.gateway)
        return Transmit(visitor.key.port, frame)

    @staticmethod
    def _lease(visitor: Visitor, link: HomeConfiguration, message: DhcpMessage, now: Now) -> int:
        left = None if visitor.grant is None else visitor.grant.ends_at - now.monotonic
        return server.lease_time(link.lease_time, left, message.lease_time)


def _told(visitor: Visitor, reply: DhcpMessage, lease: int) -> MagEffect:
    kind = reply.message_type
    assert kind is not None
    return observed.visitor_event(f"dhcp-{kind.name.lower()}", visitor, lease=lease)
