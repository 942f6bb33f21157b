"""Whether a mobile node may be served, asked of RADIUS servers."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from zope.interface import implementer

from pmip_tw.aaa.authorize_only import authorize_only_request, authorize_only_verdict
from pmip_tw.aaa.eap_authentication import eap_request, eap_verdict
from pmip_tw.aaa.mac_authentication import MacFormat, mac_request
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.profiles.radius_mapping import verdict_of
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.aaa.radius.outcome import AUTHENTICATION, Answered, RadiusOutcome, Unanswered
from pmip_tw.aaa.verdicts import AuthorizeOnly, Credential, EapCredential, Unavailable, Verdict
from pmip_tw.addresses import Ipv4, Mac, mac_text
from pmip_tw.interfaces import IAuthenticator, IRadiusClient
from pmip_tw.mag.policy import COMMON_GATEWAY_MAC
from pmip_tw.wire.radius import Request


@implementer(IAuthenticator)
class RadiusAuthenticator:
    """MAC authentication (AA24), EAP (RFC 3579) and Authorize-Only (RFC 5176 3.2) by ``client``, which ends with it.

    ``nas``: who asks, and ``mac_format``: how it writes a MAC; ``station``: our own on the access links. ``rules``: how
    profiles are made of what servers say. ``address``: ours at the moment, if it may change (P82).
    """

    def __init__(
        self,
        client: IRadiusClient,
        nas: Nas,
        *,
        mac_format: MacFormat = MacFormat.DASHES,
        station: Mac = COMMON_GATEWAY_MAC,
        rules: ProfileRules | None = None,
        address: Callable[[], Ipv4] | None = None,
    ) -> None:
        self._client = client
        self._nas = nas
        self._mac_format = mac_format
        self._station = station
        self._rules = rules or ProfileRules()
        self._address = address

    def authenticate(self, credential: Credential) -> "Deferred[Verdict]":
        """An EAP response goes to the server that leads its conversation, everything else to any."""
        pinned = None
        if isinstance(credential, EapCredential) and credential.conversation is not None:
            pinned = credential.conversation.server

        def concluded(outcome: RadiusOutcome) -> Verdict:
            if isinstance(outcome, Unanswered):
                return Unavailable(outcome.cause)
            return self._verdict(credential, outcome)

        return self._client.ask(
            self._request(credential),
            AUTHENTICATION,
            pinned=pinned,
            subject=f"{mac_text(credential.mac)} on {credential.port}",
            flow=credential.port,
        ).addCallback(concluded)

    def _request(self, credential: Credential) -> Request:
        if self._address is not None:
            self._nas = self._nas.at(self._address())
        if isinstance(credential, EapCredential):
            return eap_request(credential, self._nas, self._station)
        if isinstance(credential, AuthorizeOnly):
            return authorize_only_request(credential, self._nas)
        return mac_request(credential.mac, credential.port, self._nas, self._mac_format)

    def _verdict(self, credential: Credential, outcome: Answered) -> Verdict:
        if isinstance(credential, EapCredential):
            return eap_verdict(outcome, self._rules)
        if isinstance(credential, AuthorizeOnly):
            return authorize_only_verdict(outcome, credential, self._rules)
        name = self._mac_format.write(credential.mac)
        return verdict_of(outcome.answer, outcome.cipher, user_name=name, rules=self._rules)

    def stop(self) -> None:
        self._client.stop()
