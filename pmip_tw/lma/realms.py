"""Realms: what follows the @ of a NAI (RFC 7542 2.2), compared whatever the case of ASCII letters."""


def realm_of(nai: bytes) -> bytes | None:
    """The realm of ``nai``, as ``realm_key`` makes it; None: it has none."""
    _, at, realm = nai.rpartition(b"@")
    return realm.lower() if at else None


def realm_key(realm: str) -> bytes:
    """A realm of the configuration, to compare with that of a NAI."""
    return realm.encode().lower()
