"""What needs certificates: the EAP methods TTLS, PEAP and TLS, and RADIUS over TLS."""

from pathlib import Path
from string import Template
from typing import Final

import attrs

from pmip_tw.lab.certificates import Authority

SECRET: Final = "radsec"
"""RFC 6614 2.3 (4): the shared secret of RADIUS over TLS."""

_CERTIFICATES: Final = Template("""\
private_key_file = $directory/server.key
certificate_file = $directory/server.pem
ca_file = $directory/ca.pem
tls_min_version = "1.2"
tls_max_version = "1.2"
ecdh_curve = ""
""")

_METHODS: Final = Template("""\
mschapv2 {
}
tls-config common {
$certificates
    cipher_list = "DEFAULT"
    # What it keeps of a session are name and policy of who was found in it.
    cache {
        enable = $resumption
        name = "lab"
        persist_dir = $directory/sessions
        lifetime = 1
    }
}
tls {
    tls = common
    virtual_server = certificate
}
ttls {
    tls = common
    default_eap_type = md5
    copy_request_to_tunnel = no
    use_tunneled_reply = no
    virtual_server = inner-tunnel
}
peap {
    tls = common
    default_eap_type = mschapv2
    copy_request_to_tunnel = no
    use_tunneled_reply = no
    virtual_server = inner-tunnel
}
""")

_RADSEC: Final = Template("""\
listen {
    type = auth+acct
    ipaddr = $address
    port = $port
    proto = tcp
    virtual_server = default
    clients = radsec
    limit {
        max_connections = 16
        lifetime = 0
        idle_timeout = 0
    }
    tls {
$certificates
        fragment_size = 8192
        require_client_cert = yes
        cache {
            enable = no
        }
    }
}
clients radsec {
    client radsec {
        ipaddr = $clients
        proto = tls
        secret = $secret
    }
}
""")


@attrs.frozen(slots=True, kw_only=True)
class Tls:
    """``name``: of the server, in its certificate. ``resumption``: a node that comes back within an hour need not
    prove itself at length. ``radsec``: the TCP port of RADIUS over TLS, 0 for none; its clients need certificates
    of the same authority."""

    authority: Authority
    name: str = "aaa.lab.example"
    resumption: bool = True
    radsec: int = 0

    def write(self, directory: Path) -> None:
        """Its certificates, beside the server's other files, and a place for TLS sessions."""
        (directory / "sessions").mkdir(mode=0o700, exist_ok=True)
        self.authority.issue(self.name).write(directory, "server")
        (directory / "ca.pem").write_bytes(self.authority.certificate)

    def methods(self, directory: str) -> str:
        """For the section of the module eap."""
        return _METHODS.substitute(
            certificates=_CERTIFICATES.substitute(directory=directory),
            directory=directory,
            resumption="yes" if self.resumption else "no",
        )

    def listener(self, directory: str, address: str, clients: str) -> str:
        """For radiusd.conf, "" without RADIUS over TLS."""
        if not self.radsec:
            return ""
        return _RADSEC.substitute(
            certificates=_CERTIFICATES.substitute(directory=directory),
            address=address,
            port=self.radsec,
            clients=clients,
            secret=SECRET,
        )
