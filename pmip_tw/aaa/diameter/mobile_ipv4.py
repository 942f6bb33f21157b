"""RFC 4004 at an LMA: a request with MN-AAA goes to the node's AAA server as it is (AMR), which proves it and answers
with the key (AMA).

The co-located form: nobody but the LMA asks, and the answer holds no Registration Reply (RFC 4004 5.3).
"""

from enum import IntFlag
from typing import Final

from pmip_tw.aaa.accounting.records import Echo
from pmip_tw.aaa.diameter import answers
from pmip_tw.aaa.diameter.access import Asker
from pmip_tw.aaa.diameter.answers import Denied, Failed, Granted
from pmip_tw.aaa.diameter.node import Outcome
from pmip_tw.aaa.node_keys import KeyAnswer, KeyGiven, KeyQuestion, KeyRefused, KeyUnavailable
from pmip_tw.aaa.profiles.said import MAXIMUM_KEY_SIZE, MINIMUM_KEY_SIZE
from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Ipv4
from pmip_tw.errors import PmipError, WireError
from pmip_tw.mobility.associations import MINIMUM_SPI, SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.secret import Secret
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avps
from pmip_tw.wire.diameter.codes import NO_STATE_MAINTAINED, Application, Code, Command
from pmip_tw.wire.diameter.message import Header, Message
from pmip_tw.wire.registration import RegistrationRequest

HMAC_SHA1: Final = 2
"""MIP-Algorithm-Type: the only one there is (RFC 4004 7.12)."""

LONGEST: Final = 0xFFFF
"""Seconds of a registration (RFC 5944 3.3)."""

_ANY: Final = (UNSPECIFIED, ALL_ONES)


class Feature(IntFlag):
    """MIP-Feature-Vector (RFC 4004 7.5)."""

    HOME_ADDRESS = 1
    IN_HOME_REALM = 2
    HOME_AGENT = 4
    FOREIGN_HOME_AGENT = 8
    MN_HA_KEY = 16
    MN_FA_KEY = 32
    FA_HA_KEY = 64
    HOME_AGENT_ABROAD = 128
    COLOCATED = 256


def features(request: RegistrationRequest) -> Feature:
    """What is asked for besides proof: always the key, and what the request leaves open."""
    found = Feature.COLOCATED | Feature.MN_HA_KEY
    if request.home_address in _ANY:
        found |= Feature.HOME_ADDRESS
    if request.home_agent in _ANY:
        found |= Feature.HOME_AGENT
    if request.home_agent == ALL_ONES:
        found |= Feature.IN_HOME_REALM
    return found


def amr(request: RegistrationRequest, octets: bytes, session: str, asker: Asker) -> Message:
    """About ``request``, of which ``octets`` is what arrived. ValueError: it has no MN-AAA extension."""
    proof = request.mn_aaa
    if proof is None:
        raise ValueError("a request without MN-AAA proves nothing to AAA (RFC 4004 7.3)")
    addresses = []
    if request.home_address != UNSPECIFIED:
        addresses.append(avps.address(Code.MIP_MOBILE_NODE_ADDRESS, request.home_address))
    if request.home_agent not in _ANY:
        addresses.append(avps.address(Code.MIP_HOME_AGENT_ADDRESS, request.home_agent))
    host, realm = asker.identity.origin
    return Message(
        header=Header(command=Command.AA_MOBILE_NODE, application=Application.MOBILE_IPV4, request=True),
        avps=Avps(
            (
                avps.text(Code.SESSION_ID, session),
                avps.unsigned32(Code.AUTH_APPLICATION_ID, Application.MOBILE_IPV4),
                avps.octets(Code.USER_NAME, request.nai),
                avps.text(Code.DESTINATION_REALM, asker.realm),
                host,
                realm,
                avps.octets(Code.MIP_REG_REQUEST, octets),
                avps.grouped(
                    Code.MIP_MN_AAA_AUTH,
                    avps.unsigned32(Code.MIP_MN_AAA_SPI, proof.spi),
                    avps.unsigned32(Code.MIP_AUTH_INPUT_DATA_LENGTH, proof.covered),
                    avps.unsigned32(Code.MIP_AUTHENTICATOR_LENGTH, len(proof.value)),
                    avps.unsigned32(Code.MIP_AUTHENTICATOR_OFFSET, proof.covered),
                ),
                *addresses,
                avps.unsigned32(Code.MIP_FEATURE_VECTOR, features(request)),
                avps.unsigned32(Code.AUTH_SESSION_STATE, NO_STATE_MAINTAINED),
            )
        ),
    )


