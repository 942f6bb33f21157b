"""An EAP server whose method takes several rounds, and what a node says to it."""

from typing import TYPE_CHECKING

from pmip_tw.addresses import Mac
from pmip_tw.testing.eap_server import EapAnswer, EapServer, identity_response, md5_response
from pmip_tw.wire.eap import IDENTITY, Eap, EapCode
from pmip_tw.wire.eapol import EAP_PACKET, LOGOFF, PAE_GROUP, START, Eapol
from pmip_tw.wire.ethernet import ETHERTYPE_EAPOL, EthernetFrame, ethernet_frame

if TYPE_CHECKING:
    from tests.simulation.nodes import MobileNode

PASSWORD = b"open sesame"
GUESS = b"open barley"


class Rounds(EapServer):
    """``rounds``: challenges until the success. ``first``: number of its first conversation: nobody else has one like
    that.
    """

    def __init__(self, identities: list[bytes], rounds: int, first: int) -> None:
        super().__init__(dict.fromkeys(identities, PASSWORD))
        self._begun = first
        self._rounds = rounds
        self._done: dict[bytes, int] = {}

    def answer(self, message: bytes, state: bytes) -> EapAnswer:
        found = super().answer(message, state)
        done = self._done.pop(state, 0) + 1
        if found.code is not EapCode.SUCCESS or done == self._rounds:
            return found
        again = Eap(
            code=EapCode.RESPONSE, identifier=message[1], kind=IDENTITY, data=found.identity
        )  # whom to ask once more
        found = self._challenge(again)
        self._done[found.state] = done
        return found


class Supplicant:
    """Of ``node``. ``proof``: "password", or "guess", who calls itself as somebody else does, and does not know his.

    ``logged_off``: it says nothing until it comes anew.
    """

    def __init__(self, node: "MobileNode", proof: str) -> None:
        self._node = node
        self.identity = (node.nai if proof == "password" else "mn1@example.net").encode()
        self._password = PASSWORD if proof == "password" else GUESS
        self.logged_off = False

    def start(self) -> None:
        self.logged_off = False
        self._node.send(eapol(self._node.mac, START))

    def log_off(self) -> None:
        self.logged_off = True
        self._node.send(eapol(self._node.mac, LOGOFF))

    def hear(self, frame: EthernetFrame) -> None:
        request = Eap.decode(Eapol.decode(frame.payload).body)
        if request.code is EapCode.REQUEST and not self.logged_off:
            self._node.send(eapol(self._node.mac, EAP_PACKET, self.answer(request)))

    def answer(self, request: Eap) -> bytes:
        if request.kind == IDENTITY:
            return identity_response(self.identity, request.identifier)
        return md5_response(request.encode(), self._password)


def eapol(source: Mac, kind: int, body: bytes = b"") -> bytes:
    return ethernet_frame(PAE_GROUP, source, ETHERTYPE_EAPOL, Eapol(kind=kind, body=body).encode())
