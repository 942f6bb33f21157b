"""Security associations: who shares which key with whom, and how it authenticates (RFC 5944 3.2, 3.5)."""

from collections import deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hmac import compare_digest
from typing import NoReturn

from pmip_tw.mobility.authenticators import Algorithm, Signer, signer
from pmip_tw.secret import Secret

MINIMUM_SPI = 256
"""0-255 are reserved (RFC 5944 3.5.1)."""

MOST_READY = 131_072
"""Keys of a table that are kept ready, each in 300 octets; to make one ready costs as much as an authenticator."""


@lru_cache(maxsize=256)
def _one_object(spi: int) -> int:
    """One number for all nodes that have the same SPI."""
    return spi


class SecurityAssociation:
    """A key, its SPI and its algorithm, shared by two nodes.

    The octets covered by an authenticator are the datagram up to and including the extension's SPI
    (RFC 5944 3.5.1); ``sign`` and ``verify`` take exactly those. ``previous``: what the peer may still use under the
    same SPI while its key is being changed. ``digest_size``: octets of an authenticator.

    There may be a million of them, so what it holds is laid out flat: the key is its octets, not a Secret.
    """

    __slots__ = ("_key", "_ready_keys", "_signer", "algorithm", "previous", "spi")

    def __init__(
        self,
        spi: int,
        key: Secret,
        algorithm: Algorithm = Algorithm.HMAC_MD5,
        previous: "SecurityAssociation | None" = None,
    ) -> None:
        if not MINIMUM_SPI <= spi <= 0xFFFFFFFF:
            raise ValueError(f"SPI {spi} is outside {MINIMUM_SPI}-4294967295 (0-255 are reserved)")
        self.spi = _one_object(spi)
        self.algorithm = algorithm
        self.previous = previous
        self._key = key.reveal()
        self._signer: Signer | None = None
        self._ready_keys: ReadyKeys | None = None

    @classmethod
    def missing(cls, spi: int) -> "SecurityAssociation":
        """One of which nobody here knows the key yet: it proves nothing, and cannot sign."""
        association = cls(spi, Secret(b""))
        association.retire()
        return association

    @property
    def is_missing(self) -> bool:
        return not self._key

    def learn(self, other: "SecurityAssociation") -> None:
        """A key that was missing is that of ``other``, for all who hold this association."""
        self.algorithm = other.algorithm
        self._key = other._key

    @property
    def digest_size(self) -> int:
        return self.algorithm.digest_size

    @property
    def is_ready(self) -> bool:
        """Whether its key is ready for use: hashed already."""
        return self._signer is not None

    @property
    def key(self) -> Secret:
        """For a journal, which must be able to make the association again."""
        return Secret(self._key)

    def sign(self, covered: bytes) -> bytes:
        """The authenticator over ``covered``; ``digest_size`` octets."""
        return (self._signer or self._made_ready()).sign(covered)

    def verify(self, covered: bytes, authenticator: bytes) -> bool:
        """Whether ``authenticator`` is right, compared in constant time; one of another length never is.

        Of a retired association none is.
        """
        ready = self._signer or self._made_ready()
        if not compare_digest(ready.sign(covered), authenticator):
            return False
        if self._signer is None:
            if self._ready_keys is _RETIRED:
                return False
            self._keep_ready(ready)
        return True

    def verified_by(self, covered: bytes, authenticator: bytes) -> "SecurityAssociation | None":
        """Whose key made ``authenticator``: this one, or the previous one; None if neither.

        The peer is answered with the same: it need not know the other key.
        """
        if self.verify(covered, authenticator):
            return self
        previous = self.previous
        return None if previous is None else previous.verified_by(covered, authenticator)

    def _made_ready(self) -> Signer:
        """For this once, if room is shared: whoever does not have a key must not take the room of others' keys."""
        ready = signer(self.algorithm, self._key)
        if self._ready_keys is None:
            self._signer = ready
        return ready

    def _keep_ready(self, ready: Signer) -> None:
        self._signer = ready
        if self._ready_keys is not None:
            self._ready_keys.note(self)

    def share(self, ready_keys: "ReadyKeys") -> None:
        """From now on this key, and the previous one, is kept ready only as long as ``ready_keys`` has room for it."""
        self._ready_keys = ready_keys
        self.rest()
        if self.previous is not None:
            self.previous.share(ready_keys)

    def rest(self) -> None:
        """The key is made ready anew when it is used again."""
        self._signer = None

    @property
    def is_retired(self) -> bool:
        """Whether it proves nothing any more, as its time is over. It still signs what is told to its peer."""
        return self._ready_keys is _RETIRED

    def retire(self) -> None:
        """From now on it proves nothing, wherever it is held; its key is never ready, so that others pay nothing."""
        self._ready_keys = _RETIRED
        self.rest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecurityAssociation) and (self.spi, self.algorithm, self._key) == (
            other.spi,
            other.algorithm,
            other._key,
        )

    def __hash__(self) -> int:
        return hash((self.spi, self.algorithm))

    def __repr__(self) -> str:
        return f"SecurityAssociation(spi={self.spi}, algorithm={self.algorithm.value})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a SecurityAssociation is not pickled: keys do not leave the process")


