"""Where a journal lies: a file that is ours alone, in a directory that others cannot change."""

import fcntl
import os
import stat
from errno import ELOOP, EROFS
from pathlib import Path

from pmip_tw.errors import StoreError

BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside its file while it is open: the log of commits, and its index."""

SMALLEST = 512
"""Octets of a page: SQLite would take what is much smaller for empty, and overwrite it."""

_LOCKS = Path("/proc/locks")

_THERE = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
"""No link is followed: SQLite has its files beside what it points to, and we would look for them beside the link."""

_Identity = tuple[int, int]
"""Device and inode: what a file is, whatever it is called."""


class Place:
    """The file at ``path``, held by one process from ``claim`` to ``release``."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor: int | None = None
        self._files: dict[str, _Identity] = {}

    def claim(self) -> None:
        """Make the file if there is none, with mode 0600, and lock it for this process; StoreError: why not.

        The lock ends with the process, however that ends.
        """
        self._prepare_directory()
        try:
            descriptor = os.open(self.path, _THERE | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(self.path, _cannot_open(self.path, error)) from error
        # Closed only after SQLite is: closing any descriptor of a file ends the locks that SQLite has on it.
        self._descriptor = descriptor
        try:
            self._examine(descriptor)
            self._lock(descriptor)
            self._examine_beside()
            os.fsync(descriptor)
            sync_directory(self.path)
        except BaseException:
            self.release()
            raise

    def _prepare_directory(self) -> None:
        directory = os.path.dirname(os.path.abspath(self.path))
        if os.path.lexists(directory) and not os.path.isdir(directory):
            what = "a link to nothing" if os.path.islink(directory) else "no directory"
            raise StoreError(self.path, f"{directory} is {what}: name another path in 'store'")
        try:
            if not os.path.isdir(directory):
                os.mkdir(directory, 0o700)
            mode = os.stat(directory).st_mode
        except OSError as error:
            raise StoreError(
                self.path,
                f"its directory cannot be used ({error.strerror}): create {directory} for the daemon's user,"
                " or name another path in 'store'",
            ) from error
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise StoreError(self.path, f"anybody may change its directory: chmod o-w {directory}")

    def _examine(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        self._require_ours(self.path, found)
        if 0 < found.st_size < SMALLEST:
            raise StoreError(self.path, "is no journal: move it away, or name another path in 'store'")
        if stat.S_IMODE(found.st_mode) != 0o600:
            os.fchmod(descriptor, 0o600)

    def _examine_beside(self) -> None:
        """What a crash has left, or somebody has put there with the file."""
        for path in (f"{self.path}{beside}" for beside in BESIDE):
            try:
                descriptor = os.open(path, _THERE)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StoreError(path, _cannot_open(path, error)) from error
            try:
                self._require_ours(path, os.fstat(descriptor))
                os.fchmod(descriptor, 0o600)
            finally:
                os.close(descriptor)

    @staticmethod
    def _require_ours(path: str, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise StoreError(path, "is no file: name another path in 'store'")
        if os.geteuid() not in (found.st_uid, 0):
            raise StoreError(
                path, "belongs to another user: chown it to the daemon's, or name another path in 'store'"
            )

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            process = holder(self.path)
            who = f"process {process}" if process else "another process"
            raise StoreError(
                self.path, f"is in use by {who}: stop that daemon, or name another path in 'store'"
            ) from None
        except OSError as error:
            raise StoreError(
                self.path, f"cannot be locked ({error.strerror}): it needs a local disk"
            ) from error

    def remember(self) -> None:
        """The files as they are now are those that must stay; to be called when SQLite has written to them."""
        for path in (self.path, f"{self.path}{BESIDE[0]}"):
            self._files[path] = _identity(path)

    def require_files(self) -> None:
        """StoreError: a file was removed or replaced since ``remember``; what is written is not found any more."""
        for path, identity in self._files.items():
            try:
                there = _identity(path) == identity
            except OSError:
                there = False
            if not there:
                raise StoreError(
                    path,
                    "was removed or replaced while in use: put it back, or restart the daemon to begin anew",
                )

    def release(self) -> None:
        """Let go; SQLite must have closed the file. Idempotent."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def holder(path: str) -> int | None:
    """The process that has claimed ``path``; None if there is none, or it cannot be seen from here."""
    try:
        found = os.stat(path)
        locks = _LOCKS.read_text().splitlines()
    except OSError:
        return None
    name = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    for line in locks:  # 1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF
        words = line.split()
        if words[1:2] == ["FLOCK"] and words[5:6] == [name] and words[4].isdigit():
            return int(words[4]) or None
    return None


def _identity(path: str) -> _Identity:
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _cannot_open(path: str, error: OSError) -> str:
    if error.errno == ELOOP and os.path.islink(path):
        return f"is a symbolic link: name what it points to ({os.path.realpath(path)}) in 'store'"
    if isinstance(error, IsADirectoryError):
        return "is a directory: name a file in it in 'store'"
    if isinstance(error, PermissionError):
        return "permission denied: it and its directory must belong to the daemon's user"
    if error.errno == EROFS:
        return "its file system is read-only: mount it with rw, or name another path in 'store'"
    return f"cannot be opened ({error.strerror}): mend that, or name another path in 'store'"


def sync_directory(path: str) -> None:
    """A new file is found after a power failure only if its directory was written, too."""
    descriptor = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
