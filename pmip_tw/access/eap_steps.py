"""What an authenticator does, one step at a time, and how a conversation may end."""

from enum import Enum

import attrs


class Outcome(Enum):
    """How a conversation ended that was no success; the value is the word for counters."""

    REJECTED = "rejected"
    SILENT = "supplicant-silent"
    LOGGED_OFF = "logoff"
    UNAVAILABLE = "aaa-unavailable"
    ENDLESS = "endless"


@attrs.frozen(slots=True)
class Tell:
    """Send an EAP packet to the node. ``widely``: it has not answered the same before, and may listen elsewhere."""

    eap: bytes = attrs.field(repr=False)
    widely: bool = False


@attrs.frozen(slots=True)
class AskServer:
    """One Response for AAA. ``conversation``: as AAA has given it with what this answers, None at the beginning."""

    identity: bytes = attrs.field(repr=False)
    message: bytes = attrs.field(repr=False)
    conversation: object | None = attrs.field(repr=False)


@attrs.frozen(slots=True)
class Passed:
    """A step of the conversation, for observers: who spoke, of what method; never what was said."""

    name: str
    method: str
    identifier: int
    octets: int


@attrs.frozen(slots=True)
class Began:
    """The node is asked who it is, whatever went on; ``why``: a word for what brought that about."""

    why: str


@attrs.frozen(slots=True)
class Ignored:
    """Something from the node that changes nothing."""

    reason: str
    cause: str = ""


@attrs.frozen(slots=True)
class Ended:
    """The conversation is over without success."""

    outcome: Outcome
    cause: str


Step = Began | Tell | AskServer | Passed | Ignored | Ended