def key_in(outcome: Outcome, question: KeyQuestion) -> KeyAnswer:
    """What became of asking by AMR."""
    reading = answers.read(outcome)
    if isinstance(reading, Failed):
        return KeyUnavailable(reading.cause)
    if isinstance(reading, Denied):
        return KeyRefused(reading.cause, about_request=True)
    if not isinstance(reading, Granted):
        return KeyRefused("the server asks for more (1001), to which an LMA has no answer")
    try:
        return _given(reading.message.avps, question)
    except WireError as error:
        return KeyRefused(str(error))


def _given(found: Avps, question: KeyQuestion) -> KeyAnswer:
    shared = found.group(Code.MIP_HA_TO_MN_MSA)
    if shared is None:
        return KeyRefused("the AMA has no MIP-HA-to-MN-MSA, which was asked for")
    try:
        association = association_in(shared, question.spi or question.aaa_spi)
    except BadKey as error:
        return KeyRefused(f"MIP-HA-to-MN-MSA: {error}")
    if question.spi and association.spi != question.spi:
        return KeyRefused(f"the key has SPI {association.spi}, and the request MN-HA with SPI {question.spi}")
    return KeyGiven(
        association=association,
        lifetime=found.number(Code.MIP_MSA_LIFETIME) or 0,
        home_address=assigned_address(found),
        proven=True,
        longest=min(found.number(Code.AUTHORIZATION_LIFETIME) or LONGEST, LONGEST),
        echo=Echo(classes=found.all(Code.CLASS)),
    )


class BadKey(PmipError):
    """What AAA gives as a key cannot be used as one."""


def association_in(shared: Avps, spi: int) -> SecurityAssociation:
    """What an MSA holds for an LMA. ``spi``: which it has if that does not say so.

    RFC 4004 has no code for MIP-HA-to-MN-SPI: who writes one takes that of MIP-HA-to-FA-SPI, which means the same.
    BadKey: there is no key that can be used. InvalidAvp: an AVP is of another size.
    """
    key = shared.first(Code.MIP_SESSION_KEY)
    spi = shared.number(Code.MIP_HA_TO_FA_SPI) or spi
    algorithm = shared.number(Code.MIP_ALGORITHM_TYPE)
    if key is None:
        raise BadKey("there is no MIP-Session-Key")
    if not MINIMUM_KEY_SIZE <= len(key) <= MAXIMUM_KEY_SIZE:
        raise BadKey(
            f"MIP-Session-Key has {len(key)} octets instead of {MINIMUM_KEY_SIZE}-{MAXIMUM_KEY_SIZE}"
        )
    if algorithm not in (None, HMAC_SHA1):
        raise BadKey(f"MIP-Algorithm-Type {algorithm} is unknown: {HMAC_SHA1}, HMAC-SHA-1, is what there is")
    if spi < MINIMUM_SPI:
        raise BadKey(f"it has no SPI from {MINIMUM_SPI} on")
    return SecurityAssociation(spi, Secret(key), Algorithm.HMAC_SHA1)


def assigned_address(found: Avps) -> Ipv4:
    """The home address that AAA has for the node; 0: none."""
    address = found.address(Code.MIP_MOBILE_NODE_ADDRESS)
    return UNSPECIFIED if address is None or address in _ANY else address
