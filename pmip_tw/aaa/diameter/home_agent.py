"""RFC 4004 at an LMA, the other way round (5.3, 5.4): a node's AAA server brings its registration, by HAR.

Keys for the node and for the agent that has sent it come with it, and the reply goes back in the HAA.
"""

import attrs

from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.home_agent_sessions import ENDLESS
from pmip_tw.aaa.diameter.mobile_ipv4 import LONGEST, BadKey, Feature, assigned_address, association_in
from pmip_tw.aaa.diameter.refusals import refusal
from pmip_tw.aaa.node_keys import Brought, KeyQuestion
from pmip_tw.addresses import Ipv4
from pmip_tw.errors import PmipError, WireError
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.wire.codes import accepts, meaning
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avp, Avps
from pmip_tw.wire.diameter.codes import NO_STATE_MAINTAINED, Application, Code, Result
from pmip_tw.wire.diameter.message import Message
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest


class Unserved(PmipError):
    """A HAR that is not carried out: ``result`` and, if one of its AVPs is why, ``failed``."""

    def __init__(self, text: str, result: Result, failed: Avp | None = None) -> None:
        super().__init__(text)
        self.result = result
        self.failed = failed


@attrs.frozen(slots=True, kw_only=True)
class Har:
    """What ``server`` has brought. ``lifetime``: seconds of the authorization; ``stateful``: it is to hear of the end.

    ``ends``: it is a de-registration. ``identification``: the low half, which the reply has as well.
    """

    session: str
    server: str
    user: str
    question: KeyQuestion
    brought: Brought
    identification: int
    lifetime: int
    stateful: bool
    ends: bool


def read(asked: Message, home_agent: Ipv4) -> Har:
    """``home_agent``: our address. Unserved: why it is not carried out. InvalidAvp: an AVP is missing, or wrong."""
    found = asked.avps
    octets = found.first(Code.MIP_REG_REQUEST)
    user = found.required_text(Code.USER_NAME)
    lifetime = found.required_number(Code.AUTHORIZATION_LIFETIME)
    state = found.required_number(Code.AUTH_SESSION_STATE)
    _look_at_features(found)
    if octets is None:
        raise avps.missing(Code.MIP_REG_REQUEST)
    if found.first(Code.MIP_FILTER_RULE) is not None:
        rule = avps.octets(Code.MIP_FILTER_RULE, found.first(Code.MIP_FILTER_RULE) or b"")
        text = "an LMA has its filters by name, in its configuration"
        raise Unserved(text, Result.MIP_FILTER_NOT_SUPPORTED, rule)
    request = _request_in(octets, user)
    assert request.mn_aaa is not None
    if request.lifetime and not lifetime:
        failed = avps.unsigned32(Code.AUTHORIZATION_LIFETIME, lifetime)
        raise Unserved("Authorization-Lifetime 0 lets nobody register", Result.INVALID_AVP_VALUE, failed)
    mn_ha_spi = 0 if request.mn_ha is None else request.mn_ha.spi
    association = _shared(found, Code.MIP_HA_TO_MN_MSA, mn_ha_spi or request.mn_aaa.spi)
    if association is None and request.mn_ha is None:
        raise avps.missing(Code.MIP_HA_TO_MN_MSA)
    return Har(
        session=asked.session_id,
        server=found.required_text(Code.ORIGIN_HOST),
        user=user,
        question=KeyQuestion(
            nai=request.nai,
            spi=mn_ha_spi,
            aaa_spi=request.mn_aaa.spi,
            home_agent=home_agent,
            care_of_address=request.care_of_address,
            request=octets,
        ),
        brought=Brought(
            association=association,
            agent=_shared(found, Code.MIP_HA_TO_FA_MSA, 0),
            lifetime=found.number(Code.MIP_MSA_LIFETIME) or 0,
            longest=min(lifetime or LONGEST, LONGEST),
            authorized=0 if lifetime == ENDLESS else lifetime,
            home_address=assigned_address(found),
        ),
        identification=request.identification & 0xFFFFFFFF,
        lifetime=lifetime,
        stateful=state != NO_STATE_MAINTAINED,
        ends=request.lifetime == 0,
    )


