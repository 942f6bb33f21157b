"""A mobile node's 802.1X: an ordinary wpa_supplicant on its wired card, and nothing of ours."""

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Final

import attrs

from pmip_tw.lab.certificates import Authority
from pmip_tw.lab.programs import Program, ProgramError
from pmip_tw.lab.topology import Namespace
from pmip_tw.lab.world import World

PROGRAM: Final = "wpa_supplicant"
ANONYMOUS: Final = "anonymous@lab.example"
"""What is said before there is a tunnel: everybody can read it."""

_PASSWORD: Final = 'identity="$identity"\n    password="$password"\n    '
_TUNNEL: Final = (
    f'anonymous_identity="{ANONYMOUS}"\n    {_PASSWORD}ca_cert="$authority"\n    domain_match="$server"\n    '
)
METHODS: Final[Mapping[str, str]] = {
    "md5": f"eap=MD5\n    {_PASSWORD}",
    "ttls": f'eap=TTLS\n    {_TUNNEL}phase2="auth=PAP"\n    ',
    "peap": f'eap=PEAP\n    {_TUNNEL}phase2="auth=MSCHAPV2"\n    ',
    "tls": (
        'eap=TLS\n    identity="$identity"\n    ca_cert="$authority"\n    domain_match="$server"\n    '
        'client_cert="$certificate"\n    private_key="$key"\n    '
    ),
}
"""By the name of the EAP method: how a network of wpa_supplicant.conf says it."""

_CONFIGURATION: Final = "ap_scan=0\nnetwork={\n    key_mgmt=IEEE8021X\n    eapol_flags=0\n    %s\n}\n"
_SUCCESS: Final = "CTRL-EVENT-EAP-SUCCESS"


@attrs.frozen(slots=True, kw_only=True)
class Account:
    """Who the node is for 802.1X. ``server``: the name that the AAA server's certificate must have."""

    identity: str
    password: str = attrs.field(default="", repr=False)
    authority: Authority
    server: str = "aaa.lab.example"

    def configuration(self, method: str, directory: Path, name: str) -> str:
        """The text of a wpa_supplicant.conf; the files that it names are written into ``directory`` as NAME-..."""
        authority = directory / f"{name}-ca.pem"
        authority.write_bytes(self.authority.certificate)
        certificate, key = self.authority.issue(self.identity).write(directory, name)
        text = Template(METHODS[method]).substitute(
            identity=self.identity,
            password=self.password,
            server=self.server,
            authority=authority,
            certificate=certificate,
            key=key,
        )
        return _CONFIGURATION % text.rstrip()


class Supplicant:
    """``mark``: a place in what it has said, from which on ``succeeded`` looks."""

    def __init__(self, world: World, host: Namespace, account: Account, method: str) -> None:
        self._world = world
        self._host = host
        self._account = account
        self._method = method
        self._running: Program | None = None

    async def start(self) -> None:
        """It listens when this returns, and begins with an EAPOL-Start if nobody asks it for two seconds."""
        name = f"supplicant-{self._host.name}"
        path = self._world.directory / f"{name}.conf"
        path.touch(mode=0o600)
        path.write_text(self._account.configuration(self._method, self._world.directory, name))
        command = [PROGRAM, "-D", "wired", "-i", "eth0", "-c", str(path)]
        self._running = await self._world.start(name, self._host, *command)
        await self._running.said("Associated with", within=10)

    @property
    def mark(self) -> int:
        return self._program.lines

    async def succeeded(self, *, within: float, since: int = 0) -> None:
        """Wait until it has proven itself. ProgramError: not in that time."""
        await self._program.said(_SUCCESS, within=within, since=since)

    async def stop(self) -> None:
        """As when a host is switched off; it says goodbye by an EAPOL-Logoff."""
        await self._program.stop()

    @property
    def _program(self) -> Program:
        if self._running is None:
            raise ProgramError("wpa_supplicant was not started")
        return self._running
