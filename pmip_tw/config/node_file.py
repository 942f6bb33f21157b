"""The file that ``mobile_nodes_file`` names: a line for each mobile node, as a subscriber database exports them (CSV).

It is read once, line by line, in a few microseconds each: a million mobile nodes need no other place.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from pathlib import Path as FilePath

from pmip_tw.addresses import Ipv4, ipv4, ipv4_text
from pmip_tw.config.draft import Draft
from pmip_tw.config.limits import Key, Nai
from pmip_tw.config.pools_in_file import PoolsInFile
from pmip_tw.config.regular_file import open_regular
from pmip_tw.config.settings.nodes import Associations, NodeFile, associations_of
from pmip_tw.config.settings.value_types import MobileNodeNai
from pmip_tw.config.structure import MOST_MISTAKES, suggestion
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.secret import Secret, parse_key

COLUMNS = ("nai", "spi", "key", "algorithm", "home_address")
NEEDED = COLUMNS[:3]

_PLAIN_NAI = re.compile(r"[!-?A-~]{1,63}@[!-?A-~]{1,63}")
"""What nearly all are, and no rule would refuse."""

_NAI, _KEY = Nai(), Key()
_ALGORITHMS: Mapping[str, Algorithm] = {algorithm.value: algorithm for algorithm in Algorithm}
_NODES = ("lma", "mobile_nodes")


def read_nodes(path: FilePath, draft: Draft) -> tuple[NodeFile | None, list[str]]:
    """The nodes in the file at ``path``, beside the ``draft`` of the LMA; or None and "file:line:column: mistake"s."""
    reading = _Reading(draft)
    mistakes: list[str] = []
    try:
        with open_regular(path) as octets:
            text = iter(
                line.decode("utf-8-sig" if number == 0 else "utf-8") for number, line in enumerate(octets)
            )
            lines = csv.reader(text, strict=True)
            for mistake in reading.mistakes(lines):
                if len(mistakes) == MOST_MISTAKES:
                    mistakes.append(f"{path}: ... and more mistakes")
                    break
                mistakes.append(f"{path}:{max(1, lines.line_num)}:1: {mistake}")
    except UnicodeDecodeError:
        mistakes.append(f"{path}:{lines.line_num + 1}:1: not UTF-8 text")
    except csv.Error as error:
        mistakes.append(f"{path}:{lines.line_num}:1: not CSV: {error}")
    except (OSError, ValueError) as error:  # ValueError: a zero octet in the name
        mistakes.append(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}")
    if mistakes:
        return None, mistakes
    return NodeFile(path=path, associations=reading.associations, home_addresses=reading.home_addresses), []


def _spi(text: str) -> int:
    """As TOML writes numbers: 4096 or 0x1000."""
    try:
        return int(text, 0)
    except ValueError:
        raise ValueError("spi: must be a whole number, such as 4096 or 0x1000") from None


def _key(text: str) -> Secret:
    try:
        key = parse_key(text)
        _KEY.check(key)
    except ValueError as error:
        raise ValueError(f"key: {error}") from None
    return key


def _algorithm(text: str) -> Algorithm:
    found = _ALGORITHMS.get(text or Algorithm.HMAC_MD5.value)
    if found is None:
        known = list(_ALGORITHMS)
        raise ValueError(f"algorithm: {text!r} is none of {', '.join(known)}{suggestion(text, known)}")
    return found


def _home_address(text: str) -> Ipv4:
    try:
        return ipv4(text)
    except ValueError as error:
        raise ValueError(f"home_address: {error}") from None


class _Reading:
    """``associations`` and ``home_addresses`` so far."""

    def __init__(self, draft: Draft) -> None:
        self.associations: dict[bytes, Associations] = {}
        self.home_addresses: dict[str, Ipv4] = {}
        # Of the nodes in the LMA's own file.
        self._spis: set[tuple[str, int]] = set()
        self._owners: dict[tuple[str, Ipv4], str] = {}
        self._pools = PoolsInFile(draft)
        for node in draft.elements(_NODES):
            nai = draft.value((*node, "nai"), MobileNodeNai)
            spi = draft.value((*node, "spi"), int)
            address = draft.value((*node, "home_address"), Ipv4)
            if nai is not None and spi is not None:
                self._spis.add((nai, spi))
            if nai is not None and address is not None:
                self._owners[self._pools.domain_of(nai), address] = nai
                self.home_addresses[nai] = address

    def mistakes(self, lines: Iterator[list[str]]) -> Iterator[str]:
        """Read all of ``lines``, and say what is wrong with the one just read."""
        columns = next(lines, [])
        wrong = _wrong_columns(columns)
        if wrong:
            yield wrong
            return
        cell = _cells(columns)
        for line in lines:
            if not line:
                continue
            if len(line) != len(columns):
                yield f"{len(line)} values for {len(columns)} columns"
                continue
            try:
                self._take(*(get(line) for get in cell))
            except ValueError as error:
                yield str(error)

    def _take(self, nai: str, spi: str, key: str, algorithm: str, home_address: str) -> None:
        """ValueError: what is wrong with these."""
        if not _PLAIN_NAI.fullmatch(nai):
            _NAI.check(nai)
        association = SecurityAssociation(_spi(spi), _key(key), _algorithm(algorithm))
        name = nai.encode()
        before = associations_of(self.associations, name)
        spi_in_use = (one.spi == association.spi for one in before)
        if any(spi_in_use) or (nai, association.spi) in self._spis:
            raise ValueError(f"spi: {nai} with SPI {association.spi} is there already")
        if home_address:
            self._fix(nai, _home_address(home_address))
        elif unserved := self._pools.why_not_served(nai):
            raise ValueError(f"nai: {unserved}")
        self.associations[name] = (*before, association) if before else association

    def _fix(self, nai: str, address: Ipv4) -> None:
        domain = self._pools.domain_of(nai)
        text = self._pools.why_not_fixed(address, domain)
        owner = self._owners.setdefault((domain, address), nai)  # unique in each domain (P85)
        other = self.home_addresses.setdefault(nai, address)
        if not text and owner != nai:
            text = f"{ipv4_text(address)} is already the home address of {owner}"
        elif not text and other != address:
            text = f"{nai} already has {ipv4_text(other)}"
        if text:
            raise ValueError(f"home_address: {text}")


def _wrong_columns(columns: list[str]) -> str:
    missing = [name for name in NEEDED if name not in columns]
    for name in columns:
        if name not in COLUMNS:
            return f"unknown column {name!r}{suggestion(name, COLUMNS)}; there are {', '.join(COLUMNS)}"
        if columns.count(name) > 1:
            return f"the column {name} is there twice"
    if missing:
        return f"the first line names the columns; {' and '.join(missing)} must be among them"
    return ""


def _cells(columns: list[str]) -> list[Callable[[list[str]], str]]:
    """How to get what is in each of ``COLUMNS``; of one that the file has not got, nothing."""
    return [itemgetter(columns.index(name)) if name in columns else _nothing for name in COLUMNS]


def _nothing(line: list[str]) -> str:
    return ""
