"""[[mag.access]] authentication and [mag.dot1x]: what is read of them, and what is wrong with them."""

from pathlib import Path

import pytest

from pmip_tw.access.authenticator import EapTimes
from pmip_tw.config.load import load
from pmip_tw.errors import ConfigurationError
from pmip_tw.mag.authentication.access_policy import AccessPolicy, Dot1xPolicy, PortAuthentication
from pmip_tw.services.mag_access import access_policy_of
from tests.config.files import AAA, mag_settings, two_ports

LOCAL = """
[mag.local]
users = "users.toml"
"""


def written(tmp_path: Path, authentication: str, more: str = "", aaa: str = AAA) -> Path:
    return two_ports(tmp_path, authentication, more, aaa)


def policy(path: Path) -> AccessPolicy:
    return access_policy_of(mag_settings(path))


def mistakes(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    return str(caught.value)


def test_nothing_said(tmp_path: Path) -> None:
    """By MAC, and the defaults of the machine are those of the file."""
    found = policy(written(tmp_path, ""))
    assert {found.of(port) for port in ("eth1", "eth2")} == {PortAuthentication.MAC}
    assert found.dot1x == Dot1xPolicy()


def test_a_whole_table(tmp_path: Path) -> None:
    more = """
        [mag.dot1x]
        reauth_period = 0
        tx_period = 1.5
        max_tries = 2
        quiet_period = 60
        server_timeout = 10
        mac_after = 4
        max_conversations = 10
        max_new = 5
    """
    found = policy(written(tmp_path, 'authentication = "802.1x-or-mac"', more))
    assert found.of("eth1") is PortAuthentication.DOT1X_OR_MAC and found.of("eth2") is PortAuthentication.MAC
    assert found.dot1x == Dot1xPolicy(
        times=EapTimes(tx_period=1.5, max_tries=2, quiet_period=60, server_timeout=10),
        reauth_period=0,
        mac_after=4,
        max_conversations=10,
        max_new=5,
    )


def test_a_file_of_users_knows_no_eap(tmp_path: Path) -> None:
    text = mistakes(written(tmp_path, 'authentication = "802.1x"', aaa=LOCAL))
    assert ":7:" in text and "802.1X needs AAA servers, besides [mag.local] or in its place" in text


def test_a_word_that_is_none_is_the_only_mistake(tmp_path: Path) -> None:
    text = mistakes(written(tmp_path, 'authentication = "802.1X"', "[mag.dot1x]\ntx_period = 1"))
    assert len(text.splitlines()) == 1 and "authentication" in text


@pytest.mark.parametrize("line", ["max_tries = 0", "tx_period = 0", "reauth_period = -1", "max_new = 0"])
def test_what_cannot_be(tmp_path: Path, line: str) -> None:
    assert line.partition(" ")[0] in mistakes(
        written(tmp_path, 'authentication = "802.1x"', f"[mag.dot1x]\n{line}")
    )
