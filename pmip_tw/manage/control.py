"""The control socket: one JSON object per line in each direction, over a unix socket that only its owner may use.

Requests are {"command": "show", "what": ...}, {"command": "trace", "key": ...}, {"command": "detach", "nai": ...}
and {"command": "revoke", "nai": ...}. Answers are {"role": ..., "rows": [...]}, {"role": ..., "result": {...}} or
{"error": "..."}.
"""

import json
import os
import socket
import stat
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorUNIX
from twisted.internet.protocol import Factory, connectionDone
from twisted.internet.unix import Server
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure

from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IOperations

LONGEST_REQUEST = 4096
"""Octets of one line; a longer one is answered with an error and ends the connection."""

MOST_CONNECTIONS = 32
"""One more, and the oldest is closed: programs that hang must not keep the operator out."""

PROBE_SECONDS = 1.0
FAILED = "the daemon failed to answer: its log says why"


class ControlSocket:
    """Serves ``operations`` at ``path`` with mode 0600."""

    def __init__(self, reactor: IReactorUNIX, path: str, operations: IOperations) -> None:
        self._reactor = reactor
        self._path = path
        self._operations = operations
        self._port: IListeningPort | None = None

    def start(self) -> None:
        """Listen. PmipError: a live daemon has the path, or it cannot be made; a dead one's socket is replaced."""
        _make_way(self._path)
        mask = os.umask(0o177)  # no moment in which others could connect
        try:
            self._port = self._reactor.listenUNIX(self._path, _ControlFactory(self._operations), mode=0o600)
        except CannotListenError as error:
            cause = error.socketError
            why = getattr(cause, "strerror", None) or cause
            raise PmipError(f"the control socket {self._path} cannot be made: {why}") from error
        finally:
            os.umask(mask)

    def stop(self) -> "Deferred[None]":
        """Stop listening and remove the socket; fires when that is done. Idempotent."""
        port, self._port = self._port, None
        return Deferred.fromCoroutine(_stopped(port))


async def _stopped(port: IListeningPort | None) -> None:
    stopping = port.stopListening() if port is not None else None
    if stopping is not None:
        # Twisted removes the socket's file; somebody may have done that before.
        with suppress(FileNotFoundError):
            await stopping


def _make_way(path: str) -> None:
    """Remove the socket of a daemon that is no more."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise PmipError(f"the control socket {path} cannot be made: {error.strerror}") from error
    if not stat.S_ISSOCK(mode):
        raise PmipError(f"{path} is there and is no socket: remove it, or name another path in 'control'")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(PROBE_SECONDS)
        try:
            probe.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            pass
        except OSError as error:
            raise PmipError(f"the control socket {path} is in use or unreachable: {error}") from error
        else:
            raise PmipError(f"another daemon answers on {path}: stop it, or name another path in 'control'")
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise PmipError(f"the dead control socket {path} cannot be removed: {error.strerror}") from error


class _ControlFactory(Factory):
    noisy = False

    def __init__(self, operations: IOperations) -> None:
        self._operations = operations
        # The oldest is the first.
        self._connected: dict[_ControlProtocol, Server] = {}

    def buildProtocol(self, addr: IAddress | None) -> "_ControlProtocol":
        return _ControlProtocol(self._operations, self._connected)


class _ControlProtocol(LineReceiver):
    """One operator's connection; requests are answered in order.

    Who does not read his answers is not asked for further requests: the transport pauses its producer.
    """

    delimiter = b"\n"
    MAX_LENGTH = LONGEST_REQUEST
    _log = Logger(namespace="pmip.control")

    def __init__(self, operations: IOperations, connected: "dict[_ControlProtocol, Server]") -> None:
        self._operations = operations
        self._connected = connected
        self._one_by_one = DeferredLock()

    def connectionMade(self) -> None:
        assert isinstance(self.transport, Server)
        self.transport.registerProducer(self, True)
        self._connected[self] = self.transport
        if len(self._connected) > MOST_CONNECTIONS:
            next(iter(self._connected.values())).abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._connected.pop(self, None)

    def lineReceived(self, line: bytes) -> None:
        self._one_by_one.run(lambda: Deferred.fromCoroutine(self._serve(line)))

    def lineLengthExceeded(self, line: bytes) -> None:
        self._send({"error": f"a request has at most {LONGEST_REQUEST} octets"})
        if self.transport is not None:
            self.transport.loseConnection()

    async def _serve(self, line: bytes) -> None:
        try:
            answer = await self._answer(line)
        except PmipError as error:
            answer = {"error": str(error)}
        except Exception:
            self._log.failure("a control request failed")
            answer = {"error": FAILED}
        self._send(answer)

    async def _answer(self, line: bytes) -> dict[str, Any]:
        request = _request(line)
        command = request.get("command")
        operations = self._operations
        if command in ("show", "trace"):
            name = "what" if command == "show" else "key"
            find = operations.show if command == "show" else operations.trace
            found = find(_argument(request, name))
            rows = await found if isinstance(found, Deferred) else found
            return {"role": operations.role, "rows": list(rows)}
        if command in ("detach", "revoke"):
            end = operations.detach if command == "detach" else operations.revoke
            ended = end(_argument(request, "nai"))
            result = await ended if isinstance(ended, Deferred) else ended
            return {"role": operations.role, "result": dict(result)}
        raise PmipError(f"unknown command {command!r}; there are show, trace, detach and revoke")

    def _send(self, answer: dict[str, Any]) -> None:
        try:
            line = json.dumps(answer, separators=(",", ":")).encode()
        except (TypeError, ValueError):
            self._log.failure("a control answer is no JSON")
            line = json.dumps({"error": FAILED}).encode()
        if self.transport is not None:
            self.transport.write(line + b"\n")


def _request(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        raise PmipError("a request is one JSON object on one line") from None
    if not isinstance(request, dict):
        raise PmipError("a request is one JSON object on one line")
    return request


def _argument(request: dict[str, Any], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not value:
        raise PmipError(f"{request['command']} needs {name!r}, a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PmipError(f"{value!r} is no text in UTF-8") from None
    return value
