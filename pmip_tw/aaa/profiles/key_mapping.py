"""Keys for an LMA in attributes of RADIUS: the question, and what an answer to it means (AA10, P29).

The question names NAI, SPI and agents in the words of WiMAX and of 3GPP2; a server reads those it knows. Only an
Access-Accept gives a key, for exactly the SPI that was asked about.
"""

from collections.abc import Iterator
from functools import partial

from pmip_tw.aaa.accounting.records import Echo
from pmip_tw.aaa.dictionaries import of_3gpp2 as threegpp2
from pmip_tw.aaa.dictionaries import standard, wimax
from pmip_tw.aaa.dictionaries.dictionary import Attribute
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.node_keys import Allowed, HaRootKey, KeyAnswer, KeyGiven, KeyQuestion, KeyRefused
from pmip_tw.aaa.profiles.of_3gpp2 import mip_lifetime
from pmip_tw.aaa.profiles.of_radius import RadiusSource
from pmip_tw.aaa.profiles.of_wimax import NOT_AUTHORIZED
from pmip_tw.aaa.profiles.radius_mapping import refusal_in
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.aaa.profiles.said import Said
from pmip_tw.addresses import UNSPECIFIED
from pmip_tw.errors import AccessDenied
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import Answer, Attributes, Code, Request, vendor_specific
from pmip_tw.wire.salt_cipher import SaltCipher
from pmip_tw.wire.wimax import split_value

_KEYS = {
    "wimax": (
        (wimax.RRQ_MN_HA_KEY, wimax.RRQ_MN_HA_SPI),
        (wimax.MN_HHA_MIP4_KEY, wimax.MN_HHA_MIP4_SPI),
    ),
    "3gpp2": ((threegpp2.MN_HA_SHARED_KEY, threegpp2.MN_HA_SPI),),
}
"""Where each dialect may have the key, in order, and the SPI beside it."""

LONGEST_ROOT_KEY_LIFETIME = 0xFFFFFFFF


def key_request(question: KeyQuestion, nas: Nas) -> Request:
    """An Access-Request without credentials but those of the LMA, which the shared secret is."""
    return Request(
        attributes=Attributes(
            (
                (standard.USER_NAME.number, question.nai),
                *nas.attributes,
                *key_attributes(question),
            )
        )
    )


def key_attributes(question: KeyQuestion) -> Iterator[tuple[int, bytes]]:
    """What of it vendors have attributes for."""
    for attribute, value in vendor_values(question):
        parts = split_value(value) if attribute.vendor == wimax.WIMAX.vendor else (value,)
        for part in parts:
            yield vendor_specific(attribute.vendor, attribute.number, part)


def vendor_values(question: KeyQuestion) -> Iterator[tuple[Attribute, bytes]]:
    """The same as attributes with their values, however a protocol writes them."""
    yield wimax.RRQ_MN_HA_SPI, question.spi.to_bytes(4, "big")
    yield wimax.RRQ_HA_IP, question.home_agent.to_bytes(4, "big")
    if question.root_key:
        yield wimax.HA_RK_KEY_REQUESTED, (1).to_bytes(4, "big")
    yield threegpp2.MN_HA_SPI, question.spi.to_bytes(4, "big")
    yield threegpp2.HOME_AGENT_IP_ADDRESS, question.home_agent.to_bytes(4, "big")
    if question.care_of_address != UNSPECIFIED:
        yield threegpp2.FOREIGN_AGENT_ADDRESS, question.care_of_address.to_bytes(4, "big")


def key_answer_of(
    answer: Answer, cipher: SaltCipher, question: KeyQuestion, rules: ProfileRules
) -> KeyAnswer:
    """What ``answer`` means. ``cipher``: keyed with the secret and authenticator of the request."""
    if answer.code is Code.ACCESS_ACCEPT:
        return key_answer(Said(answer.attributes, cipher.decrypt), question, rules)
    if answer.code is Code.ACCESS_CHALLENGE:
        return KeyRefused("the server asks for a challenge, to which an LMA has no answer")
    return KeyRefused(refusal_in(answer.attributes, "this node"))


def key_answer(said: Said, question: KeyQuestion, rules: ProfileRules) -> KeyAnswer:
    """What AAA said that accepted. ``rules``: precedence and algorithms as for profiles."""
    try:
        if said.number(wimax.MIP_AUTHORIZATION_STATUS) == NOT_AUTHORIZED:
            raise AccessDenied(
                f"{wimax.MIP_AUTHORIZATION_STATUS} {NOT_AUTHORIZED}: AAA lets this node have no Mobile IP"
            )
        algorithm = rules.defaults_of(question.nai.decode(errors="replace")).algorithm
        source = RadiusSource(said)
        return KeyGiven(
            association=SecurityAssociation(question.spi, _key(said, question, rules), algorithm),
            lifetime=source.session_timeout() or 0,
            home_address=source.home_address() or UNSPECIFIED,
            root_key=said.if_usable(partial(_root_key, said)),
            allowed=_allowed(said, source),
            echo=_echo(said, source),
            ignored="; ".join(said.ignored),  # last: by then everything was read
        )
    except AccessDenied as denied:
        return KeyRefused(str(denied))


def _key(said: Said, question: KeyQuestion, rules: ProfileRules) -> Secret:
    others: list[str] = []
    for source in rules.precedence:
        for key, spi in _KEYS.get(source, ()):
            if not said.has(key):
                continue
            number = said.number(spi)
            if number in (None, question.spi):
                return said.key(key)
            others.append(f"{spi} is {number}")
    if others:
        raise AccessDenied(f"the Access-Accept has a key for another SPI: {', '.join(others)}")
    raise AccessDenied(
        f"the Access-Accept has neither {wimax.RRQ_MN_HA_KEY} nor {threegpp2.MN_HA_SHARED_KEY}"
    )


def _allowed(said: Said, source: RadiusSource) -> Allowed:
    """As for a MAG; a session of which AAA wants to be asked again at its end does not end then."""
    return Allowed(
        lifetime=mip_lifetime(said) or None,
        session_timeout=0 if source.reauthenticate() else source.session_timeout(),
        idle_timeout=source.idle_timeout(),
        interim_interval=source.interim_interval(),
        filter_ids=source.filter_ids(),
    )


def _echo(said: Said, source: RadiusSource) -> Echo:
    """As a MAG has it of its own Accept (AA21), so that the records of both can be joined."""
    return Echo(
        classes=source.classes() or (),
        chargeable_identity=source.chargeable_identity() or b"",
        correlation_id=said.one(threegpp2.CORRELATION_ID) or b"",
        aaa_session_id=said.one(wimax.AAA_SESSION_ID) or b"",
    )


def _root_key(said: Said) -> HaRootKey | None:
    """A node with a key of its own is served without it. It is valid for as long as can be said if nothing is said."""
    found = said.key_and_spi(wimax.HA_RK_KEY, wimax.HA_RK_SPI)
    if found is None:
        return None
    spi, key = found
    lifetime = said.number(wimax.HA_RK_LIFETIME)
    return HaRootKey(spi=spi, key=key, lifetime=LONGEST_ROOT_KEY_LIFETIME if lifetime is None else lifetime)
