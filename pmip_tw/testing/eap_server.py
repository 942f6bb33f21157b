"""An EAP server that can be followed by eye, and a node's answers to it: EAP-MD5 (RFC 3748 5.4), which is not for use.

Conversations are told apart by State, as those of real servers.
"""

import hashlib
from collections.abc import Mapping

import attrs

from pmip_tw.errors import WireError
from pmip_tw.wire.eap import IDENTITY, Eap, EapCode

MD5 = 4
_CHALLENGE = bytes(range(16))


@attrs.frozen(slots=True)
class EapAnswer:
    """What the server says: REQUEST means that the conversation goes on, ``state`` is to be brought back."""

    code: EapCode
    message: bytes
    state: bytes = b""
    identity: bytes = b""


class EapServer:
    """``passwords``: by identity."""

    def __init__(self, passwords: Mapping[bytes, bytes]) -> None:
        self._passwords = dict(passwords)
        self._open: dict[bytes, bytes] = {}
        self._begun = 0

    def answer(self, message: bytes, state: bytes) -> EapAnswer:
        """To a node's response; ``state``: what the last answer said, empty at the beginning."""
        try:
            response = Eap.decode(message)
        except WireError:
            return _failure(0)
        if response.code is not EapCode.RESPONSE:
            return _failure(response.identifier)
        if response.kind == IDENTITY and not state:
            return self._challenge(response)
        identity = self._open.pop(state, None)
        password = None if identity is None else self._passwords.get(identity)
        if identity is None or password is None or response.kind != MD5:
            return _failure(response.identifier)
        if response.data != _hashed(response.identifier, password, _CHALLENGE):
            return _failure(response.identifier)
        success = Eap(code=EapCode.SUCCESS, identifier=response.identifier)
        return EapAnswer(EapCode.SUCCESS, success.encode(), identity=identity)

    def _challenge(self, response: Eap) -> EapAnswer:
        """Whoever calls itself by whatever name is asked: a stranger learns nothing."""
        self._begun += 1
        state = b"conversation %d" % self._begun
        self._open[state] = response.data
        identifier = (response.identifier + 1) % 256
        data = bytes((len(_CHALLENGE),)) + _CHALLENGE
        request = Eap(code=EapCode.REQUEST, identifier=identifier, kind=MD5, data=data)
        return EapAnswer(EapCode.REQUEST, request.encode(), state)


def identity_response(identity: bytes, identifier: int = 0) -> bytes:
    """A node's first words."""
    return Eap(code=EapCode.RESPONSE, identifier=identifier, kind=IDENTITY, data=identity).encode()


def md5_response(request: bytes, password: bytes) -> bytes:
    """A node's answer to the server's challenge."""
    asked = Eap.decode(request)
    challenge = asked.data[1 : 1 + asked.data[0]]
    data = _hashed(asked.identifier, password, challenge)
    return Eap(code=EapCode.RESPONSE, identifier=asked.identifier, kind=MD5, data=data).encode()


def _hashed(identifier: int, password: bytes, challenge: bytes) -> bytes:
    digest = hashlib.md5(bytes((identifier,)) + password + challenge, usedforsecurity=False).digest()
    return bytes((len(digest),)) + digest


def _failure(identifier: int) -> EapAnswer:
    return EapAnswer(EapCode.FAILURE, Eap(code=EapCode.FAILURE, identifier=identifier).encode())
