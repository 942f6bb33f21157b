"""What a MAG knows of its LMAs: who may be asked, who is silent and why, which tunnels they gave (P16, P72, P81)."""

from collections.abc import Collection

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.mag.newest import Newest
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.registration.protection import LmaAssociation, Protection
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.tunnels import Tunnel

ICMP_EXPLAINS = 32.0
"""Seconds for which ICMP explains a silence."""

SILENCE_REMEMBERED = 60.0
"""Seconds for which an LMA that did not answer is asked after the others only."""

TUNNEL_REMEMBERED = 600.0
"""Seconds after which a tunnel that an LMA preferred to the configured one is not expected any more."""

_TRIAL = 64.0
"""Seconds that the one trial after a block may take; as long as all tries of one registration."""

_TRIAL_ELSEWHERE = 5.0
"""Seconds until the others look again whether the trial has succeeded."""

_MAX_DISALLOWED = 65536
_MAX_UNREACHABLE = 256
"""ICMP may name any number of peers."""

_ICMP_CAUSES = {
    0: "its network is unreachable",
    1: "the host is unreachable",
    3: "nothing listens on UDP port 434 there: is the LMA running?",
    13: "a packet filter forbids it",
}


class Lmas:
    """Everything here may be forgotten at any time: it saves vain requests and explains."""

    def __init__(self, policy: MagPolicy) -> None:
        self._policy = policy
        self._associations = {known.address: known for known in policy.associations}
        self._blocked: dict[Ipv4, float] = {}
        self._disallowed: Newest[tuple[Ipv4, str], float] = Newest(_MAX_DISALLOWED)
        self._trials: dict[Ipv4, tuple[str, float]] = {}
        self._silent: dict[Ipv4, float] = {}
        self._unreachable: Newest[Ipv4, tuple[str, float]] = Newest(_MAX_UNREACHABLE)
        self._tunnels: dict[Ipv4, tuple[Tunnel, float]] = {}
        self._public: dict[Ipv4, Ipv4] = {}
        self._asked_at: dict[Ipv4, float] = {}

    # Whom to ask, and under which association

    def candidates(self, profile: Profile) -> tuple[Ipv4, ...]:
        """The LMAs of a node in the order of preference, those of its profile or ours (P7, P81)."""
        return profile.lmas or self._policy.default_lmas

    def choose(self, profile: Profile, given_up: Collection[Ipv4], nai: str, monotonic: float) -> Ipv4 | None:
        """The LMA to ask next: the first that may be asked, those that were silent lately behind the others."""
        left = [lma for lma in self.candidates(profile) if lma not in given_up]
        free = [lma for lma in left if not self.blocked_for(lma, nai, monotonic)]
        answering = [lma for lma in free if self._silent.get(lma, 0.0) <= monotonic]
        return next(iter(answering or free or left), None)

    def protection(self, lma: Ipv4, profile: Profile) -> Protection | str:
        """The associations for a registration at ``lma``, or why there are none (P3)."""
        found = self._associations.get(lma, LmaAssociation(address=lma))
        if found.mode is AuthenticationMode.PER_MN:
            if profile.mn_ha is None:
                return f"AAA gives no MN-HA key, and [[mag.lmas]] has no association of this MAG with {ipv4_text(lma)}"
            return Protection(mode=found.mode, mn_ha=profile.mn_ha, mn_aaa=profile.mn_aaa, fa_ha=found.fa_ha)
        return Protection(mode=found.mode, mn_aaa=profile.mn_aaa, fa_ha=found.fa_ha)

    def fa_ha(self, lma: Ipv4) -> SecurityAssociation | None:
        """Our association with ``lma``, which is how a message names itself (RFC 5944 3.5.4, RV11)."""
        found = self._associations.get(lma)
        return None if found is None else found.fa_ha

    def own_protection(self, lma: Ipv4) -> Protection | None:
        """What proves a message of ``lma`` about no particular node: our own association, if there is one."""
        found = self._associations.get(lma)
        if found is None or (found.fa_ha is None and found.mode is not AuthenticationMode.IPSEC):
            return None
        return Protection(mode=found.mode, fa_ha=found.fa_ha)

    # Who may not be asked (P16)

    def block(self, lma: Ipv4, monotonic: float) -> None:
        """It does not support proxy registrations: for ``pmip_backoff`` nobody asks it."""
        self._blocked[lma] = monotonic + self._policy.pmip_backoff
        self._trials.pop(lma, None)

    def disallow(self, lma: Ipv4, nai: str, monotonic: float) -> None:
        """It does not let us register ``nai``: for ``pmip_backoff`` it is not asked for that node again."""
        self._disallowed[lma, nai] = monotonic + self._policy.pmip_backoff

    def blocked_for(self, lma: Ipv4, nai: str, monotonic: float) -> float:
        """Seconds for which nothing may be sent to ``lma`` for ``nai``; 0 if something may."""
        if self._disallowed:
            disallowed = self._disallowed.get((lma, nai), 0.0)
            if disallowed > monotonic:
                return disallowed - monotonic
        until = self._blocked.get(lma)
        if until is None:
            return 0.0
        if until > monotonic:
            return until - monotonic
        who, trial_ends = self._trials.get(lma, ("", 0.0))
        return _TRIAL_ELSEWHERE if who != nai and trial_ends > monotonic else 0.0

    def asked(self, lma: Ipv4, nai: str, monotonic: float) -> None:
        """Something is sent: after a block that makes ``nai`` the one trial."""
        self._asked_at[lma] = monotonic
        if lma in self._blocked and self._trials.get(lma, ("", 0.0))[1] <= monotonic:
            self._trials[lma] = (nai, monotonic + _TRIAL)

    def asked_at(self, lma: Ipv4) -> float:
        """When something was sent there last, monotonic."""
        return self._asked_at.get(lma, float("-inf"))

    def answered(self, lma: Ipv4) -> None:
        """An authentic answer that is no 149."""
        self._silent.pop(lma, None)
        if self._blocked.pop(lma, None) is not None:
            self._trials.pop(lma, None)

    # Who is silent

    def fell_silent(self, lma: Ipv4, monotonic: float) -> None:
        """It left all tries of a registration without answer."""
        self._silent[lma] = monotonic + SILENCE_REMEMBERED

    def unreachable(self, lma: Ipv4, code: int, monotonic: float) -> None:
        """ICMP about it: an explanation for silence, nothing more (RFC 5944 3.7.3)."""
        self._unreachable[lma] = (_ICMP_CAUSES.get(code, f"ICMP code {code}"), monotonic)

    def why_silent(self, lma: Ipv4, monotonic: float) -> str:
        cause, at = self._unreachable.get(lma, ("", 0.0))
        if cause and at + ICMP_EXPLAINS >= monotonic:
            return cause
        return (
            "it is down, unreachable, or discards the request (it does when it knows no key for this NAI and SPI; "
            "its log says so)"
        )

    # Which tunnels it gives

    def gave(self, lma: Ipv4, tunnel: Tunnel, monotonic: float) -> None:
        """The next registration there most likely has such a tunnel: through a NAT, or another than we asked for."""
        self._tunnels[lma] = (tunnel, monotonic + TUNNEL_REMEMBERED)

    def sees_us_at(self, tunnel_end: Ipv4, public: Ipv4) -> None:
        """The LMA whose tunnels end there has got a message of ours from the address ``public``."""
        self._public[tunnel_end] = public

    def public(self, tunnel_end: Ipv4) -> Ipv4 | None:
        """For people alone (N57); None: it has not said."""
        return self._public.get(tunnel_end)

    def nothing_is_public(self) -> None:
        """Our own address is another one."""
        self._public.clear()

    def knows_keys(self, lma: Ipv4) -> bool:
        """Whether its latest tunnel had a GRE key: then its silence has nothing to do with extension 48 (T5)."""
        known = self._tunnels.get(lma)
        return known is not None and known[0].key_in is not None

    def gives(self, lma: Ipv4, monotonic: float) -> Tunnel | None:
        known, until = self._tunnels.get(lma, (None, 0.0))
        return known if until > monotonic else None