def _look_at_features(found: Avps) -> None:
    """RFC 4004 7.5: bits that cannot stand together."""
    said = found.required_number(Code.MIP_FEATURE_VECTOR)
    abroad = Feature.FOREIGN_HOME_AGENT | Feature.HOME_AGENT_ABROAD
    asks = said & (Feature.HOME_ADDRESS | Feature.HOME_AGENT)
    if said & abroad == abroad or (asks and not said & Feature.MN_HA_KEY):
        vector = avps.unsigned32(Code.MIP_FEATURE_VECTOR, said)
        raise Unserved(f"MIP-Feature-Vector {said} contradicts itself", Result.INVALID_AVP_VALUE, vector)


def _request_in(octets: bytes, user: str) -> RegistrationRequest:
    failed = avps.octets(Code.MIP_REG_REQUEST, octets)
    try:
        request = RegistrationRequest.decode(octets)
    except WireError as error:
        raise Unserved(f"MIP-Reg-Request: {error}", Result.INVALID_AVP_VALUE, failed) from None
    if request.mn_aaa is None:
        text = "the request in MIP-Reg-Request has no MN-AAA, which is what AAA has proven"
        raise Unserved(text, Result.INVALID_AVP_VALUE, failed)
    if request.nai != user.encode():
        text = "the NAI of the request in MIP-Reg-Request is not User-Name"
        raise Unserved(text, Result.INVALID_AVP_VALUE, failed)
    return request


def _shared(found: Avps, code: Code, spi: int) -> SecurityAssociation | None:
    shared = found.group(code)
    if shared is None:
        return None
    try:
        return association_in(shared, spi)
    except BadKey as error:
        raise Unserved(f"{code.name.title().replace('_', '-')}: {error}", Result.BAD_KEY) from None


def haa(identity: Identity, asked: Message, har: Har, reply: bytes) -> Message:
    """``reply``: the Registration Reply. One that refuses is a 4005, with the reply as well."""
    read_anew = RegistrationReply.decode(reply)
    accepted = accepts(read_anew.code)
    agent = har.brought.agent
    given: list[Avp] = []
    if accepted:
        given.append(avps.address(Code.MIP_HOME_AGENT_ADDRESS, read_anew.home_agent))
        given.append(avps.address(Code.MIP_MOBILE_NODE_ADDRESS, read_anew.home_address))
        if agent is not None:
            # Whoever verifies chooses (RFC 4004 8): we take the number that the agent has taken for its side.
            given.append(avps.unsigned32(Code.MIP_FA_TO_HA_SPI, agent.spi))
    else:
        given.append(attrs.evolve(avps.text(Code.ERROR_MESSAGE, meaning(read_anew.code)), mandatory=False))
    return asked.answer(
        avps.text(Code.SESSION_ID, har.session),
        avps.unsigned32(Code.AUTH_APPLICATION_ID, Application.MOBILE_IPV4),
        avps.unsigned32(Code.RESULT_CODE, Result.SUCCESS if accepted else Result.MIP_REPLY_FAILURE),
        *identity.origin,
        avps.text(Code.USER_NAME, har.user),
        avps.octets(Code.MIP_REG_REPLY, reply),
        *given,
    )


def refused(
    identity: Identity, asked: Message, result: Result, cause: str, failed: Avp | None = None
) -> Message:
    """A HAA without a reply."""
    answer = refusal(identity, asked, result, cause, failed)
    application = avps.unsigned32(Code.AUTH_APPLICATION_ID, Application.MOBILE_IPV4)
    return attrs.evolve(answer, avps=Avps((*answer.avps, application)))


def is_accepted(answer: Message) -> bool:
    return answer.result == Result.SUCCESS
