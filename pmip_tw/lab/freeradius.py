"""A private FreeRADIUS 3.2 that knows the laboratory's mobile nodes.

It does MAC authentication (AA24) and gives each node's LMA address, SPI and salt-encrypted MN-HA key in 3GPP2
attributes. Its configuration is one directory; the system's own raddb is neither read nor changed.
"""

import os
import pwd
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from pmip_tw.addresses import Ipv4, Mac, ipv4_text, mac, mac_text

PROGRAM = "freeradius"
ACCOUNT = "freerad"
"""The account that Debian's package makes."""

_QUOTABLE = re.compile(r"[A-Za-z0-9@._:/+=-]+")
"""What is written between double quotes without escapes: FreeRADIUS expands % and \\ there."""

_LOGIN = re.compile(r"Login (?P<result>OK|incorrect)[^\[\n]*\[(?P<user>[^]/\n]+)")


@attrs.frozen(slots=True, kw_only=True)
class RadiusUser:
    """A mobile node as FreeRADIUS knows it. ``key_text``: the MN-HA key, printable characters."""

    mac: Mac
    nai: str
    lma: Ipv4
    spi: int
    key_text: str = attrs.field(repr=False)

    @property
    def user_name(self) -> str:
        """What the NAS sends as User-Name and password."""
        return mac_text(self.mac, "-")


_RADIUSD = """\
prefix = /usr
libdir = /usr/lib/freeradius
name = radiusd
raddbdir = {directory}
logdir = {directory}
run_dir = {directory}
max_request_time = 5
cleanup_delay = 2
max_requests = 4096
hostname_lookups = no
proxy_requests = no
log {{
    destination = stdout
    auth = yes
}}
security {{
    allow_core_dumps = no
    max_attributes = 200
    reject_delay = {reject_delay:g}
    status_server = no
}}
client lab {{
    ipaddr = {clients}
    secret = "{secret}"
    require_message_authenticator = yes
    nas_type = other
}}
thread pool {{
    start_servers = 2
    max_servers = 4
    min_spare_servers = 1
    max_spare_servers = 2
    max_requests_per_server = 0
}}
modules {{
    pap {{
        normalise = no
    }}
    files {{
        filename = {directory}/users
    }}
    # Mobility attributes belong to the identity that authentication found, not to the MAC it was asked with.
    files mobility {{
        key = "%{{reply:User-Name}}"
        postauth_usersfile = {directory}/mobility
    }}
    attr_filter rejected {{
        key = "%{{User-Name}}"
        relaxed = no
        filename = {directory}/rejected
    }}
}}
server default {{
    listen {{
        type = auth
        ipaddr = {address}
        port = {port}
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
    post-auth {{
        mobility
        # FreeRADIUS 3.2.1 signs only EAP answers by itself. The value is computed when the answer is encoded.
        update reply {{
            &Message-Authenticator := 0x00
        }}
        # A NAS that has seen one signed answer wants them all signed; and no key leaves in a refusal.
        Post-Auth-Type REJECT {{
            rejected
            update reply {{
                &Message-Authenticator := 0x00
            }}
        }}
    }}
}}
"""

_REJECTED = """\
DEFAULT
    Message-Authenticator =* ANY,
    Reply-Message =* ANY,
    Proxy-State =* ANY
"""

_USER = """\
{user_name} Cleartext-Password := "{user_name}"
    User-Name = "{nai}"

"""

_MOBILITY = """\
{nai}
    3GPP2-Home-Agent-IP-Address = {lma},
    3GPP2-MN-HA-SPI = {spi},
    3GPP2-MN-HA-Shared-Key = "{key_text}"

"""


class FreeRadius:
    """One server: write its directory, run ``argv()`` with the output in ``debug_log``, wait until ``ready``.

    ``directory`` is made by ``write`` and belongs to this server alone. ``clients``: the prefix that requests
    may come from ("198.51.100.0/24"). ``reject_delay``: seconds that a refusal is held back. ValueError for a
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
    ) -> None:
        for what, text in [
            ("the shared secret", secret),
            *(("a NAI", user.nai) for user in users),
            *(("an MN-HA key", user.key_text) for user in users),
        ]:
            if not _QUOTABLE.fullmatch(text):
                raise ValueError(f"{what} of the laboratory may hold only letters, digits and @._:/+=-")
        self.directory = directory
        self.address = address
        self.port = port
        self.clients = clients
        self.users = tuple(users)
        self.reject_delay = reject_delay
        self._secret = secret

    @property
    def debug_log(self) -> Path:
        """Where the caller puts the program's standard output: beside the directory."""
        return self.directory.with_name(f"{self.directory.name}.log")

    def write(self) -> None:
        """Make the directory and its files, readable by the account that the server will run as."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text in self._files():
            path = self.directory / name
            path.write_text(text)
            path.chmod(0o600)
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
        yield (
            "radiusd.conf",
            _RADIUSD.format(
                directory=self.directory,
                address=self.address,
                port=self.port,
                clients=self.clients,
                secret=self._secret,
                reject_delay=self.reject_delay,
            ),
        )
        yield "dictionary", "# The system's dictionaries are read first.\n"
        yield "rejected", _REJECTED
        yield "users", "".join(_USER.format(user_name=user.user_name, nai=user.nai) for user in self.users)
        yield (
            "mobility",
            "".join(
                _MOBILITY.format(nai=user.nai, lma=ipv4_text(user.lma), spi=user.spi, key_text=user.key_text)
                for user in self.users
            ),
        )

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


def authentications(log_text: str) -> list[tuple[Mac, bool]]:
    """Every MAC authentication that the server logged, in order: who, and whether it was accepted."""
    found: list[tuple[Mac, bool]] = []
    for login in _LOGIN.finditer(log_text):
        try:
            found.append((mac(login["user"]), login["result"] == "OK"))
        except ValueError:
            continue  # not a MAC: somebody else's login
    return found