class ReadyKeys:
    """The associations, of those that share this, whose keys are ready: at most ``most``, and the first goes first.

    Nodes renew in turn, each once in half its lifetime, so that who was ready first is who is needed last. It costs
    those whose keys are ready nothing, as noting every use would.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        # Some go at once: the collector of garbage counts how many more objects are made than are freed, and would come
        # too late, to very many, if one went for each that is made.
        self._at_once = max(1, most // 128)
        self._associations: deque[SecurityAssociation] = deque()

    def note(self, association: SecurityAssociation) -> None:
        """``association`` was made ready just now."""
        self._associations.append(association)
        if len(self._associations) > self._most:
            for _ in range(self._at_once):
                self._associations.popleft().rest()

    def __len__(self) -> int:
        return len(self._associations)


_RETIRED = ReadyKeys(0)
"""The room that associations share of which no key is made ready."""


class AssociationTable:
    """The MN-HA associations that an LMA knows, from its configuration or from AAA, by NAI and SPI.

    ``most_ready``: how many keys are kept ready for use.
    """

    def __init__(
        self,
        associations: Iterable[tuple[str | bytes, SecurityAssociation]] = (),
        most_ready: int = MOST_READY,
    ) -> None:
        # Nearly every node has one association: it stands here itself, and only what goes beyond in the other table.
        self._first: dict[bytes, SecurityAssociation] = {}
        self._further: dict[bytes, dict[int, SecurityAssociation]] = {}
        self._ready_keys = ReadyKeys(most_ready)
        for nai, association in associations:
            self.add(nai, association)

    def add(self, nai: str | bytes, association: SecurityAssociation) -> None:
        """In place of the one with the same NAI and SPI, if there is one. ``nai``: bytes as it stands in a message."""
        if not association.is_missing:
            association.share(self._ready_keys)
        name = nai.encode() if isinstance(nai, str) else nai
        if self._first.setdefault(name, association).spi == association.spi:
            self._first[name] = association
        else:
            self._further.setdefault(name, {})[association.spi] = association

    def remove(self, nai: bytes, spi: int) -> None:
        """There is none with that NAI and SPI any more, if there was one."""
        further = self._further.get(nai, {})
        found = self._first.get(nai)
        if found is None or found.spi != spi:
            further.pop(spi, None)
        elif further:
            self._first[nai] = further.pop(next(iter(further)))
        else:
            del self._first[nai]
        if not further:
            self._further.pop(nai, None)

    @property
    def ready(self) -> int:
        """How many keys are ready for use."""
        return len(self._ready_keys)

    def __iter__(self) -> Iterator[tuple[bytes, SecurityAssociation]]:
        """All, with the NAI of each."""
        yield from list(self._first.items())
        for nai, further in list(self._further.items()):
            yield from ((nai, association) for association in further.values())

    def knows(self, nai: bytes) -> bool:
        """Whether ``nai`` has an association, with whatever SPI."""
        return nai in self._first

    def find(self, nai: bytes, spi: int) -> SecurityAssociation | None:
        found = self._first.get(nai)
        if found is None or found.spi == spi:
            return found
        further = self._further.get(nai)
        return None if further is None else further.get(spi)
