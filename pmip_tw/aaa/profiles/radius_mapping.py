"""What a verified answer of a RADIUS server means for the node that it is about."""

from pmip_tw.aaa.dictionaries import standard
from pmip_tw.aaa.profiles.mapping import profile_of
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.aaa.profiles.said import Said
from pmip_tw.aaa.verdicts import Accept, Reject, Verdict
from pmip_tw.errors import AccessDenied
from pmip_tw.wire.radius import Answer, Attributes, Code
from pmip_tw.wire.salt_cipher import SaltCipher


def verdict_of(answer: Answer, cipher: SaltCipher, *, user_name: str, rules: ProfileRules) -> Verdict:
    """What ``answer`` means for the node that was asked about as ``user_name``.

    ``cipher`` is keyed with the secret and authenticator of the request.
    """
    if answer.code is Code.ACCESS_REJECT:
        return Reject(refusal_in(answer.attributes))
    if answer.code is Code.ACCESS_CHALLENGE:
        return Reject(
            "the server asks for a challenge; MAC authentication has no answer to one - allow PAP there"
        )
    try:
        return Accept(profile_of(Said(answer.attributes, cipher.decrypt), rules, user_name))
    except AccessDenied as denied:
        return Reject(str(denied))


def refusal_in(found: Attributes, whom: str = "this MAC") -> str:
    """The words of an Access-Reject. Nothing else of it is used: a careless server leaves keys and Class in it."""
    text = b" ".join(found.all(standard.REPLY_MESSAGE.number)).decode(errors="replace")
    shown = "".join(character for character in text if character.isprintable()).strip()
    return f'the AAA server rejects {whom}: "{shown}"' if shown else f"the AAA server rejects {whom}"
