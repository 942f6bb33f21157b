"""Real programs: started, listened to line by line, stopped by process id."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import IO

from pmip_tw.errors import PmipError


class ProgramError(PmipError):
    """A program did not do what the laboratory needs; the text has its name and its last words."""


def available(program: str) -> bool:
    """Whether the program is installed."""
    return shutil.which(program) is not None


class Program:
    """A running program. All its output goes, line by line, to ``log``; ``text`` is what it said so far."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self.started_ns = time.time_ns()
        self._process = process
        self._lines: list[str] = []
        self._spoke = asyncio.Event()
        self._reader = asyncio.create_task(self._read(log.open("w")))

    @classmethod
    async def start(cls, name: str, argv: Sequence[str], log: Path, **options: object) -> "Program":
        """Start ``argv`` with its output into ``log``. ProgramError if it cannot be started."""
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                # A pipe, not the file: mandatory access control may forbid a program our directory.
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                # A terminal's Ctrl-C is for us; we stop our programs in order.
                start_new_session=True,
                limit=1 << 24,
                **options,  # type: ignore[arg-type]
            )
        except OSError as error:
            raise ProgramError(f"{name}: cannot start {argv[0]}: {error.strerror}") from error
        return cls(name, process, log)

    async def _read(self, log: IO[str]) -> None:
        stream = self._process.stdout
        assert stream is not None
        with log:
            while octets := await stream.readline():
                line = octets.decode(errors="replace")
                self._lines.append(line.rstrip("\n"))
                log.write(line)
                log.flush()
                self._spoke.set()
        self._spoke.set()

    @property
    def text(self) -> str:
        return "\n".join(self._lines)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    async def said(self, pattern: str, *, within: float, since: int = 0) -> re.Match[str]:
        """The first line from number ``since`` on in which ``pattern`` is found, waiting up to ``within`` seconds.

        ProgramError: it ended before, or did not say it in time.
        """
        wanted = re.compile(pattern)
        looked_at = since
        try:
            async with asyncio.timeout(within):
                while True:
                    self._spoke.clear()
                    while looked_at < len(self._lines):
                        found = wanted.search(self._lines[looked_at])
                        if found:
                            return found
                        looked_at += 1
                    if self._reader.done():
                        raise ProgramError(
                            f"{self.name} ended before it said {pattern!r}{self._last_words()}"
                        )
                    await self._spoke.wait()
        except TimeoutError:
            raise ProgramError(
                f"{self.name} did not say {pattern!r} within {within:g} s{self._last_words()}"
            ) from None

    @property
    def lines(self) -> int:
        """How many lines it has said: a mark for ``said(since=)``."""
        return len(self._lines)

    async def ended(self, *, within: float) -> int:
        """Its exit status, once it has ended and all its output is read. ProgramError if it does not end in time."""
        try:
            async with asyncio.timeout(within):
                status = await self._process.wait()
                await asyncio.shield(self._reader)
                return status
        except TimeoutError:
            raise ProgramError(f"{self.name} did not end within {within:g} s{self._last_words()}") from None

    def send(self, number: signal.Signals) -> None:
        if self.running:
            self._process.send_signal(number)

    async def stop(self, number: signal.Signals = signal.SIGTERM, *, within: float = 5) -> int:
        """Ask it to end, and make it end if it does not, with all that it started; its exit status."""
        self.send(number)
        try:
            async with asyncio.timeout(within):
                await self._process.wait()
        except TimeoutError:
            self.send(signal.SIGKILL)
            await self._process.wait()
        with contextlib.suppress(ProcessLookupError):
            # Its session is its own; a child left behind would also keep the output open.
            os.killpg(self._process.pid, signal.SIGKILL)
        return await self.ended(within=5)

    def _last_words(self) -> str:
        words = [line for line in self._lines if line.strip()][-4:]
        return "".join(f"\n    {line[:160]}" for line in words)


async def run(argv: Sequence[str], *, within: float = 30) -> tuple[int, str, str]:
    """Run a short program to its end: exit status, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(within):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise ProgramError(f"{' '.join(argv)} did not end within {within:g} s") from None
    return process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace")


async def eventually(question: Callable[[], Awaitable[bool]], *, within: float, pause: float = 0.05) -> bool:
    """Ask until the answer is yes, or for ``within`` seconds; the last answer."""
    deadline = time.monotonic() + within
    while not (answer := await question()):
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(pause)
    return answer
