"""Whom a TLS connection believes, and who we are on it: certificates out of files (RFC 6614 2.3)."""

from pathlib import Path

from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import (
    Certificate,
    KeyPair,
    PrivateCertificate,
    optionsForClientTLS,
    trustRootFromCertificates,
)

from pmip_tw.errors import PmipError

_BEGIN = "-----BEGIN CERTIFICATE-----"
_END = "-----END CERTIFICATE-----\n"


def trusting(
    name: str, *, ca_file: str, certificate_file: str = "", key_file: str = ""
) -> IOpenSSLClientConnectionCreator:
    """Connections to whoever has a certificate of one of the CAs in ``ca_file`` with ``name``, a host's or an address.

    Nobody else is believed, the CAs of the system included. ``certificate_file`` with ``key_file``: ours, followed by
    those between it and its CA. PmipError: which file cannot be used, and why.
    """
    roots = _certificates(ca_file)
    own = _own(certificate_file, key_file) if certificate_file else None
    options = {"extraCertChain": [one.original for one in _certificates(certificate_file)[1:]]} if own else {}
    try:
        return optionsForClientTLS(
            name,
            trustRoot=trustRootFromCertificates(roots),
            clientCertificate=own,
            extraCertificateOptions=options,
        )
    except ValueError as error:
        raise PmipError(f"server_name {name!r} is no name of a host: {error}") from None


def _certificates(file: str) -> list[Certificate]:
    found = [_BEGIN + part.partition(_END)[0] + _END for part in _text(file).split(_BEGIN)[1:]]
    if not found:
        raise PmipError(f"{file} has no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
    try:
        return [Certificate.loadPEM(one.encode()) for one in found]
    except (crypto.Error, ValueError) as error:
        raise PmipError(f"{file} has a certificate that cannot be read: {error}") from None


def _own(certificate_file: str, key_file: str) -> PrivateCertificate:
    first = _certificates(certificate_file)[0]
    try:
        pair = KeyPair.load(_text(key_file).encode(), crypto.FILETYPE_PEM)
    except (crypto.Error, ValueError, TypeError) as error:
        raise PmipError(
            f"{key_file} has no private key that can be read without a password: {error}"
        ) from None
    own: PrivateCertificate = PrivateCertificate.fromCertificateAndKeyPair(first, pair)
    context = SSL.Context(SSL.TLS_METHOD)
    context.use_certificate(first.original)
    context.use_privatekey(pair.original)
    try:
        context.check_privatekey()
    except SSL.Error:
        raise PmipError(
            f"the key of {key_file} is not that of the certificate of {certificate_file}"
        ) from None
    return own


def _text(file: str) -> str:
    try:
        return Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise PmipError(f"{file} cannot be read: {why}") from None
