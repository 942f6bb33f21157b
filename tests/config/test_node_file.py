"""The file of mobile nodes that an LMA's file names (CSV): what it brings, and what is told of each mistake in it."""

from pathlib import Path

import pytest

from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.config.load import load
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.errors import ConfigurationError
from pmip_tw.mobility.associations import AssociationTable, SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.secret import Secret
from pmip_tw.services.lma_parts import pools_of
from tests.config.files import LMA, NODE_2

KEY = "text:0123456789abcdef"
NAMED = LMA.replace("[lma]\n", '[lma]\nmobile_nodes_file = "nodes.csv"\n', 1)
REALM = NAMED.replace('exclude = ["10.1.0.9"]', 'exclude = ["10.1.0.9"]\nrealms = ["example.net"]')


def told(directory: Path, nodes: str | bytes, lma: str = NAMED) -> list[str]:
    """What is reported, without the directory; [] if it loads."""
    (directory / "lma.toml").write_text(lma)
    (directory / "nodes.csv").write_bytes(nodes if isinstance(nodes, bytes) else nodes.encode())
    try:
        load(directory / "lma.toml")
    except ConfigurationError as error:
        return [line.replace(f"{directory}/", "") for line in error.mistakes]
    return []


def loaded(directory: Path, nodes: str) -> LmaSettings:
    assert told(directory, nodes) == []
    settings = load(directory / "lma.toml")
    assert isinstance(settings, LmaSettings)
    return settings


def test_its_nodes_stand_beside_those_of_the_lma_file(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        "key,home_address,nai,algorithm,spi\n"
        f"{KEY},10.1.0.51,mn3@example.net,hmac-sha1,0x1001\n"
        "\n"
        f"{KEY},,mn3@example.net,,4098\r\n"
        f'"{KEY}","","mn4@example.net","","4096"\n',
    )
    table = AssociationTable(settings.associations)
    assert table.knows(b"mn1@example.net")
    assert table.find(b"mn3@example.net", 4097) == SecurityAssociation(
        4097, Secret(b"0123456789abcdef"), Algorithm.HMAC_SHA1
    )
    assert table.find(b"mn3@example.net", 4098) is not None
    assert table.find(b"mn4@example.net", 4097) is None
    assert settings.home_addresses == {
        "mn1@example.net": ipv4("10.1.0.50"),
        "mn3@example.net": ipv4("10.1.0.51"),
    }
    chosen = pools_of(settings).choose(b"mn3@example.net", b"mn3@example.net", Ipv4(0), 0.0)
    assert chosen is not None
    assert chosen.home_address == ipv4("10.1.0.51")
    assert "0123456789abcdef" not in repr(settings)


def test_optional_columns_may_be_missing(tmp_path: Path) -> None:
    settings = loaded(tmp_path, f"\ufeffnai,spi,key\nmn3@example.net,4096,{KEY}\n")
    association = AssociationTable(settings.associations).find(b"mn3@example.net", 4096)
    assert association is not None
    assert association.algorithm is Algorithm.HMAC_MD5


