"""Keys for an LMA by Diameter: AAR with Auth-Request-Type 2 about a NAI and an SPI (AA10, AA23).

What is asked and answered is what RADIUS servers are asked and answer, in AVPs of the same vendors and numbers.
"""

from pmip_tw.aaa.diameter import answers
from pmip_tw.aaa.diameter.access import Asker, aar, as_avps
from pmip_tw.aaa.diameter.answers import Denied, Failed, Granted
from pmip_tw.aaa.diameter.node import Outcome
from pmip_tw.aaa.node_keys import KeyAnswer, KeyQuestion, KeyRefused, KeyUnavailable
from pmip_tw.aaa.profiles.key_mapping import key_answer, vendor_values
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.aaa.profiles.said import Said
from pmip_tw.secret import Secret
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avp
from pmip_tw.wire.diameter.codes import NO_STATE_MAINTAINED, AuthRequestType, Code
from pmip_tw.wire.diameter.message import Message


def key_request(question: KeyQuestion, session: str, asker: Asker) -> Message:
    """No session comes of it: the server is told to keep none (RFC 6733 8.11)."""
    return aar(
        session,
        asker,
        AuthRequestType.AUTHORIZE_ONLY,
        avps.octets(Code.USER_NAME, question.nai),
        avps.unsigned32(Code.AUTH_SESSION_STATE, NO_STATE_MAINTAINED),
        *as_avps(asker.nas.attributes),
        *(
            Avp(code=attribute.number, vendor=attribute.vendor, data=value, mandatory=False)
            for attribute, value in vendor_values(question)
        ),
    )


def key_answer_in(outcome: Outcome, question: KeyQuestion, rules: ProfileRules) -> KeyAnswer:
    """What became of asking."""
    reading = answers.read(outcome)
    match reading:
        case Granted():
            return key_answer(Said(reading.attributes, Secret, fragmented=False), question, rules)
        case Denied():
            return KeyRefused(reading.cause)
        case Failed():
            return KeyUnavailable(reading.cause)
        case _:
            return KeyRefused("the server asks for more (1001), to which an LMA has no answer")
