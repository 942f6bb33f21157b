"""What is wrong with a file whatever its role: not readable, not TOML, too deep, too large, too many mistakes."""

import os
import socket
from pathlib import Path

import pytest

from pmip_tw.config.load import load
from pmip_tw.errors import ConfigurationError

from .files import LMA, MAG, NODE_2, USERS, mistakes


def test_the_samples_have_no_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path, MAG) == []
    assert mistakes(tmp_path, LMA + NODE_2) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["1:1: no top-level table [mag], [lma] or [dhcp_relay], which tells the role"]),
        ("mag = 5", ["1:1: mag: must be a table, not a whole number"]),
        ("[[mag]]", ["1:1: mag: must be a table, not a list"]),
        (
            "[mga]\nx = 1",
            [
                "1:1: no top-level table [mag], [lma] or [dhcp_relay], which tells the role",
                "1:1: unknown setting 'mga' - did you mean 'mag'?",
            ],
        ),
        (MAG + "[lma]\n", ["12:1: [lma] beside [mag]: a file is for one role, put it in a file of its own"]),
        ("colour = 1\n" + LMA, ["1:1: unknown setting 'colour'"]),
        (USERS, ["1:1: a file of users: check the MAG's file whose [mag.local] names it"]),
        ("[mag]\nidentity = 'x\n", ['2:14: not TOML: Expected "\'" at the end of the file']),
        ("[mag]\ncoa_mode = fa\n", ["2:12: not TOML: Invalid value: a text stands in quotes"]),
        ("[mag]\nlifetime = \n", ["2:12: not TOML: Invalid value"]),
        ("[mag]\nlifetime = ", ["2:12: not TOML: Invalid value at the end of the file"]),
        ("[mag]\nlifetime = 1\nlifetime = 2\n", ["3:13: not TOML: Cannot overwrite a value"]),
        (b"[mag]\n# caf\xe9\n", ["2:6: not UTF-8 text, which TOML must be"]),
        ("a = " + "[" * 5000, ["1:21: brackets are nested too deeply"]),
        ("x = 1\n[" + "a." * 20_000 + "a]", ["2:2: a key of 20001 names is nested too deeply"]),
        ("x = { " + "a . 'b.c' ." * 20_000 + "a = 1}", ["1:7: a key of 40001 names is nested too deeply"]),
        (
            f"[mag]\nlifetime = [1, -{'9' * 5000}]",
            ["2:16: a number of 5000 digits is too large for any setting"],
        ),
        (
            f"{'9' * 4000} = 1\nx = 1{'_0' * 5000}",
            ["2:5: a number of 5001 digits is too large for any setting"],
        ),
    ],
)
def test_the_document_as_a_whole(text: str | bytes, expected: list[str], tmp_path: Path) -> None:
    assert mistakes(tmp_path, text) == [f"mag.toml:{line}" for line in expected]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Nobody waits for who might write to a pipe."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    for path, why in [
        (tmp_path / "none.toml", "No such file or directory"),
        (tmp_path, "it is a directory, not a file"),
        (tmp_path / "pipe", "it is a pipe, not a file"),
        (tmp_path / "socket", "it is a socket, not a file"),
        (Path("/dev/zero"), "it is a device, not a file"),
        (Path("nul\0"), "embedded null byte"),
    ]:
        with pytest.raises(ConfigurationError) as raised:
            load(path)
        assert raised.value.mistakes == (f"{path}: cannot be read: {why}",)


def test_a_file_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "mag.toml"
    with file.open("wb") as sparse:
        sparse.truncate(1 << 40)
    with pytest.raises(ConfigurationError) as raised:
        load(file)
    assert raised.value.mistakes == (f"{file}: cannot be read: it is larger than 64 MiB",)


def test_brackets_and_dots_in_texts_are_no_nesting(tmp_path: Path) -> None:
    dots = "a." * 100 + "[{" * 100
    text = MAG.replace("change-me", dots).replace("[mag]\n", f"# {dots}\n[mag]\n")
    for quotes in ('"', "'", '"""', "'''"):
        assert mistakes(tmp_path, text.replace(f'"text:{dots}"', f"{quotes}text:{dots}{quotes}")) == []


def test_the_first_hundred_mistakes_are_told(tmp_path: Path) -> None:
    """In the order of the lines, and soon: who has so many has given the wrong file."""
    unknown = "".join(f"lifetim{number} = 1\n" for number in range(20_000))
    found = mistakes(tmp_path, MAG.replace("[mag]\n", f"[mag]\n{unknown}"))
    assert found[0] == "mag.toml:2:1: unknown setting 'lifetim0' - did you mean 'lifetime'?"
    assert found[99].startswith("mag.toml:101:1: unknown setting 'lifetim99'")
    assert found[100:] == ["mag.toml: ... and 19900 more mistakes"]


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path, b"\xef\xbb\xbf" + MAG.encode()) == []
