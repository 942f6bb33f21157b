"""What [mag.diameter] becomes: an identity, peers with their rights, and who is asked for what."""

from pathlib import Path

import attrs
import pytest

from pmip_tw.aaa.mac_authentication import MacFormat
from pmip_tw.aaa.nas import Nas
from pmip_tw.addresses import UNSPECIFIED, Ipv4, ipv4
from pmip_tw.config.load import load
from pmip_tw.config.settings.diameter import DiameterPeer, DiameterSettings
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.errors import PmipError
from pmip_tw.lab.certificates import Authority
from pmip_tw.net.diameter_authenticator import DiameterAuthenticator
from pmip_tw.net.radius import RadiusAuthenticator
from pmip_tw.services.diameter import asker_of, diameter_client_of, identity_of, policy_of
from pmip_tw.services.mag_aaa import authenticator_of, diameter_of, radius_of
from tests.clocks import UnarmedClock
from tests.conformance import covers
from tests.loops import private_reactor
from tests.observers import Notes

NAS = Nas(identifier="mag1.example.net", address=ipv4("198.51.100.10"))
PEER = DiameterPeer(identity="aaa1.example.net", address=ipv4("198.51.100.53"), transport="tcp")
TABLE = DiameterSettings(peers=(PEER,), realm="example.net")


@pytest.mark.parametrize(
    ("purposes", "authorization", "accounting"),
    [
        (("authentication", "accounting"), (1, 5), (3,)),
        (("authentication",), (1, 5), ()),
        (("accounting",), (), (3,)),
    ],
)
def test_applications_are_those_of_the_purposes(
    purposes: tuple[str, ...], authorization: tuple[int, ...], accounting: tuple[int, ...]
) -> None:
    found = identity_of(attrs.evolve(TABLE, purposes=purposes), NAS, 1_704_067_200)
    assert (found.authorization, found.accounting) == (authorization, accounting)
    assert (found.host, found.realm, found.address) == ("mag1.example.net", "example.net", NAS.address)
    assert found.state_id == 1_704_067_200
    assert identity_of(attrs.evolve(TABLE, identity="other.example.net"), NAS, 1).host == "other.example.net"


@covers("AA23")
@pytest.mark.parametrize(
    ("peer", "keys"),
    [
        ({"transport": "tls"}, True),
        ({"transport": "tcp"}, False),
        ({"transport": "tcp", "allow_plain_keys": True}, True),
        ({"transport": "tcp", "address": Ipv4(0x7F000001)}, True),
    ],
)
def test_keys_are_believed_over_tls_from_here_and_where_it_is_allowed(
    peer: dict[str, object], keys: bool
) -> None:
    assert policy_of(attrs.evolve(PEER, **peer), TABLE).keys is keys


def test_intervals_and_realms_reach_the_peer() -> None:
    table = attrs.evolve(TABLE, watchdog_interval=7, reconnect_interval=9)
    found = policy_of(attrs.evolve(PEER, realms=("Other.Example",)), table)
    assert (found.watchdog_interval, found.reconnect_interval) == (7, 9)
    assert found.realms == {"other.example"} and found.host == "aaa1.example.net"


def test_whom_it_asks_and_as_whom() -> None:
    with private_reactor() as reactor:
        client = diameter_client_of(TABLE, NAS, reactor, UnarmedClock(), Notes(), UNSPECIFIED)
        assert asker_of(TABLE, client, NAS).realm == "example.net"
        elsewhere = attrs.evolve(TABLE, server_realm="home.example", mac_format="aabbccddeeff")
        asker = asker_of(elsewhere, client, NAS)
        assert (asker.realm, asker.mac_format, asker.nas) == ("home.example", MacFormat.PLAIN, NAS)


def test_files_of_tls_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    table = attrs.evolve(
        TABLE, peers=(attrs.evolve(PEER, transport="tls"),), ca_file=str(tmp_path / "ca.pem")
    )
    with private_reactor() as reactor:
        for text, words in ((None, "No such file"), ("nothing", "no certificate")):
            if text is not None:
                (tmp_path / "ca.pem").write_text(text)
            with pytest.raises(PmipError, match=r"ca\.pem.*" + words):
                diameter_client_of(table, NAS, reactor, UnarmedClock(), Notes(), UNSPECIFIED)
        (tmp_path / "ca.pem").write_bytes(Authority().certificate)
        assert diameter_client_of(table, NAS, reactor, UnarmedClock(), Notes(), UNSPECIFIED).peers()


def test_who_is_asked_about_nodes() -> None:
    settings = load(Path(__file__).parents[2] / "conf" / "mag.toml")
    assert isinstance(settings, MagSettings)
    with private_reactor() as reactor:
        clock, notes = UnarmedClock(), Notes()
        radius = radius_of(settings, reactor, clock, notes)
        assert diameter_of(settings, reactor, clock, notes) is None
        for purposes, kind, accounts in (
            (("authentication",), DiameterAuthenticator, False),
            (("accounting",), RadiusAuthenticator, True),
        ):
            changed = attrs.evolve(settings, diameter=attrs.evolve(TABLE, purposes=purposes))
            diameter = diameter_of(changed, reactor, clock, notes)
            assert diameter is not None
            assert isinstance(authenticator_of(changed, radius, diameter), kind)
            assert (diameter.accounting is not None) is accounts
            assert diameter.tables()["peers"]()[0]["peer"] == "aaa1.example.net"
