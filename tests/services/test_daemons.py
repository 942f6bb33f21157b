"""twistd pmip-mag and pmip-lma: mistakes are told and nothing is touched; what was set up is taken down again."""

import json
import os
import re
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.namespaces import private_network
from tests.programs import require
from tests.services.daemons import BIN, MAG_ADDRESS, ended, running, shell


@pytest.mark.parametrize("role", ["mag", "lma"])
def test_every_mistake_is_told_and_nothing_is_touched(role: str, config: Path) -> None:
    path = config / f"{role}.toml"
    text = path.read_text().replace("identity", "identitty").replace("[[lma.pools]]", "[[lma.pool]]")
    path.write_text(text.replace("[[mag.home_prefixes]]", "[[mag.home_prefix]]"))
    before = sorted(config.iterdir())
    result = ended(role, path)
    assert result.returncode == 1
    told = result.stdout + result.stderr
    assert "Traceback" not in told
    places = re.findall(rf"^{re.escape(str(path))}:(\d+):(\d+): ", told, flags=re.M)
    assert len(places) >= 2
    assert "unknown setting 'identitty' - did you mean 'identity'?" in told
    assert sorted(config.iterdir()) == before


def test_pmipctl_check_says_the_same_as_the_daemon(config: Path) -> None:
    path = config / "lma.toml"
    path.write_text(path.read_text().replace("identity", "identitty"))
    checked = subprocess.run(
        [str(BIN / "pmipctl"), "--json", "check", str(path)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 1
    mistakes = json.loads(checked.stdout)["mistakes"]
    assert mistakes == ended("lma", path).stderr.splitlines()[-len(mistakes) :]


def test_the_file_of_the_other_role_is_refused(config: Path) -> None:
    result = ended("lma", config / "mag.toml")
    assert result.returncode == 1
    assert "it describes a MAG: twistd pmip-mag runs it" in result.stderr


def test_an_interface_that_is_not_there_is_named(config: Path) -> None:
    require("nft", "ip")
    with private_network():
        shell(f"ip addr add {MAG_ADDRESS}/32 dev lo")
        result = ended("mag", config / "mag.toml")
    assert result.returncode == 1
    told = result.stdout + result.stderr
    assert "eth1" in told and "Traceback" not in told
    assert not (config / "pmip-mag.sock").exists()


@pytest.mark.usefixtures("links")
def test_a_mag_leaves_nothing_behind(config: Path) -> None:
    with running("mag", config / "mag.toml") as mag:
        assert "eth1" in shell("nft list ruleset")
        assert (config / "pmip-mag.sock").stat().st_mode & 0o777 == 0o600
        mag.send_signal(signal.SIGTERM)
        mag.communicate(timeout=60)
    assert shell("nft list ruleset") == ""
    assert not (config / "pmip-mag.sock").exists()


@pytest.mark.usefixtures("links")
def test_an_lma_leaves_nothing_behind(config: Path) -> None:
    with running("lma", config / "lma.toml") as lma:
        assert "mip0" in shell("ip route show 10.1.0.0/24")
        lma.send_signal(signal.SIGTERM)
        lma.communicate(timeout=60)
    assert "mip0" not in shell("ip link show")
    assert not (config / "pmip-lma.sock").exists()


@pytest.mark.usefixtures("links")
def test_a_second_mag_fails_and_does_not_disturb_the_first(config: Path) -> None:
    """Neither with the same journal, nor with one of its own."""
    other = config / "other.toml"
    other.write_text((config / "mag.toml").read_text().replace("mag.journal", "other.journal"))
    with running("mag", config / "mag.toml") as first:
        rules = shell("nft list ruleset")
        for path, told in (
            (config / "mag.toml", f"mag.journal: is in use by process {first.pid}"),
            (other, "434"),
        ):
            second = ended("mag", path)
            assert second.returncode == 1
            assert told in second.stdout + second.stderr
        assert shell("nft list ruleset") == rules
        shown = subprocess.run(
            [str(BIN / "pmipctl"), "--socket", str(config / "pmip-mag.sock"), "show", "visitors"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert shown.stdout == "no visitors\n"


@pytest.mark.usefixtures("links")
@pytest.mark.parametrize("role", ["mag", "lma"])
def test_killed_and_started_again(role: str, config: Path) -> None:
    """What kill -9 leaves (an nftables rule, a socket file) does not keep the next one from starting."""
    path = config / f"{role}.toml"
    with running(role, path) as first:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    with running(role, path) as second:
        second.send_signal(signal.SIGTERM)
        second.communicate(timeout=60)
    assert shell("nft list ruleset") == ""


@pytest.mark.usefixtures("links")
@pytest.mark.parametrize("role", ["mag", "lma"])
@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("newer", "was written by a newer pmip_tw"),
        ("another role's", "another role"),
        ("no journal", "is no journal"),
    ],
)
def test_a_journal_that_cannot_be_used_is_left_alone(role: str, what: str, told: str, config: Path) -> None:
    path, journal = config / f"{role}.toml", config / f"{role}.journal"
    with running(role, path) as one:
        one.send_signal(signal.SIGTERM)
        one.communicate(timeout=60)
    if what == "newer":
        with closing(sqlite3.connect(journal)) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            db.execute(f"PRAGMA user_version = {version + 1}")
    elif what == "no journal":
        journal.write_bytes(b"something else" * 100)
    else:
        other = "mag" if role == "lma" else "lma"
        path.write_text(path.read_text().replace(f"{role}.journal", f"{other}.journal"))
        journal.rename(config / "mine")
        with running(other, config / f"{other}.toml") as stranger:
            stranger.send_signal(signal.SIGTERM)
            stranger.communicate(timeout=60)
        journal = config / f"{other}.journal"
    before = journal.read_bytes()
    result = ended(role, path)
    said = result.stdout + result.stderr
    assert result.returncode == 1
    assert f"{journal}: " in said and told in said
    assert "Traceback" not in said
    assert journal.read_bytes() == before
