"""From an Access-Accept to a Profile: the 3GPP2 attributes (vendor 5535) of docs/radius.md.

Only an Access-Accept authorizes. Unknown attributes are ignored (AA7); a required one that is missing, malformed
or cannot be decrypted refuses the mobile node (AA8), with a cause that an operator can act upon. Key and SPI are
used as they are delivered, never derived or recomputed (AA11).
"""

from pmip_tw.aaa.profile import Profile
from pmip_tw.aaa.verdicts import Accept, Reject, Verdict
from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Ipv4, ipv4_text
from pmip_tw.errors import AccessDenied, WireError
from pmip_tw.mobility.associations import MINIMUM_SPI, SecurityAssociation
from pmip_tw.secret import Secret
from pmip_tw.wire.ipv4 import is_host_address
from pmip_tw.wire.radius import (
    Answer,
    Attributes,
    AttributeType,
    Code,
)
from pmip_tw.wire.salt_cipher import SaltCipher

VENDOR_3GPP2 = 5535
HOME_AGENT_ADDRESS = 7
MN_HA_SPI = 57
MN_HA_SHARED_KEY = 58

MINIMUM_KEY_SIZE = 16
"""RFC 5944 5.1 wants 128 bits; what is shorter is a mistake or the remains of a wrong decryption."""

MAXIMUM_KEY_SIZE = 64
"""The block of MD5 and SHA-1: HMAC hashes a longer key first, so that nobody has a reason to send one."""

NAS_SELECTS = Ipv4(0xFFFFFFFE)
USER_SELECTS = ALL_ONES
"""Framed-IP-Address values that name no address (RFC 2865 5.8)."""

_NAMES = {
    (VENDOR_3GPP2, HOME_AGENT_ADDRESS): "3GPP2-Home-Agent-IP-Address",
    (VENDOR_3GPP2, MN_HA_SPI): "3GPP2-MN-HA-SPI",
    (VENDOR_3GPP2, MN_HA_SHARED_KEY): "3GPP2-MN-HA-Shared-Key",
}


def verdict_of(answer: Answer, cipher: SaltCipher, *, user_name: str, default_realm: str = "") -> Verdict:
    """What a verified ``answer`` means for the node that asked as ``user_name``.

    ``cipher`` is keyed with the secret and authenticator of the request. ``default_realm``: nodes that the
    server gives no name become ``user_name@default_realm``; they are refused if it is "".
    """
    if answer.code is Code.ACCESS_REJECT:
        return Reject(_refusal(answer.attributes))
    if answer.code is Code.ACCESS_CHALLENGE:
        return Reject(
            "the server asks for a challenge; MAC authentication has no answer to one - allow PAP there"
        )
    try:
        return Accept(_profile(answer.attributes, cipher, user_name, default_realm))
    except AccessDenied as denied:
        return Reject(str(denied))


def _profile(found: Attributes, cipher: SaltCipher, user_name: str, default_realm: str) -> Profile:
    return Profile(
        nai=_nai(found, user_name, default_realm),
        lmas=_lmas(found),
        mn_ha=_mn_ha(found, cipher),
        home_address=_home_address(found),
        session_timeout=_session_timeout(found),
        classes=found.all(AttributeType.CLASS),
        framed_pool=found.first(AttributeType.FRAMED_POOL) or b"",
    )


def _refusal(found: Attributes) -> str:
    # Nothing else of a refusal is used: a careless server leaves keys and Class in it.
    text = b" ".join(found.all(AttributeType.REPLY_MESSAGE)).decode(errors="replace")
    shown = "".join(character for character in text if character.isprintable()).strip()
    return f'the AAA server rejects this MAC: "{shown}"' if shown else "the AAA server rejects this MAC"


def _nai(found: Attributes, user_name: str, default_realm: str) -> str:
    """AA24: the name of the Accept, else one of our realm."""
    value = found.first(AttributeType.USER_NAME)
    if value is None:
        if default_realm:
            return f"{user_name}@{default_realm}"
        raise AccessDenied(
            "the Access-Accept names no User-Name (the NAI), and no default_realm is configured to make one"
        )
    try:
        nai = value.decode()
    except UnicodeDecodeError:
        nai = ""
    if not nai or not nai.isprintable() or " " in nai:
        raise AccessDenied("User-Name of the Access-Accept is no NAI: empty, or not printable text")
    return nai


