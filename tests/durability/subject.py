"""An LMA that can be killed and started again, as the trials see it."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Protocol

from bench.nodes import REALM, SPI, key, nai
from pmip_tw.addresses import Ipv4, ipv4, ipv4_text
from tests.durability.seen import Row

HOLD = 60
"""Seconds for which an address is kept for who had it: short, so that it ends during a run, too."""

MAX_LIFETIME = 60


class Subject(Protocol):
    """One that does not run yet."""

    @property
    def address(self) -> Ipv4:
        """Where it takes requests."""

    @property
    def mags(self) -> Sequence[Ipv4]:
        """Where they come from, each an address of this world."""

    def start(self) -> None:
        """Returns when it is ready. ServerError: it does not come up."""

    def start_and_kill(self, after: float) -> None:
        """Start it, and kill it after so many seconds, ready or not."""

    def kill(self) -> None:
        """All of it, at once and without a word."""

    def strike(self, random: Random) -> None:
        """The same with a part of it, drawn by lot, if it is several processes; with all of it if it is one."""

    def bindings(self) -> list[Row]:
        """What it shows to its operator."""

    def check(self) -> str:
        """What ``pmipctl store check`` has against its journal, beside it; "" if nothing."""

    def keep(self, where: Path) -> None:
        """Make a directory with a copy of what a restart will find."""


def configure(
    directory: Path, nodes: int, *, address: Ipv4, journal: Path, control: Path, settings: str = ""
) -> Path:
    """Write the settings of an LMA that serves so many ``nodes``; the file's path. ``settings``: further lines."""
    with (directory / "nodes.csv").open("w") as file:
        file.write("nai,spi,key\n")
        file.writelines(f"{nai(node).decode()},{SPI},hex:{key(node).hex()}\n" for node in range(nodes))
    path = directory / "lma.toml"
    path.write_text(
        f"[lma]\n"
        f'address = "{ipv4_text(address)}"\n'
        f'identity = "lma.{REALM}"\n'
        f'store = "{journal}"\n'
        f'control = "{control}"\n'
        f'mobile_nodes_file = "nodes.csv"\n'
        f"max_lifetime = {MAX_LIFETIME}\n"
        f"address_hold = {HOLD}\n"
        f"handover_min_interval = 0\n"
        # Old requests are refused because they are old, not because of the time in them.
        f"timestamp_window = {MAX_LIFETIME}\n"
        f"{settings}"
        f"[[lma.pools]]\n"
        f'prefix = "10.0.0.0/{_prefix_length(nodes)}"\n'
        f'realms = ["{REALM}"]\n'
    )
    for file_with_keys in (path, directory / "nodes.csv"):
        file_with_keys.chmod(0o600)
    return path


def _prefix_length(nodes: int) -> int:
    """Of a pool that has not many more addresses: one that is given away wrongly will soon be somebody's."""
    return 32 - (nodes + nodes // 4 + 3).bit_length()


def rows_of(shown: Sequence[dict[str, Any]], mags: Sequence[Ipv4]) -> list[Row]:
    """What ``pmipctl show bindings --json`` has as rows."""
    numbers = {ipv4_text(mag): number for number, mag in enumerate(mags)}
    return [
        Row(
            node=int(row["nai"][1:8]),
            home_address=ipv4(row["home_address"]),
            mag=numbers[row["mag"]],
            remaining=row["remaining"],
        )
        for row in shown
    ]
