"""Which tests claim to prove which rules: every ``covers(...)`` under tests/, found without running anything."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs


@attrs.frozen(slots=True, order=True)
class Proof:
    """A test, a class of tests or a whole module that is marked; one with parameters counts once."""

    path: str
    """Below tests/, as "lma/test_pools.py"."""
    name: str
    """As pytest has it, "test_x", "TestX" or "TestX::test_y"; "" is the whole module."""

    def __str__(self) -> str:
        return f"tests/{self.path}::{self.name}" if self.name else f"tests/{self.path}"


class Misplaced(ValueError):
    """A ``covers`` that marks nothing which pytest would run."""


def proofs(tests: Path) -> dict[str, tuple[Proof, ...]]:
    """Id -> its proofs, sorted, in all modules below ``tests``.

    Raises:
        Misplaced: see there; the message says where.
    """
    found: dict[str, set[Proof]] = {}
    for path in sorted(tests.rglob("*.py")):
        place, text = path.relative_to(tests).as_posix(), path.read_text()
        if "covers" in text and not place.startswith("conformance/"):
            for name, proof in _in_module(ast.parse(text), place):
                found.setdefault(name, set()).add(proof)
    return {name: tuple(sorted(some)) for name, some in found.items()}


def _in_module(module: ast.Module, path: str) -> Iterator[tuple[str, Proof]]:
    used: set[ast.Call] = set()
    if _is_collected(path):
        for name, marks in _marked(module.body, ""):
            for call in _calls(marks):
                used.add(call)
                yield from ((id_, Proof(path, name)) for id_ in _ids(call, path))
    lost = [call.lineno for call in _calls([module]) if call not in used]
    lost += [
        node.lineno for node in ast.walk(module) if isinstance(node, ast.Attribute) and node.attr == "covers"
    ]
    if lost:
        raise Misplaced(f"tests/{path}:{min(lost)}: put @covers(...) of tests.conformance above a test")


def _is_collected(path: str) -> bool:
    return path.rpartition("/")[2].startswith("test_")


def _marked(body: Iterable[ast.stmt], inside: str) -> Iterator[tuple[str, list[ast.expr]]]:
    """The tests of a module or class by name, each with the expressions that may mark it."""
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name.startswith("test_"):
                yield inside + name, node.decorator_list
            case ast.ClassDef(name=name) if name.startswith("Test"):
                yield inside + name, node.decorator_list
                yield from _marked(node.body, f"{inside}{name}::")
            case ast.Assign(targets=[ast.Name(id="pytestmark")]):
                yield inside.removesuffix("::"), [node.value]
            case ast.Assign(targets=[ast.Name(id=name)]) if name.startswith("Test"):
                yield inside + name, [node.value]


def _calls(nodes: Iterable[ast.AST]) -> Iterator[ast.Call]:
    for outer in nodes:
        for node in ast.walk(outer):
            match node:
                case ast.Call(func=ast.Name(id="covers")):
                    yield node


def _ids(call: ast.Call, path: str) -> Iterator[str]:
    for argument in call.args:
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            raise Misplaced(f"tests/{path}:{call.lineno}: covers(...) takes ids as they are, in quotes")
        yield argument.value
