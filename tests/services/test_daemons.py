"""twistd pmip-mag and pmip-lma: mistakes are told and nothing is touched; what was set up is taken down again."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.namespaces import private_network
from tests.programs import require

CONF = Path(__file__).parents[2] / "conf"
BIN = Path(sys.executable).parent

LMA_ADDRESS = "192.0.2.1"
MAG_ADDRESS = "198.51.100.10"


def daemon(role: str, config: Path) -> list[str]:
    return [str(BIN / "twistd"), "--pidfile=", "-n", f"pmip-{role}", "--config", str(config)]


def ended(role: str, config: Path) -> subprocess.CompletedProcess[str]:
    """A daemon that is expected to end by itself."""
    return subprocess.run(
        daemon(role, config), capture_output=True, text=True, timeout=20, cwd=config.parent, check=False
    )


def shell(command: str) -> str:
    return subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout


@contextmanager
def running(role: str, config: Path) -> Iterator[subprocess.Popen[str]]:
    """A daemon that has said that it is ready; killed at the end if it still runs."""
    process = subprocess.Popen(
        daemon(role, config), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=config.parent
    )
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "is ready" in line:
                break
        else:
            pytest.fail(f"the {role} did not start:\n{said}")
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The examples, fit for a private network: the user file as AAA, the control sockets in the test's folder."""
    lma = (CONF / "lma.toml").read_text()
    lma = lma.replace('# control = "/run', f'control = "{tmp_path}')
    (tmp_path / "lma.toml").write_text(lma)
    mag = (CONF / "mag.toml").read_text()
    mag = mag.replace('# control = "/run', f'control = "{tmp_path}')
    mag = re.sub(r"\[\[mag\.radius\.servers\]\].*", '[mag.local]\nusers = "users.toml"\n', mag, flags=re.S)
    (tmp_path / "mag.toml").write_text(mag)
    (tmp_path / "users.toml").write_text((CONF / "users.toml").read_text())
    return tmp_path


@pytest.fixture
def links() -> Iterator[None]:
    """A network with the addresses and interfaces that the examples name."""
    require("nft", "ip")
    with private_network():
        for command in (
            "ip link add core type veth peer name far",
            f"ip addr add {LMA_ADDRESS}/24 dev core",
            f"ip addr add {MAG_ADDRESS}/24 dev core",
            "ip link set core up",
            "ip link set far up",
            "ip link add eth1 type veth peer name host",
            "ip link set eth1 up",
            "ip link set host up",
        ):
            shell(command)
        yield


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
        mag.communicate(timeout=10)
    assert shell("nft list ruleset") == ""
    assert not (config / "pmip-mag.sock").exists()


@pytest.mark.usefixtures("links")
def test_an_lma_leaves_nothing_behind(config: Path) -> None:
    with running("lma", config / "lma.toml") as lma:
        assert "mip0" in shell("ip route show 10.1.0.0/24")
        lma.send_signal(signal.SIGTERM)
        lma.communicate(timeout=10)
    assert "mip0" not in shell("ip link show")
    assert not (config / "pmip-lma.sock").exists()


@pytest.mark.usefixtures("links")
def test_a_second_mag_fails_and_does_not_disturb_the_first(config: Path) -> None:
    with running("mag", config / "mag.toml"):
        rules = shell("nft list ruleset")
        second = ended("mag", config / "mag.toml")
        assert second.returncode == 1
        assert "434" in second.stdout + second.stderr
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
        second.communicate(timeout=10)
    assert shell("nft list ruleset") == ""
