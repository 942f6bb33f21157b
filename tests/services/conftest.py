"""The example configurations and the network that they describe."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.namespaces import private_network
from tests.programs import require
from tests.services.daemons import CONF, LMA_ADDRESS, MAG_ADDRESS, shell


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The examples, fit for a private network: the user file as AAA, sockets and journals in the test's folder."""
    lma = (CONF / "lma.toml").read_text()
    lma = lma.replace('# control = "/run', f'control = "{tmp_path}')
    lma = lma.replace('# store = "/var/lib/pmip', f'store = "{tmp_path}')
    (tmp_path / "lma.toml").write_text(lma)
    mag = (CONF / "mag.toml").read_text()
    mag = mag.replace('# control = "/run', f'control = "{tmp_path}')
    mag = mag.replace('# store = "/var/lib/pmip', f'store = "{tmp_path}')
    mag = re.sub(r"\[\[mag\.radius\.servers\]\].*", '[mag.local]\nusers = "users.toml"\n', mag, flags=re.S)
    (tmp_path / "mag.toml").write_text(mag)
    (tmp_path / "users.toml").write_text((CONF / "users.toml").read_text())
    return tmp_path


@pytest.fixture
def links() -> Iterator[None]:
    """A network with the addresses and interfaces that the examples name."""
    require("nft", "ip")
    with private_network():
        for command in (
            "ip link add core type veth peer name far",
            f"ip addr add {LMA_ADDRESS}/24 dev core",
            f"ip addr add {MAG_ADDRESS}/24 dev core",
            "ip link set core up",
            "ip link set far up",
            "ip link add eth1 type veth peer name host",
            "ip link set eth1 up",
            "ip link set host up",
        ):
            shell(command)
        yield
