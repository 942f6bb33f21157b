"""What two Diameter nodes tell each other first (RFC 6733 5.3): who they are and what they can do."""

from typing import Final

import attrs

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import PmipError
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avp, Avps
from pmip_tw.wire.diameter.codes import NO_INBAND_SECURITY, Application, Code, Command, Result
from pmip_tw.wire.diameter.message import Header, Message

PRODUCT: Final = "pmip_tw"
VENDORS: Final = (5535, 24757)
"""3GPP2 and the WiMAX Forum: whose AVPs we read (docs/diameter.md)."""

_NO_VENDOR: Final = 0
"""Vendor-Id of whoever has no enterprise number."""


@attrs.frozen(slots=True, kw_only=True)
class Identity:
    """Who we are. ``state_id``: Origin-State-Id, which grows with every start: sessions of before are gone.

    ``authorization`` and ``accounting``: the applications that we speak.
    """

    host: str
    realm: str
    address: Ipv4
    state_id: int
    authorization: tuple[int, ...] = ()
    accounting: tuple[int, ...] = ()

    @property
    def origin(self) -> tuple[Avp, Avp]:
        return avps.text(Code.ORIGIN_HOST, self.host), avps.text(Code.ORIGIN_REALM, self.realm)

    @property
    def state(self) -> Avp:
        return avps.unsigned32(Code.ORIGIN_STATE_ID, self.state_id)


@attrs.frozen(slots=True, kw_only=True)
class Capabilities:
    """What the other side has said of itself. ``state_id``: 0 if it does not tell."""

    host: str
    realm: str
    applications: frozenset[int]
    state_id: int

    def can(self, application: int) -> bool:
        """A relay passes on every application (RFC 6733 2.4)."""
        return application in self.applications or Application.RELAY in self.applications


class Incapable(PmipError):
    """We have nothing to say to that peer; ``result`` is what it is told."""

    def __init__(self, text: str, result: Result) -> None:
        super().__init__(text)
        self.result = result


def request(identity: Identity) -> Message:
    """CER; identifiers are still to be set."""
    header = Header(
        command=Command.CAPABILITIES_EXCHANGE, application=Application.BASE, request=True, proxiable=False
    )
    return Message(header=header, avps=Avps((*identity.origin, *_described(identity))))


def answer(identity: Identity, asked: Message, result: Result, cause: str = "") -> Message:
    """CEA."""
    said = (avps.text(Code.ERROR_MESSAGE, cause),) if cause else ()
    return asked.answer(
        avps.unsigned32(Code.RESULT_CODE, result), *identity.origin, *_described(identity), *said
    )


def _described(identity: Identity) -> list[Avp]:
    product = attrs.evolve(avps.text(Code.PRODUCT_NAME, PRODUCT), mandatory=False)  # RFC 6733 4.5
    return [
        avps.address(Code.HOST_IP_ADDRESS, identity.address),
        avps.unsigned32(Code.VENDOR_ID, _NO_VENDOR),
        product,
        identity.state,
        *(avps.unsigned32(Code.SUPPORTED_VENDOR_ID, vendor) for vendor in VENDORS),
        *(avps.unsigned32(Code.AUTH_APPLICATION_ID, one) for one in identity.authorization),
        avps.unsigned32(Code.INBAND_SECURITY_ID, NO_INBAND_SECURITY),
        *(avps.unsigned32(Code.ACCT_APPLICATION_ID, one) for one in identity.accounting),
    ]


def read(message: Message, identity: Identity, expected: str = "") -> Capabilities:
    """Of a CER or a CEA. ``expected``: the configured identity of the peer, "" for anybody.

    Incapable: it is somebody else, or has no application that we have. InvalidAvp: an AVP is missing or wrong.
    """
    found = message.avps
    host, realm = found.required_text(Code.ORIGIN_HOST), found.required_text(Code.ORIGIN_REALM)
    if host.lower() == identity.host.lower():
        raise Incapable(f"the peer calls itself {host}, as we do", Result.UNABLE_TO_COMPLY)
    if expected and host.lower() != expected.lower():
        raise Incapable(f"the peer calls itself {host}, and is configured as {expected}", Result.UNKNOWN_PEER)
    capabilities = Capabilities(
        host=host,
        realm=realm,
        applications=_applications(found),
        state_id=found.number(Code.ORIGIN_STATE_ID) or 0,
    )
    ours = (*identity.authorization, *identity.accounting)
    if Application.RELAY not in ours and not any(capabilities.can(one) for one in ours):
        raise Incapable(
            f"{host} has none of our applications {_listed(ours)}, only {_listed(capabilities.applications)}",
            Result.NO_COMMON_APPLICATION,
        )
    return capabilities


def _applications(found: Avps) -> frozenset[int]:
    wanted = (Code.AUTH_APPLICATION_ID, Code.ACCT_APPLICATION_ID)
    groups = [found]
    for data in found.all(Code.VENDOR_SPECIFIC_APPLICATION_ID):
        groups.append(avps.decode_avps(data))
    return frozenset(
        int.from_bytes(value, "big") for group in groups for code in wanted for value in group.all(code)
    )


def _listed(applications: tuple[int, ...] | frozenset[int]) -> str:
    return ", ".join(str(one) for one in sorted(applications)) or "none"
