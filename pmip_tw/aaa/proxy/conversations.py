"""Authentications of several rounds that go through a proxy: who leads each, and whose it is (RFC 2865 5.24)."""

from collections import OrderedDict

import attrs

from pmip_tw.addresses import Endpoint, Ipv4, Mac

LONGEST_ROUND = 120.0
"""Seconds that a station may take for its next answer, if its server says nothing else; people type passwords."""


@attrs.frozen(slots=True)
class Round:
    """``server`` has asked ``mac`` something, and waits for the answer until ``until``."""

    mac: Mac
    server: Endpoint
    until: float


class Conversations:
    """By access point, and the State that the answer comes back with; of more than ``most`` the oldest go first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rounds: OrderedDict[tuple[Ipv4, bytes], Round] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rounds)

    def challenged(self, access_point: Ipv4, state: bytes, asked: Round, monotonic: float) -> None:
        self._rounds.pop((access_point, state), None)
        self._rounds[access_point, state] = asked
        while len(self._rounds) > self._most or next(iter(self._rounds.values())).until <= monotonic:
            self._rounds.popitem(last=False)

    def over(self, access_point: Ipv4, state: bytes) -> bool:
        """The answer has come, and something was said to it; whether anybody waited for it."""
        return self._rounds.pop((access_point, state), None) is not None

    def is_examined(self, mac: Mac, monotonic: float) -> bool:
        """Whether somebody is finding out who ``mac`` is."""
        return any(one.mac == mac and one.until > monotonic for one in self._rounds.values())

    def find(self, access_point: Ipv4, state: bytes, monotonic: float) -> Round | None:
        found = self._rounds.get((access_point, state))
        return None if found is None or found.until <= monotonic else found
