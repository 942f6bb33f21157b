"""Whom access points have let in: on their interfaces nobody else is served, and AAA is not asked again (AA27)."""

from collections.abc import Collection

import attrs

from pmip_tw.aaa.examined import Examined
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.mag.newest import Newest
from pmip_tw.mobility.tunnels import AccessKey

MOST_ADMITTED = 65536


@attrs.frozen(slots=True, kw_only=True)
class Admission:
    """``until``: monotonic, None while its access point says nothing else."""

    profile: Profile
    examined: Examined
    until: float | None


class Admissions:
    """They outlive visits: a node that was silent for long has not left its access point, and nothing there makes it
    authenticate again before its next frame.
    """

    def __init__(self, ports: Collection[str]) -> None:
        self._ports = frozenset(ports)
        self._admitted: Newest[AccessKey, Admission] = Newest(MOST_ADMITTED)

    def counts_at(self, port: str) -> bool:
        """Whether access points let nodes in there."""
        return port in self._ports

    def admit(self, key: AccessKey, profile: Profile, examined: Examined, until: float | None) -> Admission:
        found = self._admitted[key] = Admission(profile=profile, examined=examined, until=until)
        return found

    def get(self, key: AccessKey, monotonic: float) -> Admission | None:
        """That of ``key``, as long as it counts."""
        found = self._admitted.get(key)
        if found is not None and found.until is not None and found.until <= monotonic:
            del self._admitted[key]
            return None
        return found

    def withdraw(self, key: AccessKey) -> bool:
        """Whether it had one."""
        return self._admitted.pop(key, None) is not None

    def withdraw_elsewhere(self, key: AccessKey) -> None:
        """Its station is at this interface now, and at no other."""
        for port in self._ports:
            if port != key.port:
                self._admitted.pop(AccessKey(port, key.mac), None)
