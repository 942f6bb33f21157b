"""Whether a mobile node may be served, asked of RADIUS servers."""

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pmip_tw.aaa.eap_authentication import eap_request, eap_verdict
from pmip_tw.aaa.mac_authentication import MacFormat, mac_request
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.profile_rules import ProfileRules
from pmip_tw.aaa.radius.outcome import AUTHENTICATION, RadiusOutcome, Unanswered
from pmip_tw.aaa.radius_mapping import verdict_of
from pmip_tw.aaa.verdicts import Credential, EapCredential, MacCredential, Unavailable, Verdict
from pmip_tw.addresses import Mac, mac_text
from pmip_tw.interfaces import IAuthenticator, IRadiusClient
from pmip_tw.mag.policy import COMMON_GATEWAY_MAC


@implementer(IAuthenticator)
class RadiusAuthenticator:
    """MAC authentication (AA24) and EAP (RFC 3579) by ``client``, which ends with it.

    ``nas``: who asks, and ``mac_format``: how it writes a MAC; ``station``: our own on the access links. ``rules``: how
    profiles are made of what servers say.
    """

    def __init__(
        self,
        client: IRadiusClient,
        nas: Nas,
        *,
        mac_format: MacFormat = MacFormat.DASHES,
        station: Mac = COMMON_GATEWAY_MAC,
        rules: ProfileRules | None = None,
    ) -> None:
        self._client = client
        self._nas = nas
        self._mac_format = mac_format
        self._station = station
        self._rules = rules or ProfileRules()

    def authenticate(self, credential: Credential) -> "Deferred[Verdict]":
        if isinstance(credential, EapCredential):
            return self._examine(credential)
        if not isinstance(credential, MacCredential):
            return succeed(Unavailable("RADIUS servers are asked for no authorization alone here"))
        name = self._mac_format.write(credential.mac)

        def concluded(outcome: RadiusOutcome) -> Verdict:
            if isinstance(outcome, Unanswered):
                return Unavailable(outcome.cause)
            return verdict_of(outcome.answer, outcome.cipher, user_name=name, rules=self._rules)

        return self._client.ask(
            mac_request(credential.mac, credential.port, self._nas, self._mac_format),
            AUTHENTICATION,
            subject=f"{mac_text(credential.mac)} on {credential.port}",
            flow=credential.port,
        ).addCallback(concluded)

    def _examine(self, credential: EapCredential) -> "Deferred[Verdict]":
        """One response of a conversation, to the server that leads it."""

        def concluded(outcome: RadiusOutcome) -> Verdict:
            return (
                Unavailable(outcome.cause)
                if isinstance(outcome, Unanswered)
                else eap_verdict(outcome, self._rules)
            )

        conversation = credential.conversation
        return self._client.ask(
            eap_request(credential, self._nas, self._station),
            AUTHENTICATION,
            pinned=None if conversation is None else conversation.server,
            subject=f"{mac_text(credential.mac)} on {credential.port}",
            flow=credential.port,
        ).addCallback(concluded)

    def stop(self) -> None:
        self._client.stop()
