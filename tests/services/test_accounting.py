"""Accounting as daemons have it: by their settings, with their spool, towards servers that are not there."""

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.addresses import ipv4
from pmip_tw.config.load import load
from pmip_tw.config.settings.accounting import LmaAccounting, MagAccounting
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.services.lma_accounting import lma_accounting_of
from pmip_tw.services.mag_aaa import radius_of
from pmip_tw.services.mag_accounting import mag_accounting_of
from tests.clocks import UnarmedClock
from tests.config.test_accounting import LMA
from tests.config.test_mag_profile import MAG
from tests.loops import private_reactor, run_until
from tests.observers import Notes


@pytest.fixture
def reactor() -> Iterator[PosixReactorBase]:
    with private_reactor() as one:
        yield one


def plane() -> MemoryPlane:
    return MemoryPlane(monotonic=lambda: 0.0, local=ipv4("127.0.0.1"))


def of_mag(tmp_path: Path) -> MagSettings:
    path = tmp_path / "mag.toml"
    path.write_text(MAG.replace("198.51.100.53", "127.0.0.1").replace("198.51.100.10", "127.0.0.1"))
    settings = load(path)
    assert isinstance(settings, MagSettings)
    return settings


def test_a_mag_begins_and_what_nobody_takes_waits(tmp_path: Path, reactor: PosixReactorBase) -> None:
    table = MagAccounting(enabled=True, spool=str(tmp_path / "spool"))
    settings = attrs.evolve(of_mag(tmp_path), accounting=table)
    radius = radius_of(settings, reactor, UnarmedClock(), Notes())
    for _ in range(2):  # and a restart
        made = mag_accounting_of(settings, radius, None, reactor, plane(), Notes())
        assert made is not None
        made.accounts.start()
        made.accounts.begun([])
        [row] = made.tables["accounting"]()
        assert row["oldest"] == "accounting-on"
        stopped: list[None] = []
        stopping = made.accounts.stop(survive=True)
        assert stopping is not None
        stopping.addCallback(stopped.append)
        run_until(reactor, lambda stopped=stopped: stopped)
    [row] = made.tables["accounting"]()
    assert row["waiting"] == 2


def test_on_and_off_are_told_unless_an_operator_does_not_want_it(
    tmp_path: Path, reactor: PosixReactorBase
) -> None:
    """Also what a former process wanted to tell."""
    waiting = []
    for on_off in (True, False):
        table = MagAccounting(enabled=True, spool=str(tmp_path / "spool"), on_off=on_off)
        settings = attrs.evolve(of_mag(tmp_path), accounting=table)
        radius = radius_of(settings, reactor, UnarmedClock(), Notes())
        made = mag_accounting_of(settings, radius, None, reactor, plane(), Notes())
        assert made is not None
        made.accounts.start()
        made.accounts.begun([])
        stopped: list[None] = []
        stopping = made.accounts.stop(survive=False)
        assert stopping is not None
        stopping.addCallback(stopped.append)
        run_until(reactor, lambda stopped=stopped: stopped)
        waiting.append(made.tables["accounting"]()[0]["waiting"])
    assert waiting == [2, 0]


def test_nobody_is_told_if_it_is_off(tmp_path: Path, reactor: PosixReactorBase) -> None:
    settings = of_mag(tmp_path)
    radius = radius_of(settings, reactor, UnarmedClock(), Notes())
    assert mag_accounting_of(settings, radius, None, reactor, plane(), Notes()) is None
    on = attrs.evolve(settings, accounting=MagAccounting(enabled=True))
    assert mag_accounting_of(on, None, None, reactor, plane(), Notes()) is None


def test_an_lma_asks_only_servers_for_accounting(tmp_path: Path, reactor: PosixReactorBase) -> None:
    path = tmp_path / "lma.toml"
    more = '[[lma.radius.servers]]\naddress = "127.0.0.2"\nsecret = "text:s"\npurposes = ["authentication"]\n'
    path.write_text(LMA.replace("192.0.2.1", "127.0.0.1") + more)
    settings = load(path)
    assert isinstance(settings, LmaSettings)
    assert lma_accounting_of(settings, None, reactor, UnarmedClock(), plane(), Notes()) is None
    table = LmaAccounting(enabled=True, spool=str(tmp_path / "spool"))
    on = attrs.evolve(settings, accounting=table)
    made = lma_accounting_of(on, None, reactor, UnarmedClock(), plane(), Notes())
    assert made is not None and made.client is not None
    assert [str(row["server"]) for row in made.client.servers()] == ["198.51.100.53:1813"]
    made.start()
    pages = made.book.pages()
    pages.start()
    pages.back([])
    stopped: list[None] = []
    stopping = pages.stop(survive=True)
    assert stopping is not None
    stopping.addCallback(stopped.append)
    run_until(reactor, lambda: stopped)
    made.stop()
