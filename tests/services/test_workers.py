"""``workers = N``: several processes on one port, seen from MAGs, from the operator, and from whoever kills them."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.lma.workers.slices import worker_of_nai
from pmip_tw.store.slices import journal_path
from pmip_tw.wire.registration import RegistrationReply
from tests.conformance import covers
from tests.namespaces import private_network
from tests.programs import require
from tests.services.workers import ASSOCIATION, Lma, Mag, mags, nai, node_of


@pytest.fixture
def network() -> Iterator[list[Mag]]:
    """Two MAGs on an empty network."""
    require("ip")
    with private_network(), mags(2) as made:
        yield made


@pytest.fixture
def lma(tmp_path: Path, network: list[Mag]) -> Iterator[Lma]:
    made = Lma(tmp_path, mn7="10.1.1.250", mn8="10.1.0.3")
    (tmp_path / "journal").mkdir(mode=0o700)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


def addresses(replies: dict[int, RegistrationReply]) -> dict[int, Ipv4]:
    assert {reply.code for reply in replies.values()} == {1}, (
        "accepted; simultaneous bindings are not supported"
    )
    return {node: reply.home_address for node, reply in replies.items()}


@covers("P30", "H10")
@pytest.mark.parametrize("workers", [2, 4])
def test_every_node_has_one_worker_and_one_address(lma: Lma, network: list[Mag], workers: int) -> None:
    lma.start(workers)
    first = addresses(network[0].register(*range(200)))
    assert len(set(first.values())) == 200
    assert first[7] == ipv4("10.1.1.250") and first[8] == ipv4("10.1.0.3")
    assert addresses(network[0].register(*range(200))) == first
    saved = lma.saved(workers)
    for worker, owners in saved.items():
        assert owners == {nai(node) for node in range(200) if worker_of_nai(nai(node), workers) == worker}
        assert owners
    shown = {str(row["nai"]): row["home_address"] for row in lma.ask("show", "bindings")}
    assert len(shown) == 200 and shown["mn7@example.net"] == "10.1.1.250"
    counted = {row["name"]: row["count"] for row in lma.ask("show", "counters")}
    assert counted["binding-created"] == 200
    assert [row["nodes"] for row in lma.ask("show", "tunnels")] == [200]
    lma.stop()


@covers("P34", "RV13", "RV37")
def test_what_the_kernel_cannot_steer_is_passed_on(lma: Lma, network: list[Mag]) -> None:
    """Revocations with and without a NAI, acknowledgments of ours, and requests whose NAI stands elsewhere."""
    lma.start(3)
    here, there = network
    for worker in range(3):
        node = node_of(worker, 3)
        request = here.request(node)
        behind = {node: here.with_nai_behind(request)}
        had = addresses(here.send_until_answered({node: request}, behind))[node]
        assert lma.saved(3)[worker] == {nai(node)}
        assert addresses(there.register(node)) == {node: had}
        here.wait_for_revocations(1)
        assert {told.home_address for told in here.revoked} == {had}
        lma.wait_for_trace(nai(node), "revocation-acknowledged")
        here.revoked.clear()
        there.revoke(node, had, named=worker != 1)
        assert not any(row["nai"] == nai(node).decode() for row in lma.ask("show", "bindings"))
    lma.stop()


@covers("RV23")
def test_the_operator_ends_a_binding_wherever_it_is(lma: Lma, network: list[Mag]) -> None:
    lma.start(3)
    for worker in range(3):
        by_nai, by_address = node_of(worker, 3), node_of(worker, 3, 1)
        had = addresses(network[0].register(by_nai, by_address))
        (ended,) = lma.ask("revoke", nai(by_nai).decode())
        assert ended["nai"] == nai(by_nai).decode()
        octets = had[by_address].to_bytes(4, "big")
        (ended,) = lma.ask("revoke", ".".join(map(str, octets)))
        assert ended["nai"] == nai(by_address).decode()
        names = [row["name"] for row in lma.ask("trace", nai(by_nai).decode())]
        assert names[0] == "binding-created" and "revocation-sent" in names
    network[0].wait_for_revocations(6)
    assert len(network[0].revoked) == 6
    assert lma.ask("show", "bindings") == []
    lma.stop()


@covers("I10", "P80")
def test_a_worker_that_is_killed_is_started_again_and_has_everything(lma: Lma, network: list[Mag]) -> None:
    lma.start(3)
    mag = network[0]
    requests = {node: mag.request(node) for node in range(60)}
    octets = {node: request.encode(mn_ha=ASSOCIATION) for node, request in requests.items()}
    had = addresses(mag.send_until_answered(requests, octets))
    lma.kill(1)
    again = addresses(mag.register(*range(60)))
    assert again == had
    lma.wait_for("all 3 workers serve", times=2)
    for node in (node_of(1, 3), node_of(1, 3, 1)):
        mag.send(octets[node])  # captured before the crash
    fresh = addresses(mag.register(*range(60, 120)))
    assert not set(fresh.values()) & set(had.values())
    assert len(lma.ask("show", "bindings")) == 120
    replayed = [
        row for row in lma.ask("trace", nai(node_of(1, 3)).decode()) if row["name"] == "registration-refused"
    ]
    assert replayed
    lma.stop()


def test_when_worker_0_is_killed_all_end_and_nothing_is_lost(lma: Lma, network: list[Mag]) -> None:
    lma.start(3)
    had = addresses(network[0].register(*range(60)))
    lma.kill()
    lma.start(3)
    assert len(lma.ask("show", "bindings")) == 60
    assert addresses(network[0].register(*range(60))) == had
    fresh = addresses(network[0].register(*range(60, 120)))
    assert not set(fresh.values()) & set(had.values())
    lma.stop()


@covers("H14")
def test_a_journal_that_cannot_be_written_costs_its_own_nodes_only(lma: Lma, network: list[Mag]) -> None:
    lma.start(3)
    mag = network[0]
    had = addresses(mag.register(*range(30)))
    journal = Path(journal_path(str(lma.journal), 2, 3))
    journal.rename(journal.with_name("elsewhere"))
    replies = mag.register(*range(60))
    refused = {node for node, reply in replies.items() if reply.code == 130}
    assert refused == {node for node in range(60) if worker_of_nai(nai(node), 3) == 2}
    assert {replies[node].code for node in range(60) if node not in refused} == {1}
    lma.wait_for("lma.journal.2-of-3: was removed or replaced")
    assert len(lma.ask("show", "bindings")) == 30 + len(set(range(30, 60)) - refused)
    journal.with_name("elsewhere").rename(journal)
    again = mag.register_until(1, *range(60))
    assert {node: reply.home_address for node, reply in again.items() if node < 30} == had
    assert len({reply.home_address for reply in again.values()}) == 60


def test_at_the_end_whatever_is_under_way_is_saved_and_answered(lma: Lma, network: list[Mag]) -> None:
    """SIGTERM, as a supervisor sends it: to all processes."""
    lma.start(3)
    mag = network[0]
    octets = {node: mag.request(node).encode(mn_ha=ASSOCIATION) for node in range(150)}
    for each in octets.values():
        mag.send(each)
    for other in lma.others().values():
        os.kill(other, signal.SIGTERM)
    lma.stop()
    mag.listen(0.5)
    answered = mag.answered()
    saved = set().union(*lma.saved(3).values())
    assert {reply.nai for reply in answered} == saved
    lma.start(3)
    assert {str(row["nai"]).encode() for row in lma.ask("show", "bindings")} == saved
    lma.stop()


def test_another_number_of_workers(lma: Lma, network: list[Mag]) -> None:
    """1 -> 2 -> 4 -> 1, killed in between: whoever had an address has it, and nobody else gets it."""
    had: dict[int, Ipv4] = {}
    nodes = iter(range(300))
    for workers in (1, 2, 4, 1, 3):
        lma.start(workers)
        assert len(lma.ask("show", "bindings")) == len(had)
        assert addresses(network[0].register(*had)) == had if had else True
        had |= addresses(network[0].register(*[next(nodes) for _ in range(40)]))
        assert len(set(had.values())) == len(had)
        assert lma.journals() == {
            "lma.journal" if workers == 1 else f"lma.journal.{worker}-of-{workers}"
            for worker in range(workers)
        }
        lma.kill()
    lma.start(3)
    assert addresses(network[0].register(*had)) == had
    lma.stop()
