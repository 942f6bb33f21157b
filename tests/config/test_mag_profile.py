"""[mag.profile]: what is read of it, and what is wrong with it."""

from pathlib import Path

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.config.load import load
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.errors import ConfigurationError
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.services.mag_aaa import profile_rules_of
from tests.config.files import USERS
from tests.conformance import covers

MAG = """
[mag]
address = "198.51.100.10"
identity = "mag1"
default_realm = "Example.org"
[[mag.access]]
interface = "eth1"
[[mag.home_prefixes]]
prefix = "10.1.0.0/24"
[[mag.radius.servers]]
address = "198.51.100.53"
secret = "text:secret"
"""


def settings(tmp_path: Path, profile: str) -> MagSettings:
    path = tmp_path / "mag.toml"
    path.write_text(MAG + profile)
    loaded = load(path)
    assert isinstance(loaded, MagSettings)
    return loaded


def test_rules_of_a_whole_table(tmp_path: Path) -> None:
    rules = profile_rules_of(
        settings(
            tmp_path,
            """
            [mag.profile]
            precedence = ["local", "radius"]
            visited = true
            [[mag.profile.realms]]
            realms = ["Example.net", "example.com"]
            lmas = ["192.0.2.1", "192.0.2.2"]
            lifetime = 600
            dns = ["10.9.0.53"]
            dhcp_server = "198.51.100.67"
            session_timeout = 7200
            idle_timeout = 300
            interim_interval = 60
            algorithm = "hmac-sha1"
            [[mag.profile.realms]]
            realms = [""]
            lifetime = 60
            """,
        )
    )
    assert rules.precedence == ("local", "radius")
    assert rules.visited
    assert rules.default_realm == "Example.org"
    found = rules.defaults_of("mn1@example.NET")
    assert found is rules.defaults_of("mn1@example.com")
    assert found.lmas == (ipv4("192.0.2.1"), ipv4("192.0.2.2"))
    assert (found.lifetime, found.session_timeout, found.idle_timeout) == (600, 7200, 300)
    assert (found.interim_interval, found.algorithm) == (60, Algorithm.HMAC_SHA1)
    assert found.name_servers == (ipv4("10.9.0.53"),)
    assert found.dhcp_server == ipv4("198.51.100.67")
    assert rules.defaults_of("mn1@elsewhere.example").lifetime == 60


def test_nothing_is_configured(tmp_path: Path) -> None:
    rules = profile_rules_of(settings(tmp_path, ""))
    assert rules.precedence == ("wimax", "3gpp2", "radius", "users", "local")
    assert not rules.visited
    assert rules.defaults_of("mn1@example.net").lmas == ()


@pytest.mark.parametrize(
    ("profile", "text"),
    [
        ("[mag.profile]\nprecedence = []", "precedence: must have at least one element"),
        ('[mag.profile]\nprecedence = ["wimax", "wimax"]', "precedence: has 'wimax' twice"),
        ('[mag.profile]\nprecedence = ["diameter"]', "diameter"),
        (
            '[[mag.profile.realms]]\nrealms = ["a.example"]\n[[mag.profile.realms]]\nrealms = ["A.example"]',
            "realms[0]: 'A.example' has its defaults on line 14 already",
        ),
        (
            '[mag.profile]\nprecedence = ["radius"]\n[[mag.profile.realms]]\nrealms = [""]',
            'without "local" nothing of [[mag.profile.realms]]',
        ),
        ('[[mag.profile.realms]]\nrealms = ["a@b"]', "'a@b' is not a realm"),
        ('[[mag.profile.realms]]\nrealms = [""]\nlmas = ["224.0.0.1"]', "224.0.0.1 is not the address"),
        ('[[mag.profile.realms]]\nrealms = [""]\nlifetime = 65535', "lifetime: must be from 0 to 65534"),
    ],
)
def test_mistakes_say_where_and_what(tmp_path: Path, profile: str, text: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        settings(tmp_path, profile)
    assert text in str(error.value)


@covers("AA1")
def test_a_file_of_users_is_one_of_the_sources(tmp_path: Path) -> None:
    """By the NAI that a server gives, and by the name under which it is asked about a MAC."""
    (tmp_path / "users.toml").write_text(USERS)
    rules = profile_rules_of(settings(tmp_path, "[mag.local]\nusers = 'users.toml'\n"))
    assert rules.users["mn1@example.net"].mn_ha is not None
    assert rules.names == {"02-00-00-00-00-01": "mn1@example.net"}
