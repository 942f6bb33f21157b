"""Whole files: the examples load, their commented defaults are true, and any text gives settings or mistakes."""

import re
import tomllib
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pmip_tw.addresses import Ipv4, ipv4, mac, prefix
from pmip_tw.config.load import load
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.config.settings.relay import RelaySettings
from pmip_tw.errors import ConfigurationError
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.secret import Secret

CONF = Path(__file__).parents[2] / "conf"
COMMENTED = re.compile(r"^# (?=\[|[a-z0-9_]+ = )", re.MULTILINE)
LOCAL = '[mag.local]\nusers = "users.toml"\n'


def mag_with_local_users() -> str:
    """conf/mag.toml with the other kind of AAA."""
    text = (CONF / "mag.toml").read_text()
    return text[: text.index("# AAA: either")] + LOCAL


def test_the_mag_example() -> None:
    loaded = load(CONF / "mag.toml")
    assert isinstance(loaded, MagSettings)
    assert loaded.address == ipv4("198.51.100.10")
    assert loaded.gateway_mac == mac("02:00:5e:50:4d:49")
    assert [link.interface for link in loaded.access] == ["eth1"]
    assert loaded.home_prefixes[0].prefix == prefix("10.1.0.0/24")
    assert loaded.home_prefixes[0].gateway == ipv4("10.1.0.1")
    assert loaded.home_prefixes[0].dns == (ipv4("10.9.0.53"),)
    assert loaded.radius is not None
    assert loaded.radius.servers[0].secret == Secret(b"change-me")
    assert loaded.local is None
    assert loaded.users == ()


def test_the_lma_example() -> None:
    loaded = load(CONF / "lma.toml")
    assert isinstance(loaded, LmaSettings)
    assert loaded.address_hold == loaded.max_lifetime == 3600
    first, second = loaded.mobile_nodes
    assert first.association(0) == SecurityAssociation(4096, Secret(b"0123456789abcdef"))
    assert first.home_address == Ipv4(0)
    assert second.algorithm is Algorithm.HMAC_SHA1
    assert second.home_address == ipv4("10.1.0.50")
    assert loaded.pools[0].gateway == ipv4("10.1.0.1")


def test_the_users_example_is_found_beside_the_mag_file(tmp_path: Path) -> None:
    (tmp_path / "mag.toml").write_text(mag_with_local_users())
    (tmp_path / "users.toml").write_text((CONF / "users.toml").read_text())
    loaded = load(str(tmp_path / "mag.toml"))
    assert isinstance(loaded, MagSettings)
    assert loaded.local is not None
    assert loaded.local.users.path == tmp_path / "users.toml"
    assert [user.nai for user in loaded.users] == ["mn1@example.net", "mn2@example.net"]
    assert loaded.users[1].association.algorithm is Algorithm.HMAC_SHA1
    assert loaded.users[0].session_timeout == 0


@pytest.mark.parametrize("name", ["mag.toml", "lma.toml", "dhcp-relay.toml"])
def test_commented_settings_show_their_defaults(name: str, tmp_path: Path) -> None:
    """The comment promises it: with every one of them uncommented, the settings are the same."""
    text = (CONF / name).read_text().partition("# ... or, without any AAA server")[0]
    text = text.partition("# With pre_tunnel: the DHCP servers")[0]
    uncommented = COMMENTED.sub("", text)
    assert len(uncommented) <= len(text) - 2 * 7, "there is something to uncomment"
    (tmp_path / name).write_text(uncommented)
    assert load(tmp_path / name) == load(CONF / name)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("mag.toml", MagSettings), ("lma.toml", LmaSettings), ("dhcp-relay.toml", RelaySettings)],
)
def test_every_setting_is_in_the_example(name: str, kind: Any) -> None:
    text = (CONF / name).read_text()
    (table,) = tomllib.loads(COMMENTED.sub("", text)).values()
    assert set(table) == {attribute.name for attribute in attrs.fields(kind)}


def test_address_hold_follows_max_lifetime(tmp_path: Path) -> None:
    text = (CONF / "lma.toml").read_text().replace("# max_lifetime = 3600", "max_lifetime = 60")
    (tmp_path / "lma.toml").write_text(text)
    loaded = load(tmp_path / "lma.toml")
    assert isinstance(loaded, LmaSettings)
    assert loaded.address_hold == 60


def test_no_key_can_be_read_from_printed_settings() -> None:
    printed = repr(load(CONF / "lma.toml")) + repr(load(CONF / "mag.toml"))
    assert "Secret(hidden)" in printed
    for key in ("0123456789abcdef", "00112233", "change-me"):
        assert key not in printed


TOML_WORDS = st.sampled_from(
    [
        *"[]{}=.,\"'#\n\r\t \\",
        '"""',
        "[mag]\n",
        "[lma]\n",
        "[dhcp_relay]\n",
        "[[lma.pools]]\n",
        "[[mag.access]]\n",
        "address = ",
        '"192.0.2.1"',
        "lifetime = ",
        "1",
        "true",
        "nan",
        "1979-05-27",
        "radius",
        "mobile_nodes",
        "prefix",
        "\0",
    ]
)
VALUES = st.recursive(
    st.sampled_from(["1", "-7", "1.5", "inf", "true", '""', '"10.1.0.0/24"', '"192.0.2.1"', "1979-05-27"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(
            st.sampled_from(["prefix", "nai", "spi", "key", "servers", "address", "users", "home_address"]),
            inner,
            max_size=4,
        ).map(lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}")
    ),
    max_leaves=6,
)
MAG_NAMES = st.sampled_from([attribute.name for attribute in attrs.fields(MagSettings)])
LMA_NAMES = st.sampled_from([attribute.name for attribute in attrs.fields(LmaSettings)])


def _table(role: str, values: dict[str, str]) -> str:
    return f"[{role}]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())


DOCUMENTS = (
    st.text()
    | st.lists(TOML_WORDS).map("".join)
    | st.dictionaries(MAG_NAMES, VALUES).map(lambda values: _table("mag", values))
    | st.dictionaries(LMA_NAMES, VALUES).map(lambda values: _table("lma", values))
)


@given(DOCUMENTS.map(lambda text: text.encode(errors="replace")) | st.binary())
@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300
)
def test_any_octets_give_settings_or_mistakes(tmp_path: Path, octets: bytes) -> None:
    """Never another exception; each mistake is one line with its place, in order."""
    file = tmp_path / "any.toml"
    file.write_bytes(octets)
    try:
        load(file)
    except ConfigurationError as error:
        assert error.mistakes
        places = []
        for line in error.mistakes:
            found = re.fullmatch(re.escape(str(file.parent)) + r"/[^\n]*?:(\d+):(\d+): .+", line)
            assert found or ": cannot be read: " in line, line
            if found and line.startswith(f"{file}:"):
                places.append((int(found[1]), int(found[2])))
        assert places == sorted(places)