def test_without_the_setting_there_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "lma.toml").write_text(LMA.replace("[lma]\n", '[lma]\nmobile_nodes_file = ""\n', 1))
    settings = load(tmp_path / "lma.toml")
    assert isinstance(settings, LmaSettings)
    assert [nai for nai, _ in settings.associations] == [b"mn1@example.net"]


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        (f"mn3,4096,{KEY},hmac-md4,", "algorithm: 'hmac-md4' is none of hmac-md5, "),
        (f"mn3@,4096,{KEY},,", "'mn3@' is not a network access identifier"),
        (f"mn3 x@example.net,4096,{KEY},,", "'mn3 x@example.net' is not a network access identifier"),
        (f"mn3@example.net,255,{KEY},,", "SPI 255 is outside 256-4294967295"),
        (f"mn3@example.net,many,{KEY},,", "spi: must be a whole number, such as 4096 or 0x1000"),
        ("mn3@example.net,4096,0123456789abcdef,,", "key: a key is written hex:0011... or text:..."),
        ("mn3@example.net,4096,text:short,,", "key: is too short (5 of at least 8 octets, better 16)"),
        (f"mn3@example.net,4096,{KEY},", "4 values for 5 columns"),
        (f"mn3@example.net,4096,{KEY},,10.1", "home_address: "),
        (f"mn3@example.net,4096,{KEY},,10.1.0.1", "home_address: 10.1.0.1 is the gateway address"),
        (f"mn3@example.net,4096,{KEY},,10.1.0.9", "home_address: 10.1.0.9 is excluded"),
        (f"mn3@example.net,4096,{KEY},,10.2.0.9", "home_address: 10.2.0.9 is in none of the pools"),
        (
            f"mn3@example.net,4096,{KEY},,10.1.0.50",
            "home_address: 10.1.0.50 is already the home address of mn1@example.net",
        ),
        (
            f"mn1@example.net,4097,{KEY},,10.1.0.51",
            "home_address: mn1@example.net already has 10.1.0.50",
        ),
        (f"mn1@example.net,4096,{KEY},,", "spi: mn1@example.net with SPI 4096 is there already"),
        (f"mn3@example.org,4096,{KEY},,", "nai: no pool serves its realm 'example.org'"),
        (f'mn3@example.net,4096,{KEY},,"10', "not CSV: "),
    ],
)
def test_each_mistake_has_its_line(line: str, mistake: str, tmp_path: Path) -> None:
    """And what is right around it is no reason to be silent about it."""
    lines = f"nai,spi,key,algorithm,home_address\nmn5@example.net,4096,{KEY},,\n{line}\n"
    [found] = told(tmp_path, lines, REALM)
    assert found.startswith(f"nodes.csv:3:1: {mistake}")
    assert "0123456789abcdef" not in found


@pytest.mark.parametrize("spi", [4096, 256])
def test_a_node_is_there_once(spi: int, tmp_path: Path) -> None:
    nodes = (
        f"nai,spi,key\nmn3@example.net,{spi},{KEY}\nmn3@example.net,4097,{KEY}\nmn3@example.net,{spi},{KEY}\n"
    )
    assert told(tmp_path, nodes) == [f"nodes.csv:4:1: spi: mn3@example.net with SPI {spi} is there already"]


def test_all_mistakes_of_both_files_are_told(tmp_path: Path) -> None:
    lma = (NAMED + NODE_2).replace("spi = 4097", "spi = 7")
    nodes = f"nai,spi,key\nmn3@example.net,7,{KEY}\nmn4@example.net,8,{KEY}\n"
    found = told(tmp_path, nodes, lma)
    assert [line.partition(": ")[0] for line in found] == [
        "lma.toml:17:1",
        "nodes.csv:2:1",
        "nodes.csv:3:1",
    ]


@pytest.mark.parametrize(
    ("nodes", "mistake"),
    [
        ("", "nodes.csv:1:1: the first line names the columns; nai and spi and key must be among them"),
        ("nai,spi\n", "nodes.csv:1:1: the first line names the columns; key must be among them"),
        ("nai,spi,key,spl\n", "nodes.csv:1:1: unknown column 'spl' - did you mean 'spi'?; there are nai,"),
        ("nai,spi,key,spi\n", "nodes.csv:1:1: the column spi is there twice"),
        (b"nai,spi,key\n\xff,4096,text:0123456789\n", "nodes.csv:2:1: not UTF-8 text"),
    ],
)
def test_what_is_no_such_file(nodes: str | bytes, mistake: str, tmp_path: Path) -> None:
    [found] = told(tmp_path, nodes)
    assert found.startswith(mistake)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "lma.toml").write_text(NAMED)
    with pytest.raises(ConfigurationError, match=r"nodes\.csv: cannot be read: No such file or directory"):
        load(tmp_path / "lma.toml")
    (tmp_path / "nodes.csv").mkdir()
    with pytest.raises(ConfigurationError, match=r"nodes\.csv: cannot be read: it is a directory"):
        load(tmp_path / "lma.toml")


def test_the_wrong_file_is_not_told_of_without_end(tmp_path: Path) -> None:
    found = told(tmp_path, "nai,spi,key\n" + "a,b,c\n" * 1000)
    assert len(found) == 101
    assert found[-1] == "nodes.csv: ... and more mistakes"
