"""A private world to run in: own mounts, network, processes and, without root, own users.

Nothing that happens inside touches the machine: interface and namespace names cannot collide, a DHCP client writes
into a copy of /etc, and everything dies with the first process inside, which dies with the process that made it.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from pmip_tw.errors import PmipError

_LIBC = ctypes.CDLL(None, use_errno=True)

# linux/sched.h
_NEWNS, _NEWUSER, _NEWPID, _NEWNET = 0x00020000, 0x10000000, 0x20000000, 0x40000000
# sys/mount.h
_NOSUID, _NODEV, _NOEXEC, _BIND, _REC, _PRIVATE = 0x2, 0x4, 0x8, 0x1000, 0x4000, 0x40000
_SET_PARENT_DEATH_SIGNAL = 1

INTERRUPTED = 130
"""Exit status after Ctrl-C."""


def ending_signals() -> tuple[signal.Signals, ...]:
    """What ends a run, and takes everything down. SIGINT even where it is inherited as ignored, as by ``&`` in a
    script: whoever sends it then means us. SIGHUP not where ``nohup`` had it ignored."""
    hung_up = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    return (signal.SIGINT, signal.SIGTERM, *hung_up)


class NotIsolated(PmipError):
    """No private world can be made on this machine; the text says what is missing."""


def run_isolated(inside: Callable[[], int]) -> int:
    """Call ``inside`` as the first process of a private world and give its exit status.

    SIGINT and SIGTERM are passed on to it; when it ends, every process it started is killed and every namespace
    disappears. If this process dies in any way, so does the world. Raises NotIsolated before anything is started.
    """
    uid, gid = os.getuid(), os.getgid()
    rootless = os.geteuid() != 0
    sys.stdout.flush()
    sys.stderr.flush()
    outcome, outcome_in = os.pipe()
    maker = os.fork()
    if maker == 0:
        # A process of its own, because namespaces once left cannot be entered again.
        os.close(outcome)
        status = 1
        try:
            status = _make_world(inside, outcome_in, uid, gid, rootless=rootless)
        except BaseException:
            # Nothing may unwind into the code of the process that we are a copy of.
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    os.close(outcome_in)

    def pass_on(number: int, _: FrameType | None) -> None:
        os.kill(maker, number)

    before = {number: signal.signal(number, pass_on) for number in ending_signals()}
    try:
        trouble = _read_all(outcome)
        _, status = os.waitpid(maker, 0)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if trouble:
        raise NotIsolated(trouble)
    return os.waitstatus_to_exitcode(status)


def _make_world(inside: Callable[[], int], outcome: int, uid: int, gid: int, *, rootless: bool) -> int:
    _die_with_parent()
    try:
        _unshare(_NEWNS | _NEWNET | _NEWPID | (_NEWUSER if rootless else 0))
        if rootless:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
            Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    except OSError as error:
        how = "a user namespace" if rootless else "namespaces, although root"
        os.write(
            outcome,
            f"this machine does not let us make {how} ({error.strerror}); run as root, or allow unprivileged user "
            f"namespaces (sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, "
            f"user.max_user_namespaces)".encode(),
        )
        return 1
    first = os.fork()
    if first == 0:
        _die_with_parent()
        try:
            _furnish()
        except OSError as error:
            where = error.filename or "the private mounts"
            advice = "; run as root" if rootless else ""
            os.write(outcome, f"cannot prepare {where}: {error.strerror}{advice}".encode())
            return 1
        os.close(outcome)
        return inside()
    os.close(outcome)

    def pass_on(number: int, _: FrameType | None) -> None:
        os.kill(first, number)

    for number in ending_signals():
        signal.signal(number, pass_on)
    _, status = os.waitpid(first, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _furnish() -> None:
    """Mounts of our own: /proc for our processes, /sys for our network, and places that programs may write to."""
    _mount("none", "/", None, _REC | _PRIVATE)
    _mount("proc", "/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    _mount("sysfs", "/sys", "sysfs", _NOSUID | _NODEV | _NOEXEC)
    _mount("tmpfs", "/run", "tmpfs", _NOSUID | _NODEV, "mode=755")
    for name in ("netns", "lock", "upper", "work"):
        Path("/run", name).mkdir()
    # What a DHCP client writes: resolv.conf beside its templates in /etc, and its leases.
    try:
        _mount("overlay", "/etc", "overlay", 0, "lowerdir=/etc,upperdir=/run/upper,workdir=/run/work")
    except OSError:  # not every kernel has it, and not every one lets ordinary users have it
        _copy("/etc")
    # An ordinary user is root here, but not the owner of what the overlay shows.
    if Path("/etc/dhcp").is_dir():
        _copy("/etc/dhcp")
    # Where access control lets DHCP clients and servers write.
    for place in ("/var/lib/dhcp", "/var/lib/kea", "/etc/kea"):
        if Path(place).is_dir():
            _mount("tmpfs", place, "tmpfs", _NOSUID | _NODEV, "mode=755")


def _copy(place: str) -> None:
    """A copy of a directory in memory, as far as we may read it, in its place."""
    copy = Path("/run/copies", place.strip("/").replace("/", "-"))
    with contextlib.suppress(shutil.Error):  # tells of every file that could not be read, after all others
        shutil.copytree(place, copy, symlinks=True)
    _mount(str(copy), place, None, _BIND)


def _die_with_parent() -> None:
    _LIBC.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def _unshare(flags: int) -> None:
    if _LIBC.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    texts = [None if text is None else text.encode() for text in (source, target, kind)]
    if _LIBC.mount(*texts, ctypes.c_ulong(flags), None if options is None else options.encode()) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


def _read_all(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb") as pipe:
        return pipe.read().decode()
