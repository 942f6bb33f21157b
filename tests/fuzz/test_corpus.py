"""Every input that is stored, once more: with or without a fuzzer, what once broke stays mended."""

import pytest

from tests.fuzz.datagrams import mutate, sign_again, split
from tests.fuzz.lma import keys
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS
from tests.fuzz.wire import message
from tests.lma.anchor import Anchor, association

EVERY_TARGET = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


@EVERY_TARGET
def test_the_law_holds_for_what_is_stored(target: Target) -> None:
    inputs = target.stored()
    assert inputs, "no corpus: python -m tests.fuzz TARGET --keep"
    for path in inputs:
        try:
            target.check(path.read_bytes())
        except Exception as error:
            error.add_note(f"to see it alone: python -m tests.fuzz {target.name} --input {path}")
            raise


@EVERY_TARGET
def test_the_law_holds_for_the_seeds(target: Target) -> None:
    seeds = list(target.seeds())
    assert seeds
    for octets in seeds:
        assert len(octets) <= target.longest
        target.check(octets)


@EVERY_TARGET
def test_the_corpus_is_small(target: Target) -> None:
    sizes = [path.stat().st_size for path in target.stored()]
    assert len(sizes) <= 300 and max(sizes) <= target.longest, "python -m tests.fuzz TARGET --minimize"


class TestTheHarness:
    """A law that nothing can break would be no law."""

    def test_what_is_signed_again_is_believed(self) -> None:
        anchor = Anchor()
        payload = bytearray(anchor.datagram(1))
        payload[3] ^= 1
        assert anchor.hear(sign_again(bytes(payload), keys))[0].datagram[1] == 1

    def test_what_is_forged_is_not(self) -> None:
        anchor = Anchor()
        [answer] = anchor.hear(sign_again(anchor.datagram(1), keys, forged=True))
        assert answer.datagram[1] == 131

    def test_an_authenticator_covers_the_one_before_it(self) -> None:
        request = Anchor().request(1)
        signed = request.encode(mn_ha=association(1), fa_ha=association(2))

        def all_keys(kind: int, name: bytes, spi: int):
            return {0x1001: association(1), 0x1002: association(2)}[spi]

        assert sign_again(signed[:-1] + b"x", all_keys) == signed

    def test_mutations_of_extensions_can_be_walked(self) -> None:
        """All but those of the octets as such."""
        octets = b"hd" + Anchor().datagram(1)
        found = {mutate(octets, 600, 2, seed, lambda some, longest: some) for seed in range(300)}
        assert len(found) > 30
        assert all(split(one, 2) is not None for one in found)

    def test_a_decoder_that_raises_something_else_is_found(self) -> None:
        class Careless:
            @staticmethod
            def decode(octets: bytes):
                return octets[99]

        with pytest.raises(IndexError):
            message(Careless)(b"short")
