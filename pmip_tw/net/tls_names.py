"""TLS between servers that know each other by name: whom we believe, who we are, and why it did not work."""

from pathlib import Path

import attrs
from OpenSSL import SSL
from OpenSSL.crypto import FILETYPE_PEM, load_certificate
from OpenSSL.crypto import Error as PemError
from service_identity import VerificationError
from twisted.internet.error import VerifyError
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import (
    Certificate,
    PrivateCertificate,
    optionsForClientTLS,
    trustRootFromCertificates,
)

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
    trusted = trustRootFromCertificates(_certificates(files.authorities))
    own = _own(files)
    between = [] if own is None or files.certificate is None else _certificates(files.certificate)[1:]
    try:
        creator: IOpenSSLClientConnectionCreator = optionsForClientTLS(
            name,
            trustRoot=trusted,
            clientCertificate=own,
            extraCertificateOptions={"extraCertChain": [one.original for one in between]} if between else {},
        )
    except UnicodeError:
        text = f"{name!r} is not the name of a machine, which a certificate could carry"
        raise ConfigurationError((text,)) from None
    return creator


def why_not(error: BaseException) -> str:
    """Why there is no connection, in words for an operator."""
    if isinstance(error, VerificationError):
        return "TLS: its certificate is another's: it does not carry the name that is configured (subjectAltName)"
    if isinstance(error, SSL.Error):
        reasons = [str(item[-1]) for item in error.args[0]] if error.args else []
        if any("certificate verify failed" in reason for reason in reasons):
            return "TLS: its certificate is from nobody whom we trust, or has expired"
        return f"TLS: {', '.join(reason for reason in reasons if reason) or 'the other side ended it'}"
    return str(error) or type(error).__name__


def _certificates(path: Path) -> list[Certificate]:
    text = _read(path)
    end = b"-----END CERTIFICATE-----"
    found = [part + end for part in text.split(end)[:-1]]
    try:
        certificates = [Certificate(load_certificate(FILETYPE_PEM, one)) for one in found]
    except PemError:
        raise useless(path) from None
    if not certificates:
        raise useless(path)
    return certificates


def _own(files: TlsFiles) -> PrivateCertificate | None:
    if files.certificate is None or files.key is None:
        return None
    both = _read(files.certificate) + b"\n" + _read(files.key)
    try:
        own: PrivateCertificate = PrivateCertificate.loadPEM(both)
    except VerifyError:
        text = f"{files.key}: is not the key of the certificate in {files.certificate}"
        raise ConfigurationError((text,)) from None
    except PemError:
        text = (
            f"{files.certificate}, {files.key}: no certificate with its key in PEM form, without a passphrase"
        )
        raise ConfigurationError((text,)) from None
    return own


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError((f"{path}: {error.strerror}",)) from None


def useless(path: Path) -> ConfigurationError:
    return ConfigurationError((f"{path}: no certificate or key in PEM form is in it",))
