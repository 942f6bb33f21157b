"""An unmodified freeDiameter as the relay between MAGs and the laboratory's AAA server.

It has no application of its own and needs none: a relay passes on every message (RFC 6733 2.4). TLS is by GnuTLS, which
wants the certificate's name to be the identity of whoever shows it.
"""

from pathlib import Path
from typing import Final

import attrs

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.lab.certificates import Authority
from pmip_tw.lab.programs import ProgramError

PROGRAM: Final = "freeDiameterd"
ACCESS_LIST: Final = "/usr/lib/freeDiameter/acl_wl.fdx"
"""Its extension that lets in who is on a list."""

READY: Final = "freeDiameterd daemon initialized"


@attrs.frozen(slots=True, kw_only=True)
class Relay:
    """``server``: where it connects to; ``clients``: who may connect to it."""

    directory: Path
    name: str
    realm: str
    address: Ipv4
    server: tuple[str, Ipv4]
    clients: tuple[str, ...]
    port: int = 5868
    watchdog_interval: int = 30

    def argv(self, authority: Authority) -> list[str]:
        """Its files are written; the command that starts it. ProgramError: a part of it is not installed."""
        if not Path(ACCESS_LIST).exists():
            raise ProgramError(f"{PROGRAM} has no {ACCESS_LIST}; as root, make setup installs it")
        self.directory.mkdir(parents=True, exist_ok=True)
        certificate, key = authority.issue(self.name).write(self.directory, "relay")
        trusted = self.directory / "ca.pem"
        trusted.write_bytes(authority.certificate)
        host, address = self.server
        accepted = self.directory / "acl.conf"
        accepted.write_text("".join(f"{name}\n" for name in self.clients))
        file = self.directory / "freeDiameter.conf"
        file.write_text(
            f'Identity = "{self.name}";\n'
            f'Realm = "{self.realm}";\n'
            f"Port = 0;\nSecPort = {self.port};\n"
            "No_SCTP;\nNo_IPv6;\n"
            f'ListenOn = "{ipv4_text(self.address)}";\n'
            f"TwTimer = {self.watchdog_interval};\n"
            f'TLS_Cred = "{certificate}", "{key}";\n'
            f'TLS_CA = "{trusted}";\n'
            "TLS_DH_Bits = 1024;\n"
            f'ConnectPeer = "{host}" {{ ConnectTo = "{ipv4_text(address)}"; Port = {self.port}; No_SCTP; }};\n'
            f'LoadExtension = "{ACCESS_LIST}" : "{accepted}";\n'
        )
        return [PROGRAM, "-c", str(file), "-d"]