def _lmas(found: Attributes) -> tuple[Ipv4, ...]:
    """Several values are LMAs in the order of preference (P81); none, zero or all ones leave the choice to the MAG."""
    values = found.all_vendor(VENDOR_3GPP2, HOME_AGENT_ADDRESS)
    lmas = [Ipv4(_number(value, _NAMES[VENDOR_3GPP2, HOME_AGENT_ADDRESS])) for value in values]
    named = [lma for lma in lmas if lma not in (UNSPECIFIED, ALL_ONES)]
    for lma in named:
        if not is_host_address(lma):
            raise AccessDenied(f"3GPP2-Home-Agent-IP-Address {ipv4_text(lma)} is no address of an LMA")
    return tuple(dict.fromkeys(named))


def _mn_ha(found: Attributes, cipher: SaltCipher) -> SecurityAssociation | None:
    """None if the server gives neither SPI nor key: the MAG's own association has to do then (P72)."""
    if not any(found.all_vendor(VENDOR_3GPP2, attribute) for attribute in (MN_HA_SPI, MN_HA_SHARED_KEY)):
        return None
    return SecurityAssociation(_spi(found), _key(found, cipher))


def _spi(found: Attributes) -> int:
    spi = _required_number(found, MN_HA_SPI)
    if spi < MINIMUM_SPI:
        raise AccessDenied(f"3GPP2-MN-HA-SPI {spi} is reserved; give this node one of {MINIMUM_SPI} or more")
    return spi


def _key(found: Attributes, cipher: SaltCipher) -> Secret:
    value = _required(found, MN_HA_SHARED_KEY)
    try:
        key = cipher.decrypt(value)
    except WireError:
        # The answer itself verified, so that our secret is the server's; whoever encrypted this used another one.
        raise AccessDenied(
            "3GPP2-MN-HA-Shared-Key does not decrypt: it was sent in the clear, or a RADIUS proxy on the way passed"
            " it on without encrypting it anew for its own shared secret"
        ) from None
    if not MINIMUM_KEY_SIZE <= len(key) <= MAXIMUM_KEY_SIZE:
        raise AccessDenied(
            f"3GPP2-MN-HA-Shared-Key has {len(key)} octets instead of {MINIMUM_KEY_SIZE}-{MAXIMUM_KEY_SIZE}: the"
            " server's key is unsuitable, or a RADIUS proxy on the way did not encrypt it anew"
        )
    return key


def _home_address(found: Attributes) -> Ipv4:
    value = found.first(AttributeType.FRAMED_IP_ADDRESS)
    if value is None:
        return UNSPECIFIED
    address = Ipv4(_number(value, "Framed-IP-Address"))
    if address in (UNSPECIFIED, NAS_SELECTS, USER_SELECTS):
        return UNSPECIFIED  # the LMA chooses
    if not is_host_address(address):
        raise AccessDenied(f"Framed-IP-Address {ipv4_text(address)} is no address for a mobile node")
    return address


def _session_timeout(found: Attributes) -> int:
    value = found.first(AttributeType.SESSION_TIMEOUT)
    return 0 if value is None else _number(value, "Session-Timeout")


def _required(found: Attributes, attribute_type: int) -> bytes:
    values = found.all_vendor(VENDOR_3GPP2, attribute_type)
    name = _NAMES[VENDOR_3GPP2, attribute_type]
    if not values:
        raise AccessDenied(f"the Access-Accept has no {name} (vendor {VENDOR_3GPP2}, type {attribute_type})")
    if len(values) > 1:
        raise AccessDenied(
            f"the Access-Accept has {len(values)} values of {name}; which one is meant is unknown"
        )
    return values[0]


def _required_number(found: Attributes, attribute_type: int) -> int:
    return _number(_required(found, attribute_type), _NAMES[VENDOR_3GPP2, attribute_type])


def _number(value: bytes, name: str) -> int:
    if len(value) != 4:
        raise AccessDenied(f"{name} has {len(value)} octets instead of 4")
    return int.from_bytes(value, "big")
