"""Whom access points have let in: on their interfaces nobody else is served, and AAA is not asked again (AA27)."""

from collections.abc import Collection

import attrs

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.addresses import Mac
from pmip_tw.mag.newest import Newest
from pmip_tw.mobility.tunnels import AccessKey

MOST_ADMITTED = 65536


@attrs.frozen(slots=True, kw_only=True)
class Admission:
    """``until``: monotonic, None while its access point says nothing else."""

    port: str
    profile: Profile
    until: float | None


class Admissions:
    """By MAC, of which each is at one interface. It outlives visits: a node that was silent for long has not left its
    access point, and nothing there makes it authenticate again before its next frame.
    """

    def __init__(self, ports: Collection[str]) -> None:
        self._ports = frozenset(ports)
        self._admitted: Newest[Mac, Admission] = Newest(MOST_ADMITTED)

    def counts_at(self, port: str) -> bool:
        """Whether access points let nodes in there."""
        return port in self._ports

    def admit(self, key: AccessKey, profile: Profile, until: float | None) -> None:
        self._admitted[key.mac] = Admission(port=key.port, profile=profile, until=until)

    def get(self, key: AccessKey, monotonic: float) -> Admission | None:
        """That of ``key``, as long as it counts."""
        found = self._admitted.get(key.mac)
        if found is None or found.port != key.port:
            return None
        if found.until is not None and found.until <= monotonic:
            del self._admitted[key.mac]
            return None
        return found

    def withdraw(self, key: AccessKey) -> bool:
        """Whether it had one."""
        found = self._admitted.get(key.mac)
        if found is None or found.port != key.port:
            return False
        del self._admitted[key.mac]
        return True
