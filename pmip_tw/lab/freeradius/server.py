"""A private FreeRADIUS 3.2 that knows the laboratory's mobile nodes.

It does MAC authentication (AA24) and 802.1X, gives each node's LMA address, SPI and MN-HA key, answers an LMA that asks
for a key, and keeps accounting records. Its configuration is one directory; the system's own raddb is neither read
nor changed.
"""

import os
import pwd
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template
from typing import Final

from pmip_tw.lab.freeradius import users as who
from pmip_tw.lab.freeradius.modules import modules
from pmip_tw.lab.freeradius.sites import sites
from pmip_tw.lab.freeradius.tls import Tls
from pmip_tw.lab.freeradius.users import RadiusUser, quotable
from pmip_tw.lab.freeradius.wimax_keys import PERL

PROGRAM: Final = "freeradius"
ACCOUNT: Final = "freerad"
"""The account that Debian's package makes."""

_RADIUSD: Final = Template("""\
prefix = /usr
libdir = /usr/lib/freeradius
name = radiusd
raddbdir = $directory
logdir = $directory
run_dir = $directory
max_request_time = 5
cleanup_delay = 2
max_requests = 4096
hostname_lookups = no
proxy_requests = no
log {
    destination = stdout
    auth = yes
}
security {
    allow_core_dumps = no
    max_attributes = 200
    reject_delay = $reject_delay
    status_server = yes
}
client lab {
    ipaddr = $clients
    secret = "$secret"
    require_message_authenticator = yes
    nas_type = other
}
thread pool {
    start_servers = 2
    max_servers = 4
    min_spare_servers = 1
    max_spare_servers = 2
    max_requests_per_server = 0
}
""")

_REJECTED: Final = """\
DEFAULT
    EAP-Message =* ANY,
    State =* ANY,
    Message-Authenticator =* ANY,
    Error-Cause =* ANY,
    Reply-Message =* ANY,
    Proxy-State =* ANY
"""


class FreeRadius:
    """One server: write its directory, run ``argv()`` with the output in ``debug_log``, wait until ``ready``.

    ``directory`` is made by ``write`` and belongs to this server alone. Accounting is on the port after ``port``.
    ``clients``: the prefix that requests may come from ("198.51.100.0/24"). ``reject_delay``: seconds that a refusal
    is held back. ``tls``: for EAP by certificates and RADIUS over TLS; without it there is EAP-MD5. ValueError for a
    value that cannot be written between quotes.
    """

    def __init__(
        self,
        *,
        directory: Path,
        address: str,
        port: int,
        secret: str,
        clients: str,
        users: Sequence[RadiusUser],
        reject_delay: float = 0,
        tls: Tls | None = None,
    ) -> None:
        quotable("the shared secret", secret)
        for user in users:
            user.check()
        self.directory = directory
        self.address = address
        self.port = port
        self.clients = clients
        self.users = tuple(users)
        self.reject_delay = reject_delay
        self.tls = tls
        self._secret = secret

    @property
    def debug_log(self) -> Path:
        """Where the caller puts the program's standard output: beside the directory."""
        return self.directory.with_name(f"{self.directory.name}.log")

    @property
    def detail(self) -> Path:
        """The accounting records, see ``records``; there is no such file before the first."""
        return self.directory / "detail"

    @property
    def attachments(self) -> Path:
        """Who was accepted, see ``attachments``; there is no such file before the first."""
        return self.directory / "attachments"

    def write(self) -> None:
        """Make the directory and its files, readable by the account that the server will run as. What a server
        has written there before is kept."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text in self._files():
            path = self.directory / name
            path.touch(mode=0o600)
            path.write_text(text)
        if self.tls is not None:
            self.tls.write(self.directory)
        account = self._account()
        if account is not None:
            for path in (self.directory, *self.directory.iterdir()):
                os.chown(path, account.pw_uid, account.pw_gid)

    def argv(self) -> list[str]:
        """The command, which stays in the foreground and logs to standard output."""
        command = [PROGRAM, "-f", "-l", "stdout", "-n", "radiusd", "-d", str(self.directory)]
        if self._account() is None:
            return command
        return ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups", *command]

    @staticmethod
    def ready(log_text: str) -> bool:
        """Whether the server takes requests, by what it has logged so far."""
        return "Ready to process requests" in log_text

    def _files(self) -> Iterator[tuple[str, str]]:
        directory, tls = str(self.directory), self.tls
        main = _RADIUSD.substitute(
            directory=directory,
            clients=self.clients,
            secret=self._secret,
            reject_delay=f"{self.reject_delay:g}",
        )
        main += modules(directory, tls) + sites(self.address, self.port, certificates=tls is not None)
        yield (
            "radiusd.conf",
            main + ("" if tls is None else tls.listener(directory, self.address, self.clients)),
        )
        yield "dictionary", "# The system's dictionaries are read first.\n"
        yield "rejected", _REJECTED
        yield "users", who.credentials(self.users)
        yield "mobility", who.mobility(self.users)
        yield "keys", who.keys(self.users)
        yield "wimax_keys.pl", PERL

    def _account(self) -> pwd.struct_passwd | None:
        """Whom the server runs as instead of root; None to run as whoever we are."""
        if os.geteuid() != 0 or shutil.which("setpriv") is None:
            return None
        try:
            account = pwd.getpwnam(ACCOUNT)
        except KeyError:
            return None
        if not _is_mapped(account.pw_uid):
            return None
        # Every directory above ours must let that account pass.
        if any(parent.exists() and not parent.stat().st_mode & 0o001 for parent in self.directory.parents):
            return None
        return account


def _is_mapped(uid: int) -> bool:
    """Whether ``uid`` exists in our user namespace (a rootless laboratory usually maps root alone)."""
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        inside, _, count = (int(number) for number in line.split())
        if inside <= uid < inside + count:
            return True
    return False
