"""What AAA has given with a node's key goes back in the LMA's accounting, over handovers and restarts (AA21)."""

import pytest

from pmip_tw.aaa.accounting.records import AccountingSession, Echo, StatusType
from pmip_tw.aaa.accounting.sessions import Sessions
from pmip_tw.aaa.node_keys import KeyGiven, KeyUnavailable
from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.agents.accounting_at_lma import AccountingAtLma
from pmip_tw.agents.accounts import Accounts
from pmip_tw.agents.lma import Lma
from pmip_tw.agents.session_book import SessionBook
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.interfaces import Datagram
from pmip_tw.lma.journal.records import LMA_JOURNAL
from pmip_tw.lma.keys.policy import KeyPolicy
from pmip_tw.mobility.tunnels import AnchorKey
from pmip_tw.testing.accounting import FakeAccounting, FakeLedger
from pmip_tw.testing.network import FakeNetwork, FakeSignalling
from pmip_tw.testing.node_keys import FakeNodeKeys
from pmip_tw.testing.store import FakeDisk, FakeStore
from tests.conformance import covers
from tests.lma.anchor import LMA, MAG1, MAG2, Anchor, association, nai

NODE = 5
FIRST = Echo(
    classes=(b"\0gold\xff", b"", b"\0gold\xff"),
    chargeable_identity=b"\1cui",
    correlation_id=b"corr",
    aaa_session_id=b"\7wimax",
)


class Stage:
    """An LMA that fetches the key of ``NODE``, and what outlives it."""

    def __init__(self, *, by_technology: bool = False) -> None:
        self.by_technology = by_technology
        self.anchor = Anchor(
            nodes=1,
            home="10.1.0.0/24",
            address_hold=0.0,
            keys=KeyPolicy(again=10),
            by_technology=by_technology,
        )
        self.disk, self.ledger = FakeDisk(), FakeLedger()
        self.aaa_gives(FIRST)
        self.start()

    def aaa_gives(self, echo: Echo | None) -> None:
        """None: it cannot be asked."""
        answer = (
            KeyUnavailable("down") if echo is None else KeyGiven(association=association(NODE), echo=echo)
        )
        self.aaa = FakeNodeKeys({(nai(NODE), association(NODE).spi): answer})

    def start(self) -> None:
        """Also after a crash."""
        anchor = self.anchor
        anchor.engine = anchor._new_engine()
        plane = MemoryPlane(monotonic=lambda: anchor.clock.monotonic, local=LMA)
        sessions = Sessions[AnchorKey](interim_interval=600)
        accounts = Accounts(sessions, FakeAccounting(self.ledger), plane, anchor.clock)
        pages = SessionBook(accounts, LMA, anchor.clock).pages()
        self.agent = Lma(
            anchor.engine,
            clock=anchor.clock,
            signalling=FakeSignalling(FakeNetwork(), (LMA,)),
            forwarding=plane,
            store=FakeStore(self.disk, LMA_JOURNAL),
            node_keys=self.aaa,
            accounting=AccountingAtLma(anchor.engine, pages, by_technology=self.by_technology),
        )
        self.agent.start()

    def register(self, mag: Ipv4 = MAG1, **fields: object) -> None:
        payload = self.anchor.datagram(NODE, mag, **fields)
        self.agent.datagrams_received([Datagram(payload, Endpoint(mag, 434), LMA)])
        self.anchor.clock.advance(2)

    @property
    def told(self) -> list[tuple[StatusType, AccountingSession]]:
        return [(record.status, record.session) for record in self.ledger.told if record.session is not None]


@covers("AA21")
@pytest.mark.parametrize("by_technology", [False, True])
def test_every_record_has_it_to_the_octet(by_technology: bool) -> None:
    stage = Stage(by_technology=by_technology)
    stage.register()
    stage.register(MAG2)
    stage.register(MAG2, lifetime=0)
    assert [status for status, _ in stage.told] == [
        StatusType.START,
        StatusType.INTERIM_UPDATE,
        StatusType.STOP,
    ]
    assert [session.echo for _, session in stage.told] == [FIRST] * 3


@covers("AA21")
def test_it_outlives_a_crash_and_aaa_that_cannot_be_asked() -> None:
    stage = Stage()
    stage.register()
    stage.aaa_gives(None)
    stage.start()
    stage.agent.revoke(nai(NODE).decode())
    [(_, begun), (status, session)] = stage.told
    assert status is StatusType.STOP and session.echo == FIRST and session.id == begun.id


@covers("AA21")
@pytest.mark.parametrize("by_technology", [False, True])
def test_what_aaa_gives_when_it_is_asked_again_counts_from_then_on(by_technology: bool) -> None:
    """After a restart a renewal fetches the key anew, and says nothing to accounting itself."""
    stage = Stage(by_technology=by_technology)
    stage.register()
    stage.aaa_gives(Echo(classes=(b"silver",), aaa_session_id=b"another"))
    stage.start()
    stage.register()
    assert len(stage.told) == 1, "a renewal says nothing"
    stage.aaa_gives(None)
    stage.start()  # and it is written down as well
    stage.agent.revoke(nai(NODE).decode())
    [_, (_, session)] = stage.told
    # What was started under a name of AAA's goes on under it.
    assert session.echo == Echo(classes=(b"silver",), aaa_session_id=FIRST.aaa_session_id)


@covers("AA21")
def test_another_node_at_the_same_address_has_its_own() -> None:
    stage = Stage()
    stage.register()
    stage.register(lifetime=0)
    payload = stage.anchor.datagram(1, home_address=stage.told[0][1].home_address)
    stage.agent.datagrams_received([Datagram(payload, Endpoint(MAG1, 434), LMA)])
    assert stage.told[-1][1].nai == nai(1) and stage.told[-1][1].echo == Echo()
