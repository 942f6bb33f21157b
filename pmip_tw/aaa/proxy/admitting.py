"""Access-Requests that go through a proxy: who may ask, and what the server's answer means (AA27, AA3, RFC 3579)."""

from collections.abc import Callable

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.proxy import told
from pmip_tw.aaa.proxy.attributes import Unreadable, salts, towards_access_point
from pmip_tw.aaa.proxy.conversations import LONGEST_ROUND, Conversations, Round
from pmip_tw.aaa.proxy.effects import Admit, Dismiss, Effect, Reply
from pmip_tw.aaa.proxy.exchanges import Client, Exchange, station_in
from pmip_tw.aaa.proxy.stations import Stations
from pmip_tw.aaa.radius.configuration import RequireSignature
from pmip_tw.aaa.radius.outcome import Answered
from pmip_tw.aaa.verdicts import Accept, Verdict
from pmip_tw.addresses import Endpoint, Mac
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import ObserveAlike
from pmip_tw.wire.radius import Attribute, AttributeType, Code, ReceivedRequest
from pmip_tw.wire.salt_cipher import SaltCipher

Reading = Callable[[Mac | None, Answered], Verdict]
"""What an Access-Accept means for a node.

Its MAC may make a name for it where AAA gives none; None with EAP: who proves to be somebody is who AAA says (AA24).
"""

MOST_ROUNDS = 16384
"""Conversations of all access points that wait for a station's answer."""

EAP_FAILURE = 4


