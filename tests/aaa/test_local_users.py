"""The embedded AAA's table."""

import pytest

from pmip_tw.aaa.local_users import LocalUsers
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import Accept, MacCredential, Reject
from pmip_tw.addresses import ipv4, mac
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.secret import Secret

MN1 = mac("02:00:00:00:00:01")
PROFILE = Profile(
    nai="mn1@example.net",
    lmas=(ipv4("192.0.2.1"),),
    mn_ha=SecurityAssociation(4096, Secret(b"0123456789abcdef")),
)


def test_listed_nodes_are_accepted_and_others_rejected_by_name() -> None:
    users = LocalUsers([(MN1, PROFILE)])
    assert users.verdict(MacCredential(mac=MN1, port="eth1")) == Accept(PROFILE)
    stranger = users.verdict(MacCredential(mac=mac("02:00:00:00:00:09"), port="eth1"))
    assert stranger == Reject("02:00:00:00:00:09 is not in the user file")
    assert len(users) == 1


def test_one_address_twice_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="02:00:00:00:00:01"):
        LocalUsers([(MN1, PROFILE), (MN1, PROFILE)])
