"""[lma.radius] and [lma.keys]: what is read of them, and what is wrong with them."""

import tomllib
from pathlib import Path

import attrs
import pytest

from pmip_tw.config.load import load
from pmip_tw.config.settings.keys import KeySettings
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.errors import ConfigurationError
from pmip_tw.lma.keys.policy import KeyPolicy
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.services.lma_aaa import key_policy_of, key_rules_of
from tests.config.test_load import COMMENTED, CONF

LMA = """
[lma]
address = "192.0.2.1"
identity = "lma1"
workers = {workers}
[[lma.pools]]
prefix = "10.1.0.0/24"
"""
SERVER = """
[[lma.radius.servers]]
address = "198.51.100.53"
secret = "text:secret"
"""


def settings(tmp_path: Path, text: str, workers: int = 1) -> LmaSettings:
    path = tmp_path / "lma.toml"
    path.write_text(LMA.format(workers=workers) + text)
    loaded = load(path)
    assert isinstance(loaded, LmaSettings)
    return loaded


def test_a_whole_table(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        SERVER
        + """
        [lma.keys]
        precedence = ["3gpp2"]
        lifetime = 600
        grace = 60
        overlap = 5
        reject_hold = 1
        recheck = 2
        max_keys = 1000
        max_rate = 100
        max_outstanding = 10
        unknown_filter = "ignore"
        [[lma.keys.realms]]
        realms = ["Example.net"]
        algorithm = "hmac-sha1"
        """,
    )
    assert key_policy_of(found) == KeyPolicy(
        lifetime=600,
        grace=60,
        overlap=5,
        refused=1,
        again=2,
        most=1000,
        rate=100,
        outstanding=10,
        ignores_unknown_filters=True,
    )
    rules = key_rules_of(found)
    assert rules.precedence == ("3gpp2",)
    assert rules.defaults_of("mn1@example.net").algorithm is Algorithm.HMAC_SHA1
    assert rules.defaults_of("mn1@example.org").algorithm is Algorithm.HMAC_MD5


def test_defaults_are_those_of_the_policy_and_of_the_example(tmp_path: Path) -> None:
    assert key_policy_of(settings(tmp_path, SERVER)) == KeyPolicy()
    shown = tomllib.loads(COMMENTED.sub("", (CONF / "lma.toml").read_text()))["lma"]["keys"]
    (tmp_path / "shown").mkdir()
    loaded = settings(tmp_path, SERVER + "[lma.keys]\n" + "".join(f"{k} = {v!r}\n" for k, v in shown.items()))
    assert loaded.keys == KeySettings()
    assert set(shown) == {field.name for field in attrs.fields(KeySettings)}


def test_workers_share_what_may_be_asked(tmp_path: Path) -> None:
    policy = key_policy_of(settings(tmp_path, SERVER, workers=4))
    assert policy is not None
    assert (policy.rate, policy.outstanding, policy.most) == (250, 32, 250_000)


def test_nobody_is_asked_without_servers_or_with_servers_for_accounting_only(tmp_path: Path) -> None:
    assert key_policy_of(settings(tmp_path, "")) is None
    assert key_policy_of(settings(tmp_path, SERVER + 'purposes = ["accounting"]')) is None


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("[lma.keys]\nlifetime = 600", "add [[lma.radius.servers]]"),
        (SERVER + 'purposes = ["accounting"]\n[lma.keys]\nlifetime = 600', "nobody is asked for any"),
        (SERVER + "[lma.keys]\nprecedence = []", "precedence: must have at least one element"),
        (SERVER + '[lma.keys]\nprecedence = ["radius"]', "radius"),
        (SERVER + "[lma.keys]\nmax_rate = 1", "max_rate: must be from 10"),
        (SERVER + "[lma.keys]\nrecheck = 0", "recheck: must be from 1"),
        (
            SERVER
            + '[[lma.keys.realms]]\nrealms = ["a"]\nalgorithm = "hmac-md5"\n'
            + '[[lma.keys.realms]]\nrealms = ["A"]\nalgorithm = "hmac-md5"',
            "'A' has its algorithm on line",
        ),
        ('[[lma.radius.servers]]\naddress = "198.51.100.53"', "missing setting 'secret'"),
        (SERVER + SERVER, "198.51.100.53:1812"),
    ],
)
def test_mistakes_say_where_and_what(tmp_path: Path, text: str, mistake: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        settings(tmp_path, text)
    assert mistake in str(error.value)
