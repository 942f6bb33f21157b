"""docs/operations.md explains every word that an operator meets in logs and counters, and the units it speaks of."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()
UNITS = sorted((ROOT / "conf").glob("*.service"))

NAMING = {"_told": 0, "visitor_event": 0, "forget": 1, "_observation": 0, "_observed": 0, "registered": 1}
"""Functions that make an observation, and which argument is its name; its reason, if any, has that keyword."""
REASONING = {"discarded": 0, "_discarded": 0, "_discard": 0, "_dropped": 1, "frame_dropped": 1, "hopeless": 2}
"""Functions that make one with a reason, and which argument it is."""


def _words(node: ast.expr) -> Iterator[str]:
    """The words that an expression may have: of a constant, or of both sides of a condition."""
    if isinstance(node, ast.IfExp):
        yield from _words(node.body)
        yield from _words(node.orelse)
    elif (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch("[a-z-]+", node.value)
    ):
        yield node.value


def _values(tree: ast.AST, functions: dict[str, int], variable: str) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            place = functions.get(called)
            if place is not None and len(node.args) > place:
                yield node.args[place]
            if called in ("Observation", *NAMING) or place is not None:
                yield from (keyword.value for keyword in node.keywords if keyword.arg == variable)
        elif isinstance(node, ast.Assign) and variable in {
            target.id for target in node.targets if isinstance(target, ast.Name)
        }:
            yield node.value


def words(functions: dict[str, int], variable: str) -> set[str]:
    found: set[str] = set()
    for folder in ("lma", "mag", "aaa", "aaa/proxy", "dhcp", "agents"):
        for path in (ROOT / "pmip_tw" / folder).rglob("*.py"):
            tree = ast.parse(path.read_text())
            found.update(word for value in _values(tree, functions, variable) for word in _words(value))
    return {word for word in found if "-" in word or word in ("attached", "deregistered")}


def constants(module: str) -> set[str]:
    """The words of a module of counter names: NAME: Final = "word", or the values of an enumeration."""
    text = (ROOT / "pmip_tw" / module).read_text()
    return set(re.findall(r'^(?:    )?[A-Z][A-Z_0-9]+(?:: Final)? = "([a-z0-9-]+)"$', text, re.M))


def test_every_observation_is_explained() -> None:
    names = words(NAMING, "name")
    assert len(names) > 30
    assert sorted(name for name in names if f"`{name}`" not in PAGE) == []


def test_every_reason_is_explained() -> None:
    reasons = words(REASONING, "reason") | constants("forwarding/drops.py") | constants("access/homelink.py")
    reasons |= constants("access/eap_steps.py")
    reasons |= {
        word
        for word in constants("dhcp/requests.py") | constants("dhcp/discarded.py")
        if word.startswith("dhcp-")
    }
    assert len(reasons) > 40
    assert sorted(reason for reason in reasons if f"`{reason}`" not in PAGE) == []


def test_every_role_has_a_unit() -> None:
    assert [unit.name for unit in UNITS] == [
        "pmip-dhcp-relay.service",
        "pmip-lma.service",
        "pmip-mag.service",
    ]
    for unit in UNITS:
        role = unit.stem
        assert f"twistd --nodaemon --pidfile= {role} --config /etc/pmip/" in unit.read_text()
        assert f"conf/{unit.name}" in PAGE


def test_units_are_understood_by_systemd(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    for unit in UNITS:
        # The programs that it starts are not where it says on this machine.
        copy = tmp_path / unit.name
        copy.write_text(re.sub(r"/opt/pmip_tw/bin/\w+", "/bin/true", unit.read_text()))
        done = subprocess.run([program, "verify", str(copy)], capture_output=True, text=True, check=False)
        about = [line for line in done.stderr.splitlines() if unit.name in line]
        assert about == [] and done.returncode == 0, done.stderr
