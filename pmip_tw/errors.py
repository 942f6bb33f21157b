"""One tree of errors; the text of each says what is wrong, where, and what to do."""


class PmipError(Exception):
    """Anything that pmip_tw reports as an error."""


class ConfigurationError(PmipError):
    """The configuration cannot be used; one line for each mistake.

    ``mistakes`` is a tuple of "file:line:column: text" strings.
    """

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class WireError(PmipError):
    """Octets that are not the message they should be.

    ``reason`` is a stable lower-case word for counters; ``offset`` the octet where decoding stopped.
    """

    reason = "malformed"

    def __init__(self, text: str, offset: int = 0) -> None:
        super().__init__(f"{text} (octet {offset})")
        self.offset = offset


class Truncated(WireError):
    """The message ends before the value does."""

    reason = "truncated"


class Malformed(WireError):
    """A field holds what its format does not allow."""

    reason = "malformed"


class UnrecognizedNonSkippable(WireError):
    """An unknown extension of type 0-127: the whole message is discarded (RFC 5944 1.8, E1)."""

    reason = "unrecognized-non-skippable"


class AccessDenied(PmipError):
    """AAA refused the mobile node."""


class PortInUse(PmipError):
    """Another program has the port; it may give it up."""


class ForwardingError(PmipError):
    """The packet plane could not do ``operation`` on ``subject``; ``errno`` as the kernel gave it, or 0."""

    def __init__(self, operation: str, subject: str, text: str, errno: int = 0) -> None:
        super().__init__(f"{operation} {subject}: {text}")
        self.operation = operation
        self.subject = subject
        self.errno = errno


class AddressInTunnel(ForwardingError):
    """The home address is another node's in the same tunnel, so that nobody could tell whose packets come out (P45)."""


class StoreError(PmipError):
    """What outlives the process cannot be read or written: which ``file``, what is wrong, and what to do."""

    def __init__(self, file: str, text: str) -> None:
        super().__init__(f"{file}: {text}")
        self.file = file
