"""An LMA's keys from FreeRADIUS: by NAI and SPI, in the words of both dialects, encrypted on their way."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.node_keys import KeyAnswer, KeyGiven, KeyQuestion, KeyRefused, KeyUnavailable
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.addresses import ipv4, mac
from pmip_tw.config.settings.radius import RadiusSettings
from pmip_tw.lab.freeradius import Keys, RadiusUser
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.net.radius_node_keys import RadiusNodeKeys
from pmip_tw.secret import Secret
from pmip_tw.services.radius import radius_client_of
from tests.clocks import UnarmedClock
from tests.interop import test_radius_servers as servers
from tests.interop.test_radius_servers import Server, at
from tests.loops import private_reactor, run_until
from tests.observers import Notes

network = servers.network
NAS = Nas(identifier="lma1.example.net", address=ipv4("192.0.2.1"))
BY_3GPP2, BY_WIMAX = (
    RadiusUser(
        mac=mac(f"02:00:00:00:00:0{number}"),
        nai=f"mn{number}@example.net",
        lma=ipv4("192.0.2.1"),
        spi=4096 + number,
        key_text=f"the-key-of-number-{number}",
        keys=keys,
    )
    for number, keys in ((1, Keys.THREEGPP2), (2, Keys.WIMAX))
)


@pytest.fixture
def reactor() -> Iterator[PosixReactorBase]:
    with private_reactor() as private:
        yield private


def test_keys_by_nai_and_spi(network: None, reactor: PosixReactorBase, tmp_path: Path) -> None:
    server = Server(tmp_path / "raddb", servers.FIRST, users=(BY_3GPP2, BY_WIMAX))
    table = RadiusSettings(servers=(at(servers.FIRST),), timeout=0.5, probe_interval=1, dead_time=1)
    client = radius_client_of(table, NAS, reactor, UnarmedClock(), Notes())
    keys = RadiusNodeKeys(client, NAS, ProfileRules())

    def ask(nai: str, spi: int) -> KeyAnswer:
        found: list[KeyAnswer] = []
        question = KeyQuestion(
            nai=nai.encode(),
            spi=spi,
            home_agent=NAS.address,
            care_of_address=ipv4("198.51.100.10"),
            root_key=True,
        )
        keys.fetch(question).addCallback(found.append)
        run_until(reactor, lambda: bool(found), 30)
        return found[0]

    try:
        server.start()
        for user in (BY_3GPP2, BY_WIMAX):
            expected = SecurityAssociation(user.spi, Secret(user.key_text.encode()))
            assert ask(user.nai, user.spi) == KeyGiven(association=expected)
            assert isinstance(ask(user.nai, user.spi + 100), KeyRefused)
        assert isinstance(ask("nobody@example.net", 4097), KeyRefused)
        server.kill()
        began = time.monotonic()
        assert isinstance(ask(BY_WIMAX.nai, BY_WIMAX.spi), KeyUnavailable)
        assert time.monotonic() - began < 20
    finally:
        server.kill()
        keys.stop()
