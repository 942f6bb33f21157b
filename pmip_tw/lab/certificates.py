"""The laboratory's certificate authority, and what it issues: certificates of servers and of mobile nodes.

Keys are of the curve P-256: made in a moment, and no handshake waits for them.
"""

import datetime
import ipaddress
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL.crypto import X509
from twisted.internet.ssl import Certificate, CertificateOptions, trustRootFromCertificates

_YESTERDAY: Final = datetime.timedelta(days=1)
_VALID: Final = datetime.timedelta(days=30)
_USAGE: Final = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])


@attrs.frozen(slots=True, kw_only=True)
class Credentials:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes = attrs.field(repr=False)

    def write(self, directory: Path, name: str) -> tuple[Path, Path]:
        """As NAME.pem and NAME.key, which nobody else may read; both paths."""
        paths = directory / f"{name}.pem", directory / f"{name}.key"
        for path, octets in zip(paths, (self.certificate, self.key), strict=True):
            path.touch(mode=0o600)
            path.write_bytes(octets)
        return paths

    def server_side(self, believed: bytes | None = None) -> CertificateOptions:
        """TLS of a server. ``believed``: an authority's certificate, PEM; who connects must have one of its own."""
        own: dict[str, Any] = {
            "certificate": x509.load_pem_x509_certificate(self.certificate),
            "privateKey": serialization.load_pem_private_key(self.key, password=None),
        }
        if believed is not None:
            authority = Certificate(X509.from_cryptography(x509.load_pem_x509_certificate(believed)))
            own["trustRoot"] = trustRootFromCertificates([authority])
        return CertificateOptions(**own)


class Authority:
    """``certificate``: its own, PEM, which everybody is to trust."""

    def __init__(self, name: str = "Laboratory CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._builder(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.certificate = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str, *, alternative: bool = True) -> Credentials:
        """A certificate for ``name``, either end of TLS: a host's name or address, or a mobile node's NAI.

        Not ``alternative``: it has that as its common name alone, which nobody looks at any more.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = (
            self._builder(subject, key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_USAGE, critical=False)
        )
        if alternative:
            made = made.add_extension(x509.SubjectAlternativeName([_alternative(name)]), critical=False)
        return Credentials(
            certificate=made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
            key=key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _YESTERDAY)
            .not_valid_after(now + _VALID)
        )


def _alternative(name: str) -> x509.GeneralName:
    if "@" in name:
        return x509.RFC822Name(name)
    with suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)
