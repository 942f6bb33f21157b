"""What the laboratory's Diameter AAA server answers: the server's side of docs/diameter.md.

It knows its users by MAC and by NAI, proves them by EAP-MD5 or believes their MAC, keeps their sessions until STR, and
counts accounting records. Whatever it does it tells as one line of JSON.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence

import attrs
from twisted.internet.defer import Deferred, succeed

from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.mobile_ipv4 import Feature
from pmip_tw.aaa.diameter.node import Answered, Outcome
from pmip_tw.addresses import Ipv4
from pmip_tw.errors import WireError
from pmip_tw.interfaces import IDiameterClient
from pmip_tw.lab.home_aaa import har, is_proven, request_in, shared
from pmip_tw.mobility.mn_aaa import AaaAssociation
from pmip_tw.secret import Secret
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avp, Avps
from pmip_tw.wire.diameter.codes import (
    NO_STATE_MAINTAINED,
    AccountingRecordType,
    Application,
    AuthRequestType,
    Code,
    Command,
    Result,
    result_name,
)
from pmip_tw.wire.diameter.message import Header, Message
from pmip_tw.wire.registration import RegistrationRequest

VENDOR_3GPP2 = 5535
VENDOR_WIMAX = 24757

EAP_REQUEST, EAP_RESPONSE, EAP_SUCCESS, EAP_FAILURE = 1, 2, 3, 4
EAP_IDENTITY, EAP_MD5 = 1, 4
_EAP_HEADER = 5
_CHALLENGE_SIZE = 16

MSA_LIFETIME = 3600
"""Seconds of the keys that it gives by RFC 4004."""

_PASSED_ON = frozenset(
    {
        Code.MIP_REG_REPLY,
        Code.MIP_MOBILE_NODE_ADDRESS,
        Code.MIP_HOME_AGENT_ADDRESS,
        Code.ERROR_MESSAGE,
    }
)
"""Of a HAA, to the foreign agent."""


@attrs.frozen(slots=True, kw_only=True)
class DiameterUser:
    """``mac``: as it is written in User-Name. ``password``: of EAP-MD5; ``aaa_spi``, ``aaa_key_text``: of MN-AAA;
    ``home_agent``, ``home_agent_realm``: of its LMA in Diameter, to which its registrations are brought.
    """

    mac: str
    nai: str
    lma: Ipv4
    spi: int
    key_text: str = attrs.field(repr=False)
    password: str = attrs.field(default="", repr=False)
    aaa_spi: int = 0
    aaa_key_text: str = attrs.field(default="", repr=False)
    home_agent: str = ""
    home_agent_realm: str = ""


@attrs.frozen(slots=True, kw_only=True)
class Kept:
    """A session that nobody has ended: whose it is, where, and by which application."""

    user: DiameterUser
    host: str
    realm: str
    application: int


class DiameterAaa:
    """``say``: takes each line."""

    def __init__(
        self, client: IDiameterClient, users: Sequence[DiameterUser], say: Callable[[str], None]
    ) -> None:
        self._client = client
        self._identity: Identity = client.identity
        self._by_name = {name: user for user in users for name in (user.mac, user.nai)}
        self._say = say
        self._challenges: dict[str, tuple[int, bytes]] = {}
        self._records: set[tuple[str, int]] = set()
        self.sessions: dict[str, Kept] = {}
        self._brought: dict[str, str] = {}
        """Session-Ids of those whose registrations were brought to a home agent."""
        for command, answer in (
            (Command.AA, self._authorize),
            (Command.DIAMETER_EAP, self._eap),
            (Command.ACCOUNTING, self._account),
            (Command.SESSION_TERMINATION, self._terminate),
        ):
            client.serve(command, _answering(self, answer))
        client.serve(Command.AA_MOBILE_NODE, self._mobile_ipv4)

    # --- what is asked of it ----------------------------------------------------------------------------

    def _authorize(self, asked: Message) -> Message:
        name = asked.avps.required_text(Code.USER_NAME)
        user = self._by_name.get(name)
        kind = asked.avps.required_number(Code.AUTH_REQUEST_TYPE)
        proven = (
            kind == AuthRequestType.AUTHORIZE_ONLY or asked.avps.first(Code.USER_PASSWORD) == name.encode()
        )
        if user is None or not proven:
            return self._refuse(asked, name)
        return self._accept(asked, user)

    def _eap(self, asked: Message) -> Message:
        """EAP-MD5 (RFC 3748 5.4): a challenge to the identity, and then its proof."""
        session, packet = asked.session_id, asked.avps.first(Code.EAP_PAYLOAD) or b""
        if len(packet) < _EAP_HEADER or packet[0] != EAP_RESPONSE:
            return self._refuse(asked, "")
        kind, value = packet[4], packet[_EAP_HEADER:]
        if kind == EAP_IDENTITY:
            identifier, challenge = (packet[1] + 1) & 0xFF, os.urandom(_CHALLENGE_SIZE)
            self._challenges[session] = identifier, challenge
            offer = bytes((EAP_MD5, len(challenge))) + challenge
            return self._answer(
                asked,
                Result.MULTI_ROUND_AUTH,
                avps.octets(Code.EAP_PAYLOAD, _eap_packet(EAP_REQUEST, identifier, offer)),
                avps.octets(Code.STATE, session.encode()),
            )
        name = asked.avps.required_text(Code.USER_NAME)
        user, expected = self._by_name.get(name), self._challenges.pop(session, None)
        if user is None or expected is None or kind != EAP_MD5 or asked.avps.first(Code.STATE) is None:
            return self._refuse(asked, name, _eap_packet(EAP_FAILURE, packet[1]))
        identifier, challenge = expected
        proof = hashlib.md5(bytes((identifier,)) + user.password.encode() + challenge).digest()
        if packet[1] != identifier or value[1:17] != proof:
            return self._refuse(asked, name, _eap_packet(EAP_FAILURE, packet[1]))
        success = avps.octets(Code.EAP_PAYLOAD, _eap_packet(EAP_SUCCESS, packet[1]))
        return self._accept(asked, user, success)

    def _accept(self, asked: Message, user: DiameterUser, *more: Avp) -> Message:
        found = asked.avps
        stateless = found.number(Code.AUTH_SESSION_STATE) == NO_STATE_MAINTAINED
        if not stateless:
            self.sessions[asked.session_id] = Kept(
                user=user,
                host=found.required_text(Code.ORIGIN_HOST),
                realm=found.required_text(Code.ORIGIN_REALM),
                application=asked.header.application,
            )
        self._tell("keys" if stateless else "access", user.nai, asked, result=Result.SUCCESS.value)
        return self._answer(
            asked,
            Result.SUCCESS,
            avps.text(Code.USER_NAME, user.nai),
            avps.octets(Code.CLASS, f"class of {user.nai}".encode()),
            _vendor(7, user.lma.to_bytes(4, "big")),
            _vendor(57, user.spi.to_bytes(4, "big")),
            _vendor(58, user.key_text.encode()),
            *more,
        )

    def _refuse(self, asked: Message, name: str, failure: bytes = b"") -> Message:
        self._tell("access", name, asked, result=Result.AUTHENTICATION_REJECTED.value)
        payload = (avps.octets(Code.EAP_PAYLOAD, failure),) if failure else ()
        words = avps.text(Code.ERROR_MESSAGE, "nobody is known by that name and proof")
        return self._answer(asked, Result.AUTHENTICATION_REJECTED, words, *payload)

    def _mobile_ipv4(self, asked: Message) -> "Deferred[Message]":
        """AMR: of the home agent itself, which gets the key; or of a foreign agent, whose request is brought to it."""
        try:
            request, octets = request_in(asked)
        except WireError as error:
            return succeed(self.invalid(asked, error))
        name = request.nai.decode(errors="replace")
        user = self._by_name.get(name)
        if user is None or not user.aaa_key_text:
            return succeed(self._refuse(asked, name))
        if not is_proven(request, octets, AaaAssociation(user.aaa_spi, Secret(user.aaa_key_text.encode()))):
            return succeed(self._refuse(asked, name))
        spi = user.spi if request.mn_ha is None else request.mn_ha.spi
        for_node = shared(Code.MIP_HA_TO_MN_MSA, spi, user.key_text.encode(), replay=True)
        if asked.avps.required_number(Code.MIP_FEATURE_VECTOR) & Feature.COLOCATED:
            self._tell("keys", user.nai, asked, result=Result.SUCCESS.value)
            lifetimes = (
                avps.unsigned32(Code.AUTHORIZATION_LIFETIME, request.lifetime),
                avps.unsigned32(Code.MIP_MSA_LIFETIME, MSA_LIFETIME),
            )
            return succeed(self._answer(asked, Result.SUCCESS, for_node, *lifetimes))
        return self._bring(asked, request, octets, user, for_node)

    def _bring(
        self, asked: Message, request: RegistrationRequest, octets: bytes, user: DiameterUser, for_node: Avp
    ) -> "Deferred[Message]":
        """HAR to the home agent; what comes back goes to the foreign agent, with its key."""
        agent_key = os.urandom(_CHALLENGE_SIZE)
        agent_spi = asked.avps.number(Code.MIP_HA_TO_FA_SPI) or 0
        keys = [for_node]
        if agent_spi:
            keys.append(shared(Code.MIP_HA_TO_FA_MSA, agent_spi, agent_key))
        session = self._brought.setdefault(user.nai, self._client.new_session_id())
        brings = har(
            self._identity,
            octets,
            session=session,
            user=user.nai,
            home_agent=(user.home_agent, user.home_agent_realm),
            keys=keys,
            lifetime=request.lifetime,
            msa_lifetime=MSA_LIFETIME,
        )

        def answered(outcome: Outcome) -> Message:
            if not isinstance(outcome, Answered):
                return self._answer(
                    asked, Result.HA_NOT_AVAILABLE, avps.text(Code.ERROR_MESSAGE, outcome.cause)
                )
            said = outcome.message.avps
            result = Result(outcome.message.result)
            self._tell("brought", user.nai, brings, result=result.value)
            if result is Result.SUCCESS:
                self.sessions[session] = Kept(
                    user=user,
                    host=user.home_agent,
                    realm=user.home_agent_realm,
                    application=Application.MOBILE_IPV4,
                )
            passed_on = [avp for avp in said if avp.code in _PASSED_ON]
            spi = said.number(Code.MIP_FA_TO_HA_SPI)
            if spi:
                passed_on.append(shared(Code.MIP_FA_TO_HA_MSA, spi, agent_key))
            return self._answer(asked, result, *passed_on)

        return self._client.ask(brings).addCallback(answered)

    def _account(self, asked: Message) -> Message:
        """A record that comes again is not a second one (RFC 6733 9.4)."""
        found = asked.avps
        kind = found.required_number(Code.ACCOUNTING_RECORD_TYPE)
        number = found.required_number(Code.ACCOUNTING_RECORD_NUMBER)
        again = (asked.session_id, number) in self._records
        self._records.add((asked.session_id, number))
        details = {
            name: int.from_bytes(found.first(code) or b"", "big")
            for name, code in (
                ("input_octets", Code.ACCOUNTING_INPUT_OCTETS),
                ("output_octets", Code.ACCOUNTING_OUTPUT_OCTETS),
                ("terminate_cause", Code.ACCT_TERMINATE_CAUSE),
            )
            if found.first(code)
        }
        self._tell(
            "accounting",
            found.text(Code.USER_NAME) or "",
            asked,
            record=AccountingRecordType(kind).name.lower(),
            number=number,
            again=again,
            echoed_class=(found.first(Code.CLASS) or b"").decode(errors="replace"),
            **details,
        )
        return self._answer(
            asked,
            Result.SUCCESS,
            avps.unsigned32(Code.ACCOUNTING_RECORD_TYPE, kind),
            avps.unsigned32(Code.ACCOUNTING_RECORD_NUMBER, number),
        )

    def _terminate(self, asked: Message) -> Message:
        kept = self.sessions.pop(asked.session_id, None)
        if kept is not None and self._brought.get(kept.user.nai) == asked.session_id:
            del self._brought[kept.user.nai]
        cause = asked.avps.required_number(Code.TERMINATION_CAUSE)
        self._tell("termination", kept.user.nai if kept else "", asked, cause=cause)
        return self._answer(asked, Result.SUCCESS if kept else Result.UNKNOWN_SESSION_ID)

    # --- what it asks -----------------------------------------------------------------------------------

    def command(self, words: Sequence[str]) -> None:
        """``abort NAI`` ends every session of a user, ``reauth NAI`` has them asked about anew."""
        commands = {"abort": Command.ABORT_SESSION, "reauth": Command.RE_AUTH}
        if len(words) != 2 or words[0] not in commands:
            self._say(json.dumps({"event": "error", "text": "abort NAI, or reauth NAI"}))
            return
        for session, kept in list(self.sessions.items()):
            if kept.user.nai == words[1]:
                self._ask(commands[words[0]], session, kept)

    def _ask(self, command: Command, session: str, kept: Kept) -> None:
        more = () if command is Command.ABORT_SESSION else (avps.unsigned32(Code.RE_AUTH_REQUEST_TYPE, 0),)
        request = Message(
            header=Header(command=command, application=kept.application, request=True),
            avps=Avps(
                (
                    avps.text(Code.SESSION_ID, session),
                    *self._identity.origin,
                    avps.text(Code.DESTINATION_REALM, kept.realm),
                    avps.text(Code.DESTINATION_HOST, kept.host),
                    avps.unsigned32(Code.AUTH_APPLICATION_ID, kept.application),
                    *more,
                )
            ),
        )

        def answered(outcome: Outcome) -> None:
            result = outcome.message.explained() if isinstance(outcome, Answered) else outcome.cause
            self._tell("answer", kept.user.nai, request, result=result)

        self._client.ask(request).addCallback(answered)

    # --- words ------------------------------------------------------------------------------------------

    def _answer(self, asked: Message, result: Result, *more: Avp) -> Message:
        return asked.answer(
            avps.text(Code.SESSION_ID, asked.session_id),
            avps.unsigned32(Code.RESULT_CODE, result),
            *self._identity.origin,
            *(avp for avp in asked.avps if avp.code in _ECHOED),
            *more,
        )

    def invalid(self, asked: Message, error: WireError) -> Message:
        result = getattr(error, "result", Result.UNABLE_TO_COMPLY)
        self._tell("error", "", asked, result=result_name(result), text=str(error))
        return self._answer(asked, result, avps.text(Code.ERROR_MESSAGE, str(error)))

    def _tell(self, event: str, nai: str, message: Message, **details: object) -> None:
        line = {"event": event, "command": message.name, "nai": nai, "session": message.session_id}
        routes = [route.decode(errors="replace") for route in message.avps.all(Code.ROUTE_RECORD)]
        self._say(json.dumps(line | ({"by": routes} if routes else {}) | details))


_ECHOED = frozenset({Code.AUTH_APPLICATION_ID, Code.ACCT_APPLICATION_ID, Code.AUTH_REQUEST_TYPE})
"""What an answer has of its request (RFC 7155 3.2), besides what every answer has."""


def _answering(
    aaa: DiameterAaa, answer: Callable[[Message], Message]
) -> Callable[[Message], "Deferred[Message]"]:
    def carry_out(asked: Message) -> "Deferred[Message]":
        try:
            return succeed(answer(asked))
        except WireError as error:
            return succeed(aaa.invalid(asked, error))

    return carry_out


def _vendor(code: int, data: bytes, vendor: int = VENDOR_3GPP2) -> Avp:
    return Avp(code=code, vendor=vendor, data=data, mandatory=False)


def _eap_packet(code: int, identifier: int, data: bytes = b"") -> bytes:
    return bytes((code, identifier)) + (4 + len(data)).to_bytes(2, "big") + data
