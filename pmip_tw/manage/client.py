"""The operator's end of the control socket: one request, one answer. Imports nothing slow."""

import json
import os
import socket
import stat
from typing import Any

ANSWER_SECONDS = 15.0
_CHUNK = 1 << 16


class DaemonError(Exception):
    """No answer, or an error for an answer; the text is for the operator."""


class NotRunning(DaemonError):
    """Nobody listens at the path."""


class Refused(DaemonError):
    """The daemon answered, with an error."""


class BrokenOff(Exception):
    """What has been printed is not all, and says why not."""


def ask(path: str, request: dict[str, str]) -> dict[str, Any]:
    """The answer of the daemon whose control socket is ``path``: its "role" with "rows" or a "result"."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(path)
            connection.sendall(json.dumps(request).encode() + b"\n")
            line = _line(connection)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        if _is_other(path):
            raise DaemonError(f"{path} is no socket: name the 'control' socket of a daemon") from None
        raise NotRunning(f"no daemon is running at {path}") from None
    except PermissionError:
        raise DaemonError(f"{path}: permission denied; the daemon's own user or root may ask") from None
    except TimeoutError:
        raise DaemonError(f"{path}: no answer within {ANSWER_SECONDS:.0f} seconds") from None
    except (OSError, ValueError) as error:
        raise DaemonError(f"{path}: {error}") from None
    return _answer(path, line)


def _is_other(path: str) -> bool:
    """Whether something is at ``path`` that no daemon made."""
    try:
        return not stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False


def _line(connection: socket.socket) -> bytes:
    chunks = []
    while chunk := connection.recv(_CHUNK):
        chunks.append(chunk)
        if chunk.endswith(b"\n"):
            break
    return b"".join(chunks)


def _answer(path: str, line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise DaemonError(f"{path}: the daemon broke off its answer")
    if "error" in answer:
        raise Refused(str(answer["error"]))
    return answer
