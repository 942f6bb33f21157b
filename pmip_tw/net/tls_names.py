"""TLS between servers that know each other by name: whom we believe, who we are, and why it did not work."""

from functools import partial
from pathlib import Path
from typing import Any

import attrs
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import CertificateError, VerificationError
from service_identity.hazmat import DNS_ID, IPAddress_ID, ServiceID, verify_service_identity
from service_identity.pyopenssl import extract_patterns
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from pmip_tw.errors import ConfigurationError


@attrs.frozen(slots=True, kw_only=True)
class TlsFiles:
    """PEM files. ``authorities``: whose certificates of others we believe. ``certificate`` and ``key``: ours, if any;
    the certificates in between follow ours in its file."""

    authorities: Path
    certificate: Path | None = None
    key: Path | None = None


def client_side(files: TlsFiles, name: str) -> IOpenSSLClientConnectionCreator:
    """Towards the machine ``name``, which its certificate must carry. ConfigurationError: a file, or it, is no use."""
    trusted = [Certificate(X509.from_cryptography(one)) for one in certificates(files.authorities)]
    own = {} if files.certificate is None or files.key is None else credentials(files.certificate, files.key)
    try:
        creator: IOpenSSLClientConnectionCreator = optionsForClientTLS(
            name, trustRoot=trustRootFromCertificates(trusted), extraCertificateOptions=own
        )
    except UnicodeError:
        text = f"{name!r} is not the name of a machine, which a certificate could carry"
        raise ConfigurationError((text,)) from None
    return _Verified(creator, _identity(name))


def _identity(name: str) -> ServiceID:
    try:
        return IPAddress_ID(name)
    except ValueError:
        return DNS_ID(name.encode("idna").decode("ascii"))


@implementer(IOpenSSLClientConnectionCreator)
class _Verified:
    """Connections on which nobody is believed but who has a certificate for ``identity``.

    Twisted verifies that, too, but lets a certificate pass that names no machine at all: it takes what is raised about
    that for a defect of its own, and goes on. Here whatever goes wrong refuses.
    """

    def __init__(self, creator: IOpenSSLClientConnectionCreator, identity: ServiceID) -> None:
        self._creator = creator
        self._identity = identity

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        connection: SSL.Connection = self._creator.clientConnectionForTLS(protocol)
        connection.set_verify(
            SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, partial(self._verify, [protocol])
        )
        return connection

    def _verify(
        self,
        protocols: list[TLSMemoryBIOProtocol],
        connection: SSL.Connection,
        certificate: X509,
        error: int,
        depth: int,
        believed: int,
    ) -> bool:
        """Nothing may be raised here: OpenSSL would not hear of it. ``protocols``: until it was told."""
        if depth or not believed:
            return bool(believed)
        try:
            verify_service_identity(extract_patterns(certificate), [self._identity], [])
        except Exception:
            for protocol in protocols:
                protocol.failVerification(Failure())
            return False
        finally:
            protocols.clear()
        return True


def why_not(error: BaseException) -> str:
    """Why there is no connection, in words for an operator."""
    if isinstance(error, VerificationError | CertificateError):
        return "TLS: its certificate is another's: it does not carry the name that is configured (subjectAltName)"
    if isinstance(error, SSL.Error):
        reasons = [str(item[-1]) for item in error.args[0]] if error.args else []
        if any("certificate verify failed" in reason for reason in reasons):
            return "TLS: its certificate is from nobody whom we trust, or has expired"
        return f"TLS: {', '.join(reason for reason in reasons if reason) or 'the other side ended it'}"
    return str(error) or type(error).__name__


def certificates(path: Path) -> list[x509.Certificate]:
    """All in a PEM file, at least one. ConfigurationError: the file is no use."""
    try:
        return x509.load_pem_x509_certificates(_read(path))
    except ValueError:
        raise ConfigurationError((f"{path}: no certificate in PEM form is in it",)) from None


def credentials(certificate: Path, key: Path) -> dict[str, Any]:
    """What Twisted's CertificateOptions takes to show who we are. ConfigurationError: the files are no use."""
    own, *between = certificates(certificate)
    private = _private_key(key)
    if private.public_key() != own.public_key():
        raise ConfigurationError((f"{key}: is not the key of the certificate in {certificate}",))
    # Twisted says that it wants pyOpenSSL's objects, which pyOpenSSL itself does not want any more.
    return {"certificate": own, "privateKey": private, "extraCertChain": between}


def _private_key(path: Path) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(_read(path), password=None)
    except TypeError:
        raise ConfigurationError((f"{path}: the key has a passphrase; we need it without one",)) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError((f"{path}: no private key in PEM form is in it",)) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError((f"{path}: {error.strerror}",)) from None
