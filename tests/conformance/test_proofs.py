"""Marks are found wherever pytest would find them, and a mark that proves nothing is refused."""

from pathlib import Path

import pytest

from tests.conformance.proofs import Misplaced, Proof, proofs

MODULE = """
import pytest
from tests.conformance import covers

pytestmark = covers("T1")

@covers("P1", "P2")
@pytest.mark.parametrize("n", [1, pytest.param(2, marks=covers("P3"))])
def test_numbers(n): ...

@covers("P1")
async def test_later(): ...

class TestBoth:
    pytestmark = [covers("L1")]

    @covers("L2")
    def test_inside(self): ...

@covers("L3")
class TestWhole:
    def test_inside(self): ...

TestMachine = covers("I6")(Machine.TestCase)
"""


def written(tmp_path: Path, text: str, name: str = "lma/test_it.py") -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return tmp_path


def test_functions_classes_modules_and_parameters(tmp_path: Path) -> None:
    found = {name: [one.name for one in some] for name, some in proofs(written(tmp_path, MODULE)).items()}
    assert found == {
        "T1": [""],
        "P1": ["test_later", "test_numbers"],
        "P2": ["test_numbers"],
        "P3": ["test_numbers"],
        "L1": ["TestBoth"],
        "L2": ["TestBoth::test_inside"],
        "L3": ["TestWhole"],
        "I6": ["TestMachine"],
    }


def test_a_proof_reads_as_what_pytest_takes(tmp_path: Path) -> None:
    [[proof]] = proofs(written(tmp_path, '@covers("P1")\ndef test_it(): ...\n')).values()
    assert (proof, str(proof)) == (Proof("lma/test_it.py", "test_it"), "tests/lma/test_it.py::test_it")
    assert str(Proof("lma/test_it.py", "")) == "tests/lma/test_it.py"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('@covers("P1")\ndef helper(): ...\n', "lma/test_it.py"),
        ('@covers("P1")\nclass Bench: ...\n', "lma/test_it.py"),
        ('CASES = [covers("P1")]\n', "lma/test_it.py"),
        ('def test_it():\n    covers("P1")\n', "lma/test_it.py"),
        ('class Contract:\n    @covers("P1")\n    def test_it(self): ...\n', "lma/test_it.py"),
        ('@covers("P1")\ndef test_it(): ...\n', "lma/anchor.py"),
        ('@pytest.mark.covers("P1")\ndef test_it(): ...\n', "lma/test_it.py"),
    ],
    ids=[
        "no test",
        "no test class",
        "a list",
        "inside a test",
        "no test class around",
        "no test module",
        "unchecked",
    ],
)
def test_a_mark_that_proves_nothing(tmp_path: Path, text: str, name: str) -> None:
    with pytest.raises(Misplaced, match=f"tests/{name}:[12]: "):
        proofs(written(tmp_path, text, name))


def test_ids_that_only_a_run_would_tell(tmp_path: Path) -> None:
    with pytest.raises(Misplaced, match="as they are"):
        proofs(written(tmp_path, "@covers(*IDS)\ndef test_it(): ...\n"))
