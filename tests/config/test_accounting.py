"""[mag.accounting]: what is read of it, and what is wrong with it."""

from pathlib import Path

import pytest

from pmip_tw.config.load import load
from pmip_tw.config.settings.accounting import LmaAccounting, MagAccounting
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.errors import ConfigurationError
from tests.config.test_mag_profile import MAG

ON = "[mag.accounting]\nenabled = true\n"


def settings(tmp_path: Path, text: str) -> MagSettings:
    path = tmp_path / "mag.toml"
    path.write_text(text)
    loaded = load(path)
    assert isinstance(loaded, MagSettings)
    return loaded


def test_nobody_is_told_anything_unless_an_operator_wants_it(tmp_path: Path) -> None:
    table = settings(tmp_path, MAG).accounting
    assert table == MagAccounting()
    assert not table.enabled and table.spool == "/var/lib/pmip/mag.accounting"


def test_all_of_it(tmp_path: Path) -> None:
    more = 'interim_interval = 300\nspool = "/x/y"\nspool_size = 2\nattributes = "wimax"\non_off = false\n'
    assert settings(tmp_path, MAG + ON + more).accounting == MagAccounting(
        enabled=True, interim_interval=300, spool="/x/y", spool_size=2, attributes="wimax", on_off=False
    )


@pytest.mark.parametrize(
    "text, complaint",
    [
        (MAG + 'purposes = ["authentication"]\n' + ON, r"mag\.radius\.servers.*accounting.*purposes"),
        (
            MAG.replace("[[mag.radius.servers]]", "")
            .replace('address = "198.51.100.53"', "")
            .replace('secret = "text:secret"', '[mag.local]\nusers = "users.toml"')
            + ON,
            "needs a server that takes accounting",
        ),
        (MAG + ON + "interim_interval = 30", "at least 60 seconds, or 0 for none, not 30"),
        (MAG + "[mag.accounting]\ninterim_interval = 59", "at least 60"),
        (MAG + ON + 'spool = ""', "must be a file"),
        (MAG + ON + 'spool = "here"', "must be a file with its whole path"),
        (
            MAG.replace("[mag]\n", '[mag]\nstore = "/var/lib/x"\n') + ON + 'spool = "/var/lib/x"',
            "store is in that file",
        ),
        (MAG + ON + "spool_size = 0", "spool_size"),
        (MAG + ON + 'attributes = "diameter"', "as-profile"),
    ],
    ids=["purpose", "no-server", "often", "often-off", "none", "relative", "same", "size", "words"],
)
def test_mistakes(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "users.toml").write_text("")
    with pytest.raises(ConfigurationError, match=complaint):
        settings(tmp_path, text)


LMA = """
[lma]
address = "192.0.2.1"
identity = "lma1"
[[lma.pools]]
prefix = "10.1.0.0/24"
realms = ["example.net"]
[[lma.radius.servers]]
address = "198.51.100.53"
secret = "text:secret"
"""


def test_an_lma_has_the_same(tmp_path: Path) -> None:
    path = tmp_path / "lma.toml"
    path.write_text(LMA + "[lma.accounting]\nenabled = true\nspool_size = 1000\n")
    loaded = load(path)
    assert isinstance(loaded, LmaSettings)
    assert loaded.accounting == LmaAccounting(enabled=True, spool_size=1000)
    assert loaded.accounting.spool == "/var/lib/pmip/lma.accounting"


def test_several_processes_may_account(tmp_path: Path) -> None:
    path = tmp_path / "lma.toml"
    path.write_text(LMA.replace("[lma]\n", "[lma]\nworkers = 3\n") + "[lma.accounting]\nenabled = true\n")
    loaded = load(path)
    assert isinstance(loaded, LmaSettings) and loaded.accounting.enabled
