"""``[mag] local_breakout`` (N58): settings, mistakes with the line that the operator reads, and what is composed."""

from pathlib import Path

import pytest

from pmip_tw.addresses import ipv4, prefix
from pmip_tw.config.describe import description
from pmip_tw.config.load import load
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.services.mag import breakout_of
from tests.conformance import covers

from .files import MAG, USERS, mistakes

LOCAL = MAG.replace(
    '[[mag.radius.servers]]\naddress = "198.51.100.53"\nsecret = "text:change-me"\n',
    '[mag.local]\nusers = "users.toml"\n',
)


def loaded(directory: Path, text: str) -> MagSettings:
    (directory / "mag.toml").write_text(text)
    settings = load(directory / "mag.toml")
    assert isinstance(settings, MagSettings)
    return settings


def with_breakout(listed: str, more: str = "", base: str = MAG) -> str:
    return base.replace("[mag]\n", f"[mag]\nlocal_breakout = {listed}\n{more}")


@covers("N58")
def test_by_default_everything_goes_into_the_tunnels(tmp_path: Path) -> None:
    settings = loaded(tmp_path, MAG)
    assert settings.local_breakout == ()
    assert breakout_of(settings).prefixes == ()
    assert "past the tunnels" not in description(settings)[1]


@pytest.mark.parametrize(("mode", "proxy_arp"), [("snat", False), ("proxy_arp", True)])
def test_what_is_composed(mode: str, proxy_arp: bool, tmp_path: Path) -> None:
    """Servers in the listed networks are left out: they know this MAG by its address."""
    more = f'local_breakout_mode = "{mode}"\nlocal_breakout_device = "lan"\ndefault_lmas = ["192.0.2.1"]\n'
    settings = loaded(tmp_path, with_breakout('["198.51.100.0/24", "198.51.100.10/32"]', more))
    rules = breakout_of(settings)
    assert (rules.device, rules.proxy_arp) == ("lan", proxy_arp)
    assert rules.prefixes == (prefix("198.51.100.0/24"), prefix("198.51.100.10/32"))
    assert rules.home_prefixes == (prefix("10.1.0.0/24"),)
    assert rules.trusting == {ipv4("198.51.100.53"), ipv4("192.0.2.1")}
    assert description(settings)[1].endswith(", 198.51.100.0/24, 198.51.100.10/32 past the tunnels")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            with_breakout('["0.0.0.0/0"]'),
            "mag.toml:2:19: local_breakout[0]: 0.0.0.0/0 would lead everything past the tunnels; list the networks"
            " nearby that nodes are to reach",
        ),
        (
            with_breakout('["127.0.0.0/8"]'),
            "mag.toml:2:19: local_breakout[0]: 127.0.0.0/8 has addresses that no machine nearby can have",
        ),
        (
            with_breakout('["192.0.0.0/2"]'),
            "mag.toml:2:19: local_breakout[0]: 192.0.0.0/2 has addresses that no machine nearby can have",
        ),
        (
            with_breakout('["192.168.1.0/24", "192.168.1.0/24"]'),
            "mag.toml:2:37: local_breakout[1]: 192.168.1.0/24 is there twice",
        ),
        (
            with_breakout('["10.0.0.0/8"]'),
            "mag.toml:2:19: local_breakout[0]: 10.0.0.0/8 overlaps the home prefix 10.1.0.0/24 on line 8: nodes are"
            " reached through their LMA",
        ),
        (
            with_breakout('["10.1.0.128/25"]'),
            "mag.toml:2:19: local_breakout[0]: 10.1.0.128/25 overlaps the home prefix 10.1.0.0/24 on line 8: nodes"
            " are reached through their LMA",
        ),
        (
            with_breakout('["192.0.2.0/24"]', 'default_lmas = ["192.0.2.1"]\n'),
            "mag.toml:2:19: local_breakout[0]: 192.0.2.0/24 has the LMA 192.0.2.1 (line 3), which knows this MAG by"
            " its address",
        ),
        (
            with_breakout('["192.0.2.0/24"]') + '[[mag.lmas]]\naddress = "192.0.2.1"\nauth = "ipsec"\n',
            "mag.toml:2:19: local_breakout[0]: 192.0.2.0/24 has the LMA 192.0.2.1 (line 14), which knows this MAG by"
            " its address",
        ),
        (
            with_breakout('["198.51.100.53/32"]'),
            "mag.toml:2:19: local_breakout[0]: 198.51.100.53/32 is the server on line 11, which knows this MAG by its"
            " address: it cannot be reached that way",
        ),
        (
            with_breakout('["192.168.1.0/24"]', 'local_breakout_device = "eth1"\n'),
            "mag.toml:3:1: local_breakout_device: eth1 is one of this MAG's interfaces; the device is made by the"
            " daemon, give it a name of its own",
        ),
        (
            with_breakout('["192.168.1.0/24"]', 'local_breakout_mode = "dnat"\n'),
            "mag.toml:3:1: local_breakout_mode: 'dnat' is none of snat, proxy_arp - did you mean 'snat'?",
        ),
    ],
)
def test_mistakes(text: str, expected: str, tmp_path: Path) -> None:
    assert mistakes(tmp_path, text) == [expected]


def test_the_lma_of_a_user(tmp_path: Path) -> None:
    assert mistakes(tmp_path, with_breakout('["192.0.2.0/24"]', base=LOCAL), USERS) == [
        "users.toml:1:1: the LMA 192.0.2.1 is in 192.0.2.0/24 of local_breakout, but knows the MAG by its address"
    ]
    assert mistakes(tmp_path, with_breakout('["192.168.1.0/24"]', base=LOCAL), USERS) == []
