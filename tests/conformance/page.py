"""docs/conformance.md: how it is written, and what is wrong with one."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from tests.conformance.families import FAMILIES, all_ids
from tests.conformance.proofs import Proof
from tests.conformance.rules import ROOT, Rule
from tests.conformance.statuses import IMPLEMENTED, VERSIONS, Status

PAGE = ROOT / "docs" / "conformance.md"
COMMAND = "python -m tests.conformance"

Rules = Mapping[str, Rule]
Statuses = Mapping[str, Status]
Proofs = Mapping[str, tuple[Proof, ...]]

_INTRODUCTION = f"""\
# Conformance

<!-- Written by `{COMMAND}`: edit docs/requirements.md, tests/conformance/statuses.toml or the tests. -->

What became of every rule in [requirements.md](requirements.md), which also says where each comes from, and the tests
that fail if it is broken. `make test` runs them all and fails if this page does not say what is so.

- **implemented**: in this version, with a test that names it
- **later**: waits for the version that brings NAT traversal, AAA, PPP, foreign agents (FA) or VPN; what is tested
  already is named
- **not applicable**, **not implemented**: the reason stands beside it
"""


def status(name: str, statuses: Statuses) -> Status:
    """What is not declared is implemented."""
    return statuses.get(name, IMPLEMENTED)


def written(rules: Rules, statuses: Statuses, proofs: Proofs) -> str:
    """The whole page; the same input gives the same octets."""
    families = [_family(family, rules, statuses, proofs) for family in FAMILIES]
    return "\n".join([_INTRODUCTION, _summary(statuses, proofs), *families])


def _summary(statuses: Statuses, proofs: Proofs) -> str:
    kinds = ("implemented", "later", "not applicable", "not implemented")
    lines = [f"| Family | {' | '.join(kinds)} | all |", "|---|" + "--:|" * (len(kinds) + 1)]
    total: Counter[str] = Counter()
    for family, (about, last) in FAMILIES.items():
        counted = Counter(status(f"{family}{number}", statuses).kind for number in range(1, last + 1))
        total += counted
        lines.append(_counts(f"[{family}: {about}](#{_anchor(family)})", kinds, counted))
    lines.append(_counts("**all**", kinds, total))
    waiting = Counter(its.why for its in statuses.values() if its.kind == "later")
    later = ", ".join(f"{version} {waiting[version]}" for version in VERSIONS)
    tests = {proof for some in proofs.values() for proof in some}
    return "\n".join([*lines, "", f"Later: {later}. {len(tests)} tests name a rule.", ""])


def _counts(title: str, kinds: tuple[str, ...], counted: Counter[str]) -> str:
    return f"| {title} | {' | '.join(str(counted[kind] or '') for kind in kinds)} | {counted.total()} |"


def _title(family: str) -> str:
    return f"{family}: {FAMILIES[family][0]}"


def _anchor(family: str) -> str:
    """What a renderer makes of the heading."""
    return re.sub(r"[^a-z0-9 -]", "", _title(family).lower()).replace(" ", "-")


def _family(family: str, rules: Rules, statuses: Statuses, proofs: Proofs) -> str:
    lines = [f"## {_title(family)}", "", "| Id | Rule | Status | Tests |", "|---|---|---|---|"]
    for number in range(1, FAMILIES[family][1] + 1):
        name = f"{family}{number}"
        rule = rules[name].text if name in rules else ""
        lines.append(f"| {name} | {rule} | {status(name, statuses)} | {_tests(proofs.get(name, ()))} |")
    return "\n".join([*lines, ""])


def _tests(proofs: tuple[Proof, ...]) -> str:
    """By file: a link to it, then the names of its tests, each on a line of its own."""
    files: dict[str, list[str]] = {}
    for proof in proofs:
        files.setdefault(proof.path, []).append(proof.name)
    return "<br>".join(
        "<br>".join([f"[{path}](../tests/{path})", *(f"`{name}`" for name in names if name)])
        for path, names in files.items()
    )


def problems(rules: Rules, statuses: Statuses, proofs: Proofs, page: str) -> Iterator[str]:
    """What is wrong with the page and what it is made of; nothing, if every id is as the page says."""
    rows = _rows(page)
    known = {str(proof) for some in proofs.values() for proof in some}
    for name in all_ids():
        its = status(name, statuses)
        if name not in rules or len(rules[name].text) < 10:
            yield f"{name}: docs/requirements.md does not say what it asks for"
        if its == IMPLEMENTED and not proofs.get(name):
            yield f"{name}: no test proves it; write one with @covers, or declare it in tests/conformance/statuses.toml"
        if its.kind.startswith("not ") and proofs.get(name):
            yield f"{name}: declared {its.kind}, but {proofs[name][0]} claims to prove it"
        if name not in rows:
            yield f"{name}: docs/conformance.md has no row for it; run: {COMMAND}"
        for test in rows.get(name, ()):
            if test not in known:
                yield f"{name}: docs/conformance.md names {test}, which is no marked test; run: {COMMAND}"
    if page != written(rules, statuses, proofs):
        yield f"docs/conformance.md is not what the tests say now; run: {COMMAND}"


def _rows(page: str) -> dict[str, list[str]]:
    """Id -> the tests that its row names, as Proof prints them."""
    found: dict[str, list[str]] = {}
    for name, cell in re.findall(r"^\| ([A-Z]{1,2}\d+) \|.*\|([^|]*)\|$", page, re.M):
        found[name] = []
        for path, names in re.findall(r"\]\(\.\./(tests/[^)]*)\)((?:<br>`[^`]*`)*)", cell):
            tests = re.findall(r"`([^`]*)`", names)
            found[name] += [f"{path}::{test}" for test in tests] or [path]
    return found
