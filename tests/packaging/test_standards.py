"""The standards that hold for every file: style, types, and the import contract that keeps the core pure."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


def _run(program: str, *arguments: str) -> None:
    """Run a checker of this environment on the whole checkout; its own report is the failure's text."""
    path = shutil.which(program, path=str(BIN))
    if path is None:
        pytest.skip(f"{program} is not installed beside {sys.executable}")
    done = subprocess.run(
        [path, *arguments], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    assert done.returncode == 0, f"{program} {' '.join(arguments)}\n{done.stdout}"


def test_style() -> None:
    _run("ruff", "check", ".")


def test_layout() -> None:
    _run("ruff", "format", "--check", "--diff", ".")


def test_types() -> None:
    _run("mypy")


def test_imports_point_down_the_house() -> None:
    _run("lint-imports")


def test_plugin_directory_is_no_package() -> None:
    """An __init__.py in twisted/plugins would hide every other project's plugins."""
    assert not (ROOT / "twisted" / "plugins" / "__init__.py").exists()
    assert not (ROOT / "twisted" / "__init__.py").exists()


def test_only_services_know_the_reactor() -> None:
    """Everything else is given what it needs of it, so that it also runs on a fake clock and a fake network."""
    importers = [
        path.relative_to(ROOT / "pmip_tw")
        for path in sorted((ROOT / "pmip_tw").rglob("*.py"))
        if re.search(
            r"^\s*(from twisted\.internet import .*\breactor\b|import twisted\.internet\.reactor)",
            path.read_text(),
            re.M,
        )
    ]
    assert [str(path) for path in importers if path.parts[0] != "services"] == []


def test_nobody_has_left_a_conflict_behind() -> None:
    """Python would say so itself; pages, settings and units would not."""
    told = [
        f"{path.relative_to(ROOT)}:{number}"
        for pattern in (
            "Makefile",
            "*.md",
            "*.toml",
            "conf/*",
            "docs/**/*.md",
            "tests/**/*.md",
            "tests/**/*.toml",
        )
        for path in sorted(ROOT.glob(pattern))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.match(r"(<<<<<<<|>>>>>>>) ", line)
    ]
    assert told == []


def test_tests_are_packages() -> None:
    """Else two files of one name are one module to pytest, which then collects nothing of the whole suite."""
    without = {
        str(test.parent)
        for test in (ROOT / "tests").rglob("test_*.py")
        if not (test.parent / "__init__.py").exists()
    }
    assert without == set()
