"""What a RADIUS proxy changes of the attributes that it passes on (AA27, RFC 2865 2.3).

What one secret hides the next one must hide anew. What a profile is made of is for the MAG, and never for an access
point: all of 3GPP2's and WiMAX's attributes.
"""

from collections.abc import Callable, Iterable, Iterator

from pmip_tw.aaa.dictionaries.of_3gpp2 import VENDOR_3GPP2
from pmip_tw.errors import Malformed
from pmip_tw.wire.radius import Attribute, Attributes, AttributeType
from pmip_tw.wire.salt_cipher import SALT_SIZE, SaltCipher
from pmip_tw.wire.wimax import VENDOR_WIMAX

VENDOR_MICROSOFT = 311
VENDOR_ARUBA = 14823

FOR_THE_MAG = frozenset({VENDOR_3GPP2, VENDOR_WIMAX})

HIDDEN = {
    (VENDOR_MICROSOFT, 16): "MS-MPPE-Send-Key",
    (VENDOR_MICROSOFT, 17): "MS-MPPE-Recv-Key",
    (VENDOR_ARUBA, 44): "Aruba-MPSK-Passphrase",
}
"""Sub-attributes that are hidden with a salt and without a tag (RFC 2548 2.4.2; RFC 2868 3.5)."""


class Unreadable(Malformed):
    """A hidden value that our secret with the server does not reveal."""

    reason = "key-unreadable"


_PLACE = (
    AttributeType.NAS_IP_ADDRESS,
    AttributeType.NAS_IPV6_ADDRESS,
    AttributeType.NAS_IDENTIFIER,
    AttributeType.NAS_PORT,
    AttributeType.NAS_PORT_ID,
    AttributeType.ACCT_SESSION_ID,
    AttributeType.ACCT_MULTI_SESSION_ID,
)
"""Where a session is, and how it is called there."""


def in_place_of(attributes: Attributes, place: Iterable[Attribute]) -> Attributes:
    """A request as if ``place``, the MAG's own, were where the station is: AAA hears of one session, in accounting too,
    and whatever it wants done about it later it asks by that name.
    """
    return attributes.without(*_PLACE).followed_by(place)


def towards_server(attributes: Attributes, authenticator: bytes, proxy_state: bytes) -> Attributes:
    """Of a request with this Request Authenticator: all, but our own Proxy-State in place of those of others, which the
    answer has to have again (RFC 2865 5.33).
    """
    passed = attributes.without(AttributeType.PROXY_STATE)
    if attributes.all(AttributeType.CHAP_PASSWORD) and not attributes.all(AttributeType.CHAP_CHALLENGE):
        # The challenge is the Request Authenticator then (RFC 2865 5.40), and the next server sees another.
        passed = passed.followed_by([(AttributeType.CHAP_CHALLENGE, authenticator)])
    return passed.followed_by([(AttributeType.PROXY_STATE, proxy_state)])


def towards_access_point(
    attributes: Attributes, revealed_by: SaltCipher, hidden_by: SaltCipher, salts: Iterator[bytes]
) -> Attributes:
    """Of a verified answer, without Proxy-State. ``salts``: one for each value that is hidden, none twice.

    Unreadable: a key in it was hidden otherwise than for us.
    """

    def anew(name: str, value: bytes) -> bytes:
        try:
            clear = revealed_by.decrypt(value)
        except Malformed:
            raise Unreadable(
                f"{name} does not decrypt: the server's shared secret is another one than ours, or a RADIUS proxy on"
                " the way passed it on without encrypting it anew"
            ) from None
        return hidden_by.encrypt(clear, next(salts))

    return Attributes(_passed_down(attributes, anew))


def _passed_down(attributes: Attributes, anew: Callable[[str, bytes], bytes]) -> Iterator[Attribute]:
    for kind, value in attributes:
        if kind == AttributeType.PROXY_STATE:
            continue
        if kind == AttributeType.TUNNEL_PASSWORD:
            yield kind, value[:1] + anew("Tunnel-Password", value[1:])
        elif kind != AttributeType.VENDOR_SPECIFIC:
            yield kind, value
        elif int.from_bytes(value[:4], "big") not in FOR_THE_MAG:
            yield kind, value[:4] + _vendors(int.from_bytes(value[:4], "big"), value[4:], anew)


def _vendors(vendor: int, octets: bytes, anew: Callable[[str, bytes], bytes]) -> bytes:
    """The sub-attributes of one VSA, those of ``HIDDEN`` hidden anew; whoever has others writes them as he likes."""
    if not any(vendor == known for known, _ in HIDDEN):
        return octets
    found = b""
    while octets:
        size = octets[1] if len(octets) > 1 else 0
        if size < 2 or size > len(octets):
            raise Unreadable(f"an attribute of vendor {vendor} does not end where it should")
        kind, value, octets = octets[0], octets[2:size], octets[size:]
        name = HIDDEN.get((vendor, kind))
        value = value if name is None else anew(name, value)
        found += bytes((kind, 2 + len(value))) + value
    return found


def salts(entropy: Callable[[int], bytes]) -> Iterator[bytes]:
    """Two octets each, the first bit set, none twice in a packet (RFC 2868 3.5)."""
    first = int.from_bytes(entropy(SALT_SIZE), "big")
    for count in range(1 << 15):
        yield (0x8000 | (first + count) & 0x7FFF).to_bytes(SALT_SIZE, "big")
