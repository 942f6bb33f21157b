"""What people install: the wheel, in an environment that has nothing of this checkout."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the source files, so that the checkout stays as it is."""
    source = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("this is no git checkout, so that its source files are not known")
    for name in filter(None, listed.stdout.decode().split("\0")):
        origin, copy = ROOT / name, source / name
        if origin.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(origin.read_bytes())
    directory = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "-w", str(directory), str(source)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert built.returncode == 0, built.stdout
    (found,) = directory.glob("*.whl")
    return found


def test_wheel_holds_the_plugin_and_the_typing_marker(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "twisted/plugins/pmip_tw_plugin.py" in names
    assert "pmip_tw/py.typed" in names
    assert not any(name.startswith("tests/") for name in names)


def test_a_clean_environment_lists_both_roles(wheel: Path, tmp_path: Path) -> None:
    """``twistd --help`` names a role only if the plugin module was found and imports."""
    venv.create(tmp_path / "venv", with_pip=True)
    binaries = tmp_path / "venv" / "bin"
    installed = subprocess.run(
        [binaries / "python", "-m", "pip", "install", "--quiet", str(wheel)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert installed.returncode == 0, installed.stdout
    shown = subprocess.run(
        [binaries / "twistd", "--help"], cwd=tmp_path, text=True, capture_output=True, check=True
    ).stdout
    assert "pmip-mag" in shown
    assert "pmip-lma" in shown
    assert "pmip-dhcp-relay" in shown
    assert (binaries / "pmipctl").exists()
    assert (binaries / "pmip-lab").exists()
