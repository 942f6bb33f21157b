"""The LMA on a machine that loses its power: in User Mode Linux, whose kernel is a process, with a disk of its own.

A process that is killed leaves its page cache to the kernel, which writes it in time. Here the page cache is in the
guest's memory: when the guest is killed, what was not written to the disk is gone. The disk is a file of the host.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.server import Server, ServerError
from bench.world import Place, add_address, address, mags_of
from pmip_tw.addresses import Ipv4, ipv4_text
from tests.durability.child import Child
from tests.durability.process import TWISTD
from tests.durability.seen import Row
from tests.durability.subject import configure, rows_of

KERNEL = "linux.uml"
NEEDED = (KERNEL, "busybox", "mkfs.ext4", "cc", "ip")
"""Programs: Debian's user-mode-linux, busybox, e2fsprogs, gcc, iproute2."""

_HERE = Path(__file__).parent / "uml"
_CHECKOUT = Path(__file__).parents[2]

_DISK = 64 << 20
_MEMORY = "256M"
_JOURNAL = Path("/run/disk/journal/lma")
_SHOW_PORT, _CHECK_PORT = 4000, 4001
"""Of the guest: who connects is shown the bindings, or what is to be said about the journal."""

_TUNSETIFF = 0x400454CA  # linux/if_tun.h
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000


class LmaGuest(Child):
    """A ``Subject``: server ``number`` of the world. ``program``: what takes the arguments of twistd.

    ServerError: there can be no guest here; the text says why.
    """

    ready_within = 300.0
    """A guest takes several times as long for everything, and much longer on a busy machine."""

    def __init__(self, place: Place, number: int, nodes: int, *, program: Sequence[str] = TWISTD) -> None:
        missing = [name for name in NEEDED if shutil.which(name) is None]
        if missing:
            raise ServerError(f"not installed: {', '.join(missing)}; scripts/setup does that as root")
        self.address: Ipv4 = address(number)
        self.mags = mags_of(number)
        self._core = place.cores.server
        self._directory = place.directory / f"guest{number}"
        self._directory.mkdir()
        self._disk = self._directory / "disk"
        with self._disk.open("wb") as file:
            file.truncate(_DISK)
        subprocess.run(["mkfs.ext4", "-q", str(self._disk)], check=True)
        self._preload = self._directory / "xstate.so"
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O2", "-o", str(self._preload), str(_HERE / "xstate.c")], check=True
        )
        settings = configure(
            self._directory,
            nodes,
            address=self.address,
            journal=_JOURNAL,
            control=Path("/run/control"),
        )
        python = f"cd {_CHECKOUT}; export PYTHONPATH={_CHECKOUT} PYTHONDONTWRITEBYTECODE=1"
        pmipctl = Path(sys.executable).parent / "pmipctl"
        self._script("run", f"{python}; {' '.join(program)} -n --pidfile= pmip-lma --config {settings}")
        self._script("show", f"{python}; exec {pmipctl} --json --socket /run/control show bindings")
        self._script("check", f"{python}; exec {pmipctl} --json store check {_JOURNAL}")
        self._wire = _tap(f"uml{number}", self.address, self.mags)
        self._server: Server | None = None

    def _script(self, name: str, text: str) -> None:
        path = self._directory / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    @property
    def log(self) -> Path:
        """The console, since the last start."""
        return self._directory / "console"

    def begin(self) -> Server:
        self.log.unlink(missing_ok=True)
        os.set_inheritable(self._wire, True)
        network = ipv4_text(Ipv4(self.mags[0] & 0xFFFFFF00))
        argv = [
            KERNEL,
            f"mem={_MEMORY}",
            "rootfstype=hostfs",
            "rootflags=/",
            "rw",
            f"init={_HERE / 'init.sh'}",
            f"ubda={self._disk}",
            f"vec0:transport=fd,fd={self._wire},vec=0,mac=02:00:00:00:00:01",
            "con=null",
            "con0=null,fd:1",
            f"uml_dir={self._directory}",
            "quiet",
            f"durability={self._directory}",
            f"lma={ipv4_text(self.address)}",
            f"mags={network}/24",
        ]
        self._server = Server(
            "the guest",
            argv,
            log=self.log,
            core=self._core,
            environment={"LD_PRELOAD": str(self._preload)},
            passing=(self._wire,),
        )
        return self._server

    def kill(self) -> None:
        """The guest's kernel and everything in it."""
        assert self._server is not None
        os.killpg(self._server.pid, signal.SIGKILL)
        self._server.stop(signal.SIGKILL)

    def bindings(self) -> list[Row]:
        return rows_of(self._asked(_SHOW_PORT)["bindings"], self.mags)

    def check(self) -> str:
        return str(self._asked(_CHECK_PORT).get("error", ""))

    def _asked(self, port: int) -> dict[str, Any]:
        """What pmipctl prints in the guest, as JSON."""
        with socket.create_connection((ipv4_text(self.address), port), timeout=self.ready_within) as asking:
            answer: dict[str, Any] = json.loads(asking.makefile("rb").read())
        return answer

    def keep(self, where: Path) -> None:
        where.mkdir()
        shutil.copy(self._disk, where / "disk")


def _tap(name: str, lma: Ipv4, mags: Sequence[Ipv4]) -> int:
    """A network of this world and the guest: the guest's end."""
    try:
        wire = os.open("/dev/net/tun", os.O_RDWR)
    except OSError as error:
        raise ServerError(f"a guest needs a network: /dev/net/tun: {error.strerror}") from error
    fcntl.ioctl(wire, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
    for mag in mags:
        add_address(mag)
    subprocess.run(["ip", "link", "set", name, "up"], check=True)
    subprocess.run(["ip", "route", "add", ipv4_text(lma), "dev", name], check=True)
    return wire
