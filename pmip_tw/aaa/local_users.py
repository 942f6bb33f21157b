"""The embedded AAA: a MAG's own table of mobile nodes."""

from collections.abc import Iterable

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import Accept, Credential, EapCredential, Reject, Verdict
from pmip_tw.addresses import Mac, mac_text


class LocalUsers:
    """Who may be served, by Ethernet address. ValueError: one address twice."""

    def __init__(self, users: Iterable[tuple[Mac, Profile]] = ()) -> None:
        self._profiles: dict[Mac, Profile] = {}
        for mac, profile in users:
            if mac in self._profiles:
                raise ValueError(f"two users have the address {mac_text(mac)}; each node is listed once")
            self._profiles[mac] = profile

    def __len__(self) -> int:
        return len(self._profiles)

    def find(self, mac: Mac) -> Profile | None:
        return self._profiles.get(mac)

    def verdict(self, credential: Credential) -> Verdict:
        """Accept with the node's profile, or Reject; there is nothing that could be unavailable."""
        if isinstance(credential, EapCredential):
            return Reject("the user file knows no EAP: 802.1X needs a RADIUS or Diameter server")
        profile = self.find(credential.mac)
        if profile is None:
            return Reject(f"{mac_text(credential.mac)} is not in the user file")
        return Accept(profile)
