"""Who may act on sessions, and which filters may be named (AA14, AA25): what is right, and what is said of the rest."""

from pathlib import Path

import pytest

from pmip_tw.config.load import load
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.errors import ConfigurationError
from pmip_tw.secret import Secret
from pmip_tw.services.dynamic_authorization import filters_of
from tests.conformance import covers

CONF = Path(__file__).parents[2] / "conf"
EXAMPLE = (CONF / "mag.toml").read_text()

CLIENT = '[[mag.dynamic_authorization.clients]]\naddress = "198.51.100.53"\nsecret = "text:abc"\n'
FILTER = '[[mag.filters]]\nname = "guests"\n'


def loaded(tmp_path: Path, more: str) -> MagSettings:
    file = tmp_path / "mag.toml"
    file.write_text(EXAMPLE + "\n" + more)
    settings = load(file)
    assert isinstance(settings, MagSettings)
    return settings


def mistakes(tmp_path: Path, more: str) -> str:
    with pytest.raises(ConfigurationError) as raised:
        loaded(tmp_path, more)
    return str(raised.value)


def test_nobody_may_ask_by_default(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "")
    assert settings.dynamic_authorization is None
    assert settings.filters == ()
    assert settings.unknown_filter == "reject"


@covers("AA14")
def test_each_client_has_its_secret(tmp_path: Path) -> None:
    authorization = loaded(tmp_path, CLIENT + CLIENT.replace(".53", ".54").replace("abc", "other"))
    found = authorization.dynamic_authorization
    assert found is not None
    assert [client.secret for client in found.clients] == [Secret(b"abc"), Secret(b"other")]
    assert (found.port, found.window) == (3799, 300)
    assert found.require_event_timestamp and not found.require_message_authenticator
    assert "abc" not in repr(found)


def test_the_example_is_right(tmp_path: Path) -> None:
    """What stands in the comments works without them."""
    section = EXAMPLE[EXAMPLE.index("# [mag.dynamic_authorization]") :].partition("\n\n")[0]
    lines = [line for line in section.splitlines() if not line.removeprefix("# ")[:1].isupper()]
    text = "\n".join(line.removeprefix("#").strip() for line in lines if " = " in line or "[" in line)
    rules = EXAMPLE[EXAMPLE.index("#     [[mag.filters]]") : EXAMPLE.index("# filters = []")]
    settings = loaded(tmp_path, text + "\n" + rules.replace("#     ", ""))
    assert settings.dynamic_authorization is not None
    assert filters_of(settings.filters)["walled-garden"].permits_others is False


@covers("AA25")
def test_filters_are_compiled(tmp_path: Path) -> None:
    rules = 'rules = ["deny up tcp any port 25", "permit both ip 10.0.0.0/8"]\ndefault = "permit"\n'
    filters = filters_of(loaded(tmp_path, FILTER + rules).filters)
    assert list(filters) == ["guests"]
    assert [rule.permits for rule in filters["guests"].rules] == [False, True]
    assert filters["guests"].permits_others


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            "[mag.dynamic_authorization]\nclients = []\n",
            "add at least one [[mag.dynamic_authorization.clients]]",
        ),
        ("[mag.dynamic_authorization]\nport = 3800\n", "missing setting 'clients'"),
        (CLIENT * 2, "the client 198.51.100.53 is already used on line"),
        (CLIENT + "[mag.dynamic_authorization]\nwindow = 0\n", "must be from 1 to 86400"),
        (FILTER * 2, "the filter guests is already used on line"),
        (FILTER.replace("guests", "two words"), "'two words' is not the name of a filter"),
        (FILTER + 'rules = ["permit up tcp any port http"]\n', "has 'http' where a port"),
        (FILTER + 'rules = ["drop everything"]\n', "'drop everything' is not ACTION DIRECTION PROTOCOL WHOM"),
        (FILTER + 'default = "drop"\n', "'drop' is none of permit, deny"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, more: str, said: str) -> None:
    assert said in mistakes(tmp_path, more)


def test_a_wrong_rule_is_named_with_its_line(tmp_path: Path) -> None:
    text = mistakes(tmp_path, FILTER + 'rules = [\n  "permit up ip any",\n  "deny sideways ip any",\n]\n')
    line = EXAMPLE.count("\n") + 1 + FILTER.count("\n") + 3
    assert f"mag.toml:{line}:" in text
    assert "rules[1]: 'deny sideways ip any' has 'sideways'" in text
