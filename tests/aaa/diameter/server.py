"""What a Diameter server of docs/diameter.md answers, for the tests' twin."""

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.testing.diameter_client import answer
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avp
from pmip_tw.wire.diameter.codes import Code
from pmip_tw.wire.diameter.message import Message

KEY = b"0123456789abcdef"


def vendor(code: int, data: bytes, who: int = 5535) -> Avp:
    return Avp(code=code, vendor=who, data=data, mandatory=False)


def number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def granted(profile: Profile) -> list[Avp]:
    """The AVPs that make that profile."""
    found = [avps.text(Code.USER_NAME, profile.nai)]
    found += [vendor(7, number(lma)) for lma in profile.lmas]
    if profile.mn_ha is not None:
        found.append(vendor(57, number(profile.mn_ha.spi)))
        found.append(vendor(58, profile.mn_ha.key.reveal()))
    if profile.home_address:
        found.append(avps.octets(Code.FRAMED_IP_ADDRESS, number(profile.home_address)))
    if profile.session_timeout:
        found.append(avps.unsigned32(Code.SESSION_TIMEOUT, profile.session_timeout))
    return found + [avps.octets(Code.CLASS, value) for value in profile.classes]


def accept(asked: Message, profile: Profile, *more: Avp) -> Message:
    return answer(asked, *granted(profile), *more)
