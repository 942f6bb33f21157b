"""Diameter requests under way, and which requests of others are refused before anybody looks at what they want."""

from collections.abc import Container
from typing import Final

import attrs

from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.key_avps import carries_keys
from pmip_tw.wire.diameter.avps import Avp, InvalidAvp
from pmip_tw.wire.diameter.codes import Code, Result
from pmip_tw.wire.diameter.message import Message

_HIGHEST_OF_RADIUS: Final = 255


@attrs.define(slots=True, kw_only=True)
class Asked:
    """A request of ours. ``peer``: by whom it is being dealt with, "" while it waits for one. ``tried``: who could not
    do it. ``deadline``: monotonic."""

    number: int
    message: Message
    subject: str
    began: float
    deadline: float
    peer: str = ""
    hop_by_hop: int = 0
    tried: set[str] = attrs.field(factory=set)
    causes: list[str] = attrs.field(factory=list)

    @property
    def application(self) -> int:
        return self.message.header.application

    @property
    def realm(self) -> str:
        return (self.message.avps.text(Code.DESTINATION_REALM) or "").lower()

    @property
    def host(self) -> str:
        return (self.message.avps.text(Code.DESTINATION_HOST) or "").lower()

    @property
    def session_id(self) -> str:
        return self.message.session_id

    def sent_to(self, peer: str, hop_by_hop: int) -> None:
        header = attrs.evolve(self.message.header, hop_by_hop=hop_by_hop)
        self.message = attrs.evolve(self.message, header=header)
        self.peer, self.hop_by_hop = peer, hop_by_hop

    def abandoned(self) -> None:
        """It may have arrived or not: whoever gets it now is told so by the T flag (RFC 6733 5.5.4)."""
        header = attrs.evolve(self.message.header, retransmitted=True)
        self.message = attrs.evolve(self.message, header=header)
        self.peer = ""


Refused = tuple[Result, str, Avp | None]
"""What the asker is told: Result-Code, words, Failed-AVP."""


def refusal_of(message: Message, identity: Identity, served: Container[int], *, keys: bool) -> Refused | None:
    """Why a request of another node is not for us (RFC 6733 6.1.4, 6.2); None: its command is to be carried out.

    ``keys``: they may come from there.
    """
    header, avps = message.header, message.avps
    ours = (*identity.authorization, *identity.accounting)
    if header.command not in served:
        return Result.COMMAND_UNSUPPORTED, f"this node does not serve {message.name}", None
    if header.application not in (0, *ours):
        return Result.APPLICATION_UNSUPPORTED, f"this node has no application {header.application}", None
    try:
        host, realm = avps.text(Code.DESTINATION_HOST), avps.text(Code.DESTINATION_REALM)
        routes = [value.decode(errors="replace").lower() for value in avps.all(Code.ROUTE_RECORD)]
        if identity.host.lower() in routes:
            return Result.LOOP_DETECTED, "it has been here before", None
        if realm is not None and realm.lower() != identity.realm.lower():
            return Result.REALM_NOT_SERVED, f"this node is of the realm {identity.realm}", None
        if host is not None and host.lower() != identity.host.lower():
            return Result.UNABLE_TO_DELIVER, f"this node is {identity.host}, and no relay", None
        for needed in (Code.SESSION_ID, Code.ORIGIN_HOST, Code.ORIGIN_REALM):
            avps.required_text(needed)
    except InvalidAvp as error:
        return error.result, str(error), error.failed
    for avp in avps:
        if avp.mandatory and not _known(avp):
            return Result.AVP_UNSUPPORTED, f"{avp.name} is mandatory, and unknown here", avp
    if not keys and carries_keys(avps):
        text = "keys over a connection that everybody can read: use TLS there, or say allow_plain_keys"
        return Result.END_TO_END_MIP_KEY_ENCRYPTION, text, None
    return None


def _known(avp: Avp) -> bool:
    """Attributes of RADIUS are judged by whoever carries out the command, those of vendors are ours or not."""
    if avp.vendor:
        return False
    return avp.code <= _HIGHEST_OF_RADIUS or avp.code in Code._value2member_map_
