"""What access points that know the secret ask, and what a server answers, with no good intentions on either side."""

from collections.abc import Iterator

from pmip_tw.aaa.proxy.effects import Admit, Ask, Dismiss, Effect, Reply
from pmip_tw.aaa.radius.outcome import ACCOUNTING, AUTHENTICATION
from pmip_tw.mobility.effects import Observe, ObserveAlike
from pmip_tw.wire.radius import Attributes, AttributeType, Code, Request, encode_request
from tests.aaa.proxy.bench import RESPONSE, SECRET, SUCCESS, Ap, Bench, mppe_keys, only, profile_attributes
from tests.fuzz.target import Target

_ANSWERS = (Code.ACCESS_ACCEPT, Code.ACCESS_CHALLENGE, Code.ACCESS_REJECT, Code.ACCESS_ACCEPT)
_FOR_THE_MAG = {5535, 24757}


def check(octets: bytes) -> None:
    """The first octet says what is sent: by its bits accounting, the server's answer, and whether it is passed on; the
    second how many of the others are the request's attributes. The rest are the answer's.
    """
    if len(octets) < 2:
        return
    kind, size = octets[0], octets[1]
    asked, said = (Attributes(_pairs(part)) for part in (octets[2 : 2 + size], octets[2 + size :]))
    code = Code.ACCOUNTING_REQUEST if kind & 1 else Code.ACCESS_REQUEST
    group = ACCOUNTING if kind & 1 else AUTHENTICATION
    bench, ap = Bench(forward_accounting=bool(kind & 8)), Ap()
    try:
        ap.request = encode_request(
            Request(code=code, attributes=asked), identifier=7, authenticator=bytes(range(16)), secret=SECRET
        )
    except ValueError:
        return  # longer than a packet
    forged = bytearray(ap.request)
    forged[-1 if asked else 4] ^= 1
    assert_nothing(bench.hear(bytes(forged), ap.source, group))
    effects = bench.hear(ap.request, ap.source, group)
    if only(Ask, effects):
        answer = Code.ACCOUNTING_RESPONSE if kind & 1 else _ANSWERS[kind >> 1 & 3]
        effects += bench.say(answer, *said)
    assert_proper(ap, effects)
    again = bench.hear(ap.request, ap.source, group)
    if only(Reply, effects):
        assert again == only(Reply, effects), "the same request has another answer, or an effect"


def assert_nothing(effects: list[Effect]) -> None:
    assert effects and all(isinstance(effect, Observe | ObserveAlike) for effect in effects), (
        "a forged request has an effect"
    )


def assert_proper(ap: Ap, effects: list[Effect]) -> None:
    replies, admitted = only(Reply, effects), only(Admit, effects)
    assert len(replies) <= 1 and len(admitted) <= 1
    if not replies:
        assert (not admitted and not only(Dismiss, effects)) or only(Ask, effects)
        return
    answer = ap.read(effects)
    assert (answer.code is Code.ACCESS_ACCEPT) == bool(admitted), "an Accept and an attachment go together"
    if answer.code is not Code.ACCOUNTING_RESPONSE:
        assert answer.signed
    vendors = {
        int.from_bytes(value[:4], "big") for value in answer.attributes.all(AttributeType.VENDOR_SPECIFIC)
    }
    assert not vendors & _FOR_THE_MAG, "an access point is told of a profile"


def _pairs(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """As they stand in a packet, as far as they do."""
    while len(octets) >= 2 and 2 <= octets[1] <= len(octets):
        kind, size = octets[0], octets[1]
        if kind not in (AttributeType.MESSAGE_AUTHENTICATOR, AttributeType.USER_PASSWORD):
            yield kind, octets[2:size]
        octets = octets[size:]


def _written(pairs: list[tuple[int, bytes]]) -> bytes:
    return b"".join(bytes((kind, 2 + len(value))) + value for kind, value in pairs)


def seeds() -> Iterator[bytes]:
    station = (AttributeType.CALLING_STATION_ID.value, b"02-00-00-00-00-01")
    state = (AttributeType.STATE.value, b"state")
    asked = _written(
        [station, (AttributeType.EAP_MESSAGE.value, RESPONSE), state, (AttributeType.PROXY_STATE.value, b"p")]
    )
    success = (AttributeType.EAP_MESSAGE.value, SUCCESS)
    tunnel = (AttributeType.TUNNEL_PASSWORD.value, b"\1" + bytes(18))
    answers = (
        [*profile_attributes(), *mppe_keys(), success],
        [state, (AttributeType.SESSION_TIMEOUT.value, b"\0\0\0\x1e"), (26, b"\0\0\1\x37\x10\x05\x80\1\0")],
        [*profile_attributes(), success],
        [tunnel, *profile_attributes()],
    )
    for number, answer in enumerate(answers):
        yield bytes((number << 1, len(asked))) + asked + _written(answer)
    for status in (1, 2, 3, 7, 8):
        account = _written([station, (AttributeType.ACCT_STATUS_TYPE.value, status.to_bytes(4, "big"))])
        yield bytes((1 | (status & 1) << 3, len(account))) + account
    chap = _written([station, (AttributeType.CHAP_PASSWORD.value, bytes(17))])
    yield bytes((0, len(chap))) + chap + _written(profile_attributes())


TARGET = Target(
    name="access-points",
    about="requests of access points and answers of servers, through the RADIUS proxy",
    check=check,
    seeds=seeds,
    floors=("wire", "aaa"),
    longest=600,
)
