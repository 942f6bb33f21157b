"""What a MAG's own file of users says of a node beside what AAA servers say: the static layer under theirs (AA1)."""

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.profiles.source import Source
from pmip_tw.addresses import Ipv4
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.mn_aaa import AaaAssociation


class UserSource(Source):
    """``user``: of whom the servers have said that it may be served."""

    def __init__(self, user: Profile) -> None:
        self._user = user

    def lmas(self) -> tuple[Ipv4, ...] | None:
        return self._user.lmas or None

    def mn_ha(self) -> SecurityAssociation | None:
        return self._user.mn_ha

    def mn_aaa(self) -> AaaAssociation | None:
        return self._user.mn_aaa

    def home_address(self) -> Ipv4 | None:
        return self._user.home_address or None

    def session_timeout(self) -> int | None:
        return self._user.session_timeout or None
