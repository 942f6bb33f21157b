"""A bench with 802.1X on its ports: supplicants as their MAG sees them, and an AAA that says what the test wants."""

from collections.abc import Iterable

from pmip_tw.aaa.verdicts import Challenge, Conversation, EapCredential, MacCredential
from pmip_tw.access.authenticator import EapTimes
from pmip_tw.addresses import Endpoint, Mac, ipv4
from pmip_tw.mag.authentication.access_policy import AccessPolicy, Dot1xPolicy, PortAuthentication
from pmip_tw.mag.effects import Authenticate, MagEffect, Transmit
from pmip_tw.mag.visitors import Visitor
from pmip_tw.wire.eap import Eap, EapCode
from pmip_tw.wire.eapol import EAP_PACKET, LOGOFF, PAE_GROUP, START, Eapol
from pmip_tw.wire.ethernet import ETHERTYPE_EAPOL, EthernetFrame, ethernet_frame
from tests.agents.world import PORT, Station
from tests.mag.bench import Bench, accept, only, reply, requests

OTHER_PORT = "acc1"
SERVER = Endpoint(ipv4("192.0.2.5"), 1812)
TTLS = 21

SUCCESS, FAILURE = EapCode.SUCCESS, EapCode.FAILURE


def dot1x(
    authentication: PortAuthentication = PortAuthentication.DOT1X,
    *,
    quiet_period: float = 30.0,
    **policy: object,
) -> AccessPolicy:
    return AccessPolicy(
        ports={PORT: authentication, OTHER_PORT: authentication},
        dot1x=Dot1xPolicy(times=EapTimes(quiet_period=quiet_period), **policy),  # type: ignore[arg-type]
    )


def said(effects: Iterable[MagEffect], mac: Mac | None = None) -> list[tuple[EapCode, int, int]]:
    """EAP to the node, or to ``mac``: code, identifier, type."""
    found = []
    for transmit in only(Transmit, effects):
        frame = EthernetFrame.decode(transmit.frame)
        if frame.ethertype == ETHERTYPE_EAPOL and mac in (None, frame.destination):
            eap = Eap.decode(Eapol.decode(frame.payload).body)
            found.append((eap.code, eap.identifier, eap.kind))
    return found


class EapBench(Bench):
    """``access``: of both ports. What goes in is of ``station`` if nothing else is said."""

    def __init__(self, access: AccessPolicy | None = None, **policy: object) -> None:
        super().__init__(access=access or dot1x(), **policy)
        self.identifier = 0

    def take(self, effects: Iterable[MagEffect]) -> list[MagEffect]:
        taken = super().take(effects)
        for code, identifier, _ in said(taken):
            if code is EapCode.REQUEST:
                self.identifier = identifier
        return taken

    def eapol(
        self,
        kind: int,
        body: bytes = b"",
        station: Station | None = None,
        port: str = PORT,
        to: Mac = PAE_GROUP,
    ) -> list[MagEffect]:
        payload = Eapol(kind=kind, body=body).encode()
        return self.hear(ethernet_frame(to, (station or self.station).mac, ETHERTYPE_EAPOL, payload), port)

    def start(self, station: Station | None = None, port: str = PORT) -> list[MagEffect]:
        return self.eapol(START, station=station, port=port)

    def logoff(self) -> list[MagEffect]:
        return self.eapol(LOGOFF)

    def respond(
        self,
        kind: int = 1,
        data: bytes = b"anonymous@example.net",
        station: Station | None = None,
        port: str = PORT,
    ) -> list[MagEffect]:
        """To the last Request that anybody was sent."""
        packet = Eap(code=EapCode.RESPONSE, identifier=self.identifier, kind=kind, data=data)
        return self.eapol(EAP_PACKET, packet.encode(), station, port)

    def ask(self, effects: Iterable[MagEffect]) -> tuple[Authenticate, EapCredential]:
        """The one question to AAA among ``effects``."""
        [asked] = only(Authenticate, effects)
        assert isinstance(asked.credential, EapCredential)
        return asked, asked.credential

    def examine(self, station: Station | None = None, port: str = PORT) -> Authenticate:
        """From the outstanding Request/Identity on, a conversation by TTLS; what waits for the verdict."""
        asked, _ = self.ask(self.respond(station=station, port=port))
        self.decide(asked, challenge(self.identifier + 1))
        asked, _ = self.ask(self.respond(TTLS, b"inside", station, port))
        return asked

    def authenticate(
        self, station: Station | None = None, port: str = PORT, **profile: object
    ) -> list[MagEffect]:
        """Accepted; what that causes."""
        station = station or self.station
        self.start(station, port)
        return self.decide(self.examine(station, port), accept(station, **(self.profile | profile)))

    def registered(self, **profile: object) -> Visitor:
        """Accepted, and registered with ``ADDRESS``."""
        [request] = requests(self.authenticate(**profile))
        self.arrive(reply(request))
        assert self.visitor.state.value == "registered"
        return self.visitor


def challenge(identifier: int, kind: int = TTLS, timeout: int = 0) -> Challenge:
    request = Eap(code=EapCode.REQUEST, identifier=identifier % 256, kind=kind, data=b"\x20")
    return Challenge(request.encode(), Conversation(server=SERVER, state=b"state %d" % identifier), timeout)


def by_mac(effects: Iterable[MagEffect]) -> list[Authenticate]:
    return [asked for asked in only(Authenticate, effects) if isinstance(asked.credential, MacCredential)]
