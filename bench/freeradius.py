"""FreeRADIUS at its best: PAP, one module, one thread (``-s``), nothing logged; and what is asked of it."""

from collections.abc import Sequence
from hashlib import md5
from itertools import count
from struct import Struct

from bench.generator import Clients
from bench.server import Server
from bench.world import Place, add_address, address, mags_of
from pmip_tw.addresses import ipv4_text

PORT = 1812
CLIENTS = 8
"""Sockets: RADIUS has 256 identifiers for each."""

WINDOW = 200
"""Messages: what its socket has room for where the kernel allows no larger buffer."""

SECRET = "testing123"
_SECRET = SECRET.encode()
_PASSWORD = b"hello"
_USERS = 100
_ACCEPT = 2
_HEADER = Struct("!BBH16s")

_CONFIGURATION = """\
prefix = /usr
libdir = /usr/lib/freeradius
name = radiusd
raddbdir = {directory}
logdir = {directory}
run_dir = {directory}
max_request_time = 5
cleanup_delay = 0
max_requests = 65536
hostname_lookups = no
proxy_requests = no
log {{
    destination = stdout
    auth = no
}}
security {{
    allow_core_dumps = no
    max_attributes = 200
    reject_delay = 0
    status_server = no
}}
client bench {{
    ipaddr = {clients}
    secret = {secret}
    require_message_authenticator = no
}}
modules {{
    pap {{
        normalise = no
    }}
    files {{
        filename = {directory}/users
    }}
}}
server default {{
    listen {{
        type = auth
        ipaddr = {address}
        port = {port}
        recv_buff = 4194304
    }}
    authorize {{
        files
        pap
    }}
    authenticate {{
        Auth-Type PAP {{
            pap
        }}
    }}
{more}
}}
"""

SIGNED = """\
    post-auth {
        update reply {
            &Message-Authenticator := 0x00
        }
    }
"""
"""It signs what it accepts; ``more`` of its configuration."""


class FreeRadius:
    """Server ``number`` of the world."""

    name = "FreeRADIUS PAP -s"
    program = "freeradius"

    def __init__(
        self,
        place: Place,
        number: int,
        *,
        users: str | None = None,
        clients: str = "198.51.100.0/24",
        more: str = "",
    ) -> None:
        """``users``: its file of them, those of ``AccessRequests`` if None. ``clients``: where it is asked from."""
        self.address = address(number)
        self._clients = mags_of(number)
        self.directory = place.directory / "freeradius"
        self.directory.mkdir(mode=0o700)
        self._core = place.cores.server
        for one in (self.address, *self._clients):
            add_address(one)
        text = _CONFIGURATION.format(
            directory=self.directory,
            secret=SECRET,
            address=ipv4_text(self.address),
            port=PORT,
            clients=clients,
            more=more,
        )
        known = users or "".join(
            f'{_user(user).decode()} Cleartext-Password := "{_PASSWORD.decode()}"\n' for user in range(_USERS)
        )
        (self.directory / "radiusd.conf").write_text(text)
        (self.directory / "dictionary").write_text("# The system's dictionaries are read first.\n")
        (self.directory / "users").write_text(known)
        self.server: Server
        self.requests = AccessRequests()

    def start(self) -> None:
        """ServerError: it does not come up."""
        log = self.directory.with_suffix(".log")
        directory = str(self.directory)
        command = [self.program, "-f", "-s", "-l", "stdout", "-n", "radiusd", "-d", directory]
        self.server = Server(self.name, command, log=log, core=self._core)
        self.server.wait_until_said("Ready to process requests", within=30)

    def clients(self) -> Clients:
        return Clients((self._clients * CLIENTS)[:CLIENTS], self.address, PORT)


class AccessRequests:
    """Access-Requests of PAP; each has an authenticator of its own, so that none looks like a repetition."""

    def __init__(self) -> None:
        self._number = count()
        self._asked: dict[tuple[int, int], bytes] = {}

    def next(self, number: int) -> tuple[list[bytes], list[int]]:
        """So many, and by which client each goes."""
        messages, via = [], []
        for _ in range(number):
            sequence = next(self._number)
            client, identifier = sequence % CLIENTS, sequence // CLIENTS % 256
            messages.append(_access_request(identifier, sequence))
            via.append(client)
        return messages, via

    @staticmethod
    def accepted(replies: Sequence[bytes]) -> int:
        return sum(reply[0] == _ACCEPT for reply in replies)

    @staticmethod
    def authentic(reply: bytes, requests: Sequence[bytes]) -> bool:
        """Whether it answers one of ``requests`` (those with its identifier), by its response authenticator."""
        given = reply[4:20]
        return any(
            md5(reply[:4] + request[4:20] + reply[20:] + _SECRET).digest() == given for request in requests
        )


def _user(number: int) -> bytes:
    return b"n%07d@bench.example" % number


def _access_request(identifier: int, sequence: int) -> bytes:
    authenticator = md5(b"%d" % sequence).digest()
    hidden = bytes(
        one ^ other
        for one, other in zip(_PASSWORD.ljust(16, b"\0"), md5(_SECRET + authenticator).digest(), strict=True)
    )
    name = _user(sequence % _USERS)
    attributes = b"".join(
        (
            bytes((1, 2 + len(name))),
            name,
            bytes((2, 2 + len(hidden))),
            hidden,
            bytes((4, 6, 198, 51, 100, 1)),  # NAS-IP-Address
        )
    )
    return _HEADER.pack(1, identifier, 20 + len(attributes), authenticator) + attributes