class Admitting:
    """``read``: how answers are understood."""

    def __init__(self, stations: Stations, read: Reading) -> None:
        self._stations = stations
        self._read = read
        self._conversations = Conversations(MOST_ROUNDS)

    def refusal(
        self, client: Client, source: Endpoint, request: ReceivedRequest, now: Now
    ) -> ObserveAlike | None:
        """Why nobody is asked for this access point, if so."""
        if not request.signed and _must_sign(client, request):
            cause = (
                "it has no Message-Authenticator, which is required of it - make the access point sign all its"
                f' requests, or set require_message_authenticator = "no" for it in {told.SETTINGS}'
            )
            if request.attributes.all(AttributeType.EAP_MESSAGE):
                cause = (
                    "it has EAP and no Message-Authenticator, so that anybody may have made it (RFC 3579 3.1)"
                )
            return told.discarded("no-message-authenticator", source, cause)
        mac = station_in(request)
        if mac is None:
            cause = (
                "it does not say by Calling-Station-Id whose MAC it is about: make the access point send that, once, as"
                " 02-00-00-00-00-01 or in another usual spelling"
            )
            return told.discarded("no-calling-station", source, cause)
        found = self._round(client, request, now)
        if found is not None and found.mac != mac:
            return told.discarded("other-station", source, "its State was given to another station")
        return None

    def began(self, exchange: Exchange) -> list[Effect]:
        """It is asked: how its access point keeps faith is known then."""
        client = exchange.client
        client.signs = client.signs or exchange.request.signed
        rule = client.access_point.require_message_authenticator
        if client.signs or client.warned or rule is not RequireSignature.AUTO:
            return []
        client.warned = True
        return [told.unsigned(exchange.source)]

    def is_examined(self, mac: Mac, now: Now) -> bool:
        """Whether a station is in the middle of it: whoever ended that would never see its end."""
        return self._conversations.is_examined(mac, now.monotonic)

    def server_for(self, exchange: Exchange, now: Now) -> Endpoint | None:
        """Who leads the conversation of the request; None: it begins one, or we were restarted meanwhile."""
        found = self._round(exchange.client, exchange.request, now)
        return None if found is None else found.server

    def answered(self, exchange: Exchange, outcome: Answered, now: Now) -> list[Effect]:
        """A server has said something: what that changes happens before its access point hears of it."""
        answer = outcome.answer
        state = exchange.request.attributes.first(AttributeType.STATE)
        awaited = state is None or self._conversations.over(exchange.source.address, state)
        hidden_by = SaltCipher(exchange.client.access_point.secret, exchange.request.authenticator)
        try:
            passed = towards_access_point(answer.attributes, outcome.cipher, hidden_by, salts(now.entropy))
            reply = exchange.reply(answer.code, passed, now)
        except Unreadable as error:
            return self._refused(exchange, error.reason, str(error), now)
        except ValueError as error:
            return self._refused(exchange, "too-long", f"the answer with its Proxy-State: {error}", now)
        if answer.code is Code.ACCESS_ACCEPT:
            return self._accepted(exchange, outcome, reply, now)
        noted = told.answered(exchange.session, exchange.source, answer.code.label)
        if answer.code is Code.ACCESS_CHALLENGE:
            self._challenged(exchange, outcome, now)
            return [noted, reply]
        # A State that nobody waits for is of an old conversation, and servers reject that: whoever repeats what he has
        # heard of it ends no visit. After a restart it is the access point that says so, by its accounting.
        left_out = self._left_out(exchange, "AAA does not accept it any more") if awaited else []
        return [*left_out, noted, reply]

    def _accepted(self, exchange: Exchange, outcome: Answered, reply: Reply, now: Now) -> list[Effect]:
        assert exchange.mac is not None and exchange.key is not None
        mac, by_eap = exchange.mac, exchange.by_eap
        verdict = self._read(None if exchange.has_eap else mac, outcome)
        if not isinstance(verdict, Accept):
            cause = getattr(verdict, "cause", "the Access-Accept is none")
            return self._refused(exchange, "unusable-profile", cause, now)
        self._stations.accepted(mac, exchange.client.access_point, exchange.account, by_eap=by_eap)
        label = outcome.answer.code.label
        noted = told.answered(exchange.session, exchange.source, label, verdict.profile.nai)
        return [Admit(exchange.key, verdict.profile, exchange.examined), noted, reply]

    def _challenged(self, exchange: Exchange, outcome: Answered, now: Now) -> None:
        assert exchange.mac is not None
        state = outcome.answer.attributes.first(AttributeType.STATE)
        if state is None:
            return
        asked = outcome.answer.attributes.first(AttributeType.SESSION_TIMEOUT) or b""
        # RFC 3579 2.6.5: how long the station may take; people have a last word in between.
        until = now.monotonic + max(
            LONGEST_ROUND, float(int.from_bytes(asked, "big")) if len(asked) == 4 else 0.0
        )
        found = Round(exchange.mac, outcome.server, until)
        self._conversations.challenged(exchange.source.address, state, found, now.monotonic)

    def _refused(self, exchange: Exchange, reason: str, cause: str, now: Now) -> list[Effect]:
        """The server has accepted, or goes on, and we cannot: nothing of what it has said goes further (AA8)."""
        failure: list[Attribute] = []
        response = exchange.request.attributes.joined(AttributeType.EAP_MESSAGE)
        if len(response) > 1:
            # RFC 3748 4.2, RFC 3579 2.6.3: it fails the response that was sent, and no Success contradicts it.
            failure.append((AttributeType.EAP_MESSAGE.value, bytes((EAP_FAILURE, response[1], 0, 4))))
        return [
            told.refused(exchange.session, exchange.source, reason, cause),
            *self._left_out(exchange, cause),
            exchange.reply(Code.ACCESS_REJECT, failure, now),
        ]

    def _left_out(self, exchange: Exchange, why: str) -> list[Effect]:
        """Whoever is served by this access point is so no longer; what another one asks about him is its own affair.

        Anybody may have asked what is not signed: that ends nothing. Nor does a word about a MAC, which anybody may
        use, unless nothing more has let the station in.
        """
        assert exchange.mac is not None and exchange.key is not None
        served_there = self._stations.may_end(exchange.mac, exchange.client.access_point)
        if not exchange.by_eap and not self._stations.is_there_by_mac(exchange.mac):
            return []
        if not (served_there and exchange.request.signed):
            return []
        self._stations.forget(exchange.mac)
        return [Dismiss(exchange.key, why, TerminateCause.REAUTHENTICATION_FAILURE)]

    def _round(self, client: Client, request: ReceivedRequest, now: Now) -> Round | None:
        state = request.attributes.first(AttributeType.STATE)
        if state is None:
            return None
        return self._conversations.find(client.access_point.address, state, now.monotonic)


def _must_sign(client: Client, request: ReceivedRequest) -> bool:
    """Whether only a signed request may be believed (AA3). EAP always (RFC 3579 3.1).

    In a Proxy-State the forgery of an answer is prepared, and no access point has any (CVE-2024-3596).
    """
    rule = client.access_point.require_message_authenticator
    if rule is RequireSignature.YES or request.attributes.all(AttributeType.EAP_MESSAGE):
        return True
    if rule is RequireSignature.NO:
        return False
    if request.attributes.all(AttributeType.PROXY_STATE):
        return True
    return rule is RequireSignature.AUTO and client.signs
