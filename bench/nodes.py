"""The mobile nodes of a benchmark: each has a key of its own, and none of this has to be remembered."""

from collections.abc import Iterable
from hashlib import md5
from hmac import digest
from pathlib import Path

REALM = "bench.example"
SPI = 4096
AUTHENTICATOR = 16
"""Octets of HMAC-MD5."""


def nai(node: int) -> bytes:
    """22 octets, whoever it is."""
    return b"n%07d@%b" % (node, REALM.encode())


def node_in(message: bytes) -> int:
    """Whose NAI it carries."""
    at = message.index(b"@" + REALM.encode())
    return int(message[at - 7 : at])


def key(node: int) -> bytes:
    """16 octets that nobody else has."""
    return md5(b"key of node %d" % node).digest()


def sign(node: int, covered: bytes) -> bytes:
    """``covered``, which ends with the SPI of the authenticator, and the authenticator."""
    return covered + digest(key(node), covered, "md5")


def is_authentic(message: bytes) -> bool:
    """Whether its last extension is the authenticator of the node whose NAI is in it."""
    return sign(node_in(message), message[:-AUTHENTICATOR]) == message


def write_nodes(path: Path, nodes: Iterable[int]) -> None:
    """The file that ``mobile_nodes_file`` names."""
    with path.open("w") as file:
        file.write("nai,spi,key\n")
        file.writelines(f"{nai(node).decode()},{SPI},hex:{key(node).hex()}\n" for node in nodes)
    path.chmod(0o600)
