"""What was written for people has no secret in it."""

from collections.abc import Iterable

from pmip_tw.lab.report import Result
from pmip_tw.lab.world import World


def judge_secrecy(made: World, result: Result, more: Iterable[str] = ()) -> None:
    """No log of ours and no table has a node's key, or one of ``more``, as text or in hexadecimal."""
    secrets = [*(subscriber.key_text for subscriber in made.subscribers), *more]
    forms = [*secrets, *(secret.encode().hex() for secret in secrets)]
    written = [*made.directory.glob("*.log"), *made.directory.glob("*-tables.json")]
    leaks = [path.name for path in written if any(form in path.read_text(errors="replace") for form in forms)]
    result.check("no key in any log", not leaks, ", ".join(leaks) or f"{len(written)} files")
