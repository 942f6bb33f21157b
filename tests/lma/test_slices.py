"""Every mobile node has one worker, whoever asks."""

from collections import Counter

import pytest

from pmip_tw.lma.workers.slices import steered_to, worker_of_nai
from tests.conformance import covers

NAIS = [f"mn{number:05}@example.net".encode() for number in range(20_000)]


def request(nai: bytes, kind: int = 1, header: int = 24) -> bytes:
    return bytes((kind,)) + bytes(header - 1) + bytes((131, len(nai))) + nai + b"\x20\x14"


@pytest.mark.parametrize("workers", [2, 3, 4, 8])
@pytest.mark.parametrize(
    "form", ["mn{:05}@example.net", "{:05}", "{:05}abc", "a{:05}bc", "0{:010}@wimax", "{:x}@a.b"]
)
def test_nodes_spread_evenly_wherever_their_nais_differ(form: str, workers: int) -> None:
    spread = Counter(worker_of_nai(form.format(number).encode(), workers) for number in range(20_000))
    assert set(spread) == set(range(workers))
    assert all(abs(count * workers / 20_000 - 1) < 0.05 for count in spread.values()), spread


def test_the_hash_is_the_one_that_journals_are_cut_by() -> None:
    """Another one would need a migration: these are what it has always been."""
    assert [worker_of_nai(nai, 16) for nai in NAIS[:8]] == [7, 5, 11, 4, 15, 13, 13, 3]
    assert worker_of_nai(b"y" * 253, 16) == 6


def test_one_worker_has_everybody() -> None:
    assert {worker_of_nai(nai, 1) for nai in NAIS} == {0}


def test_requests_are_steered_by_their_nai_and_everything_else_is_worker_0s() -> None:
    nai = next(nai for nai in NAIS if worker_of_nai(nai, 4) == 3)
    assert steered_to(request(nai), 4) == 3
    assert steered_to(request(nai, kind=250, header=20), 4) == 3
    for kind in (0, 2, 3, 4, 7, 15, 249, 255):
        assert steered_to(request(nai, kind), 4) == 0
    behind_another = bytes((1,)) + bytes(23) + b"\x93\x02\x00\x00" + bytes((131, len(nai))) + nai
    assert steered_to(behind_another, 4) == 0


@covers("N56")
def test_another_number_for_pre_tunnels() -> None:
    nai = next(nai for nai in NAIS if worker_of_nai(nai, 4) == 3)
    assert steered_to(request(nai, kind=120, header=20), 4, 120) == 3
    assert steered_to(request(nai, kind=250, header=20), 4, 120) == 0


def test_a_nai_that_is_cut_off_is_nobodys() -> None:
    nai = next(nai for nai in NAIS if worker_of_nai(nai, 4) == 3)
    whole = bytes((1,)) + bytes(23) + bytes((131, len(nai))) + nai
    assert steered_to(whole, 4) == 3
    assert {steered_to(whole[:size], 4) for size in range(len(whole))} == {0}


@pytest.mark.parametrize("nai", [b"", b"x"])
def test_a_nai_that_is_too_short_to_tell_is_worker_0s(nai: bytes) -> None:
    assert worker_of_nai(nai, 4) == steered_to(request(nai), 4) == 0


def test_every_octet_of_a_usual_nai_counts() -> None:
    nai = b"mobile.node-0001@operator.example.net"
    for place in range(len(nai)):
        others = {nai[:place] + bytes((octet,)) + nai[place + 1 :] for octet in range(256)}
        assert len({worker_of_nai(other, 4) for other in others}) > 1, place
