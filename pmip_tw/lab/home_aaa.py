"""What a node's AAA server says in RFC 4004: to whoever asks by AMR, and to the home agent by HAR."""

from collections.abc import Iterable
from typing import Final

from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.mobile_ipv4 import HMAC_SHA1, Feature
from pmip_tw.mobility.mn_aaa import AaaAssociation
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avp, Avps, InvalidAvp
from pmip_tw.wire.diameter.codes import Application, Code, Command, Result
from pmip_tw.wire.diameter.message import Header, Message
from pmip_tw.wire.registration import RegistrationRequest

TIMESTAMPS: Final = 2
"""MIP-Replay-Mode."""

STATE_MAINTAINED: Final = 0


def request_in(asked: Message) -> tuple[RegistrationRequest, bytes]:
    """What an AMR is about. InvalidAvp: it has none, or what says where MN-AAA is in it lies about that."""
    found = asked.avps
    octets = found.first(Code.MIP_REG_REQUEST)
    where = found.group(Code.MIP_MN_AAA_AUTH)
    if octets is None or where is None:
        raise avps.missing(Code.MIP_REG_REQUEST if octets is None else Code.MIP_MN_AAA_AUTH)
    request = RegistrationRequest.decode(octets)
    proof = request.mn_aaa
    said = tuple(
        where.required_number(code)
        for code in (
            Code.MIP_MN_AAA_SPI,
            Code.MIP_AUTH_INPUT_DATA_LENGTH,
            Code.MIP_AUTHENTICATOR_LENGTH,
            Code.MIP_AUTHENTICATOR_OFFSET,
        )
    )
    if proof is None or said != (proof.spi, proof.covered, len(proof.value), proof.covered):
        wrong = avps.octets(Code.MIP_MN_AAA_AUTH, found.first(Code.MIP_MN_AAA_AUTH) or b"")
        raise InvalidAvp("MIP-MN-AAA-Auth is not about that request", Result.INVALID_AVP_VALUE, wrong)
    return request, octets


def is_proven(request: RegistrationRequest, octets: bytes, key: AaaAssociation) -> bool:
    proof = request.mn_aaa
    assert proof is not None
    return proof.spi == key.spi and key.verify(octets[: proof.covered], proof.value, request.challenge)


def shared(code: Code, spi: int, key: bytes, *, replay: bool = False) -> Avp:
    """An MSA with a key; ``replay``: it is one with the node, and says how replays are known."""
    more = (avps.unsigned32(Code.MIP_REPLAY_MODE, TIMESTAMPS),) if replay else ()
    number = Code.MIP_FA_TO_HA_SPI if code == Code.MIP_FA_TO_HA_MSA else Code.MIP_HA_TO_FA_SPI
    return avps.grouped(
        code,
        avps.unsigned32(number, spi),
        avps.unsigned32(Code.MIP_ALGORITHM_TYPE, HMAC_SHA1),
        *more,
        avps.octets(Code.MIP_SESSION_KEY, key),
    )


def har(
    identity: Identity,
    octets: bytes,
    *,
    session: str,
    user: str,
    home_agent: tuple[str, str],
    keys: Iterable[Avp],
    lifetime: int,
    msa_lifetime: int,
    state: int = STATE_MAINTAINED,
    features: int = Feature.MN_HA_KEY,
) -> Message:
    """``home_agent``: its identity and realm; ``keys``: MSAs; seconds."""
    host, realm = home_agent
    return Message(
        header=Header(command=Command.HOME_AGENT_MIP, application=Application.MOBILE_IPV4, request=True),
        avps=Avps(
            (
                avps.text(Code.SESSION_ID, session),
                avps.unsigned32(Code.AUTH_APPLICATION_ID, Application.MOBILE_IPV4),
                avps.unsigned32(Code.AUTHORIZATION_LIFETIME, lifetime),
                avps.unsigned32(Code.AUTH_SESSION_STATE, state),
                avps.octets(Code.MIP_REG_REQUEST, octets),
                *identity.origin,
                avps.text(Code.USER_NAME, user),
                avps.text(Code.DESTINATION_REALM, realm),
                avps.unsigned32(Code.MIP_FEATURE_VECTOR, features),
                avps.text(Code.DESTINATION_HOST, host),
                *keys,
                avps.unsigned32(Code.MIP_MSA_LIFETIME, msa_lifetime),
            )
        ),
    )
