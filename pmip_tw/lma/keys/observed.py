"""What an LMA tells its observers about keys from AAA; never the keys."""

from pmip_tw.aaa.node_keys import Brought, KeyGiven, KeyQuestion
from pmip_tw.addresses import Endpoint, ipv4_text
from pmip_tw.lma.observed import discarded
from pmip_tw.mobility.effects import Observe, ObserveAlike
from pmip_tw.mobility.observations import Detail, Observation


def asked(question: KeyQuestion) -> Observe:
    return _key("key-requested", question, mag=ipv4_text(question.care_of_address))


def given(question: KeyQuestion, answer: KeyGiven) -> Observe:
    ignored = {"ignored": answer.ignored} if answer.ignored else {}
    return _key(
        "key-received",
        question,
        lifetime=answer.lifetime,
        root_key=answer.root_key is not None,
        **ignored,
    )


def brought(question: KeyQuestion, answer: Brought) -> Observe:
    keys = [name for name, key in (("mn-ha", answer.association), ("fa-ha", answer.agent)) if key is not None]
    return _key(
        "registration-brought", question, mag=ipv4_text(question.care_of_address), keys=", ".join(keys)
    )


def refused(question: KeyQuestion, cause: str) -> Observe:
    return _key("key-refused", question, reason="aaa-rejected", cause=cause)


def unavailable(question: KeyQuestion, cause: str, *, kept: bool) -> Observe:
    """``kept``: the key that there is does for a while all the same."""
    return _key("key-unavailable", question, reason="aaa-unavailable", cause=cause, kept=kept)


def why_refused(question: KeyQuestion, cause: str) -> str:
    node, mag = question.nai.decode(errors="replace"), ipv4_text(question.care_of_address)
    if not question.spi:
        return f"AAA does not find MN-AAA of {node!r} with SPI {question.aaa_spi} right: {cause}"
    return (
        f"AAA gives {node!r} with SPI {question.spi} no key, or no leave to be registered by {mag}: {cause}"
    )


def too_many(source: Endpoint) -> ObserveAlike:
    """Whoever floods us makes thousands of them."""
    return discarded(
        "too-many-unknown", source, "AAA would have to be asked for its key, as for too many others"
    )


def _key(name: str, question: KeyQuestion, *, reason: str = "", cause: str = "", **more: Detail) -> Observe:
    return Observe(
        Observation(
            name=name,
            nai=question.nai.decode(errors="replace"),
            reason=reason,
            cause=cause,
            details={**({"spi": question.spi} if question.spi else {"aaa_spi": question.aaa_spi}), **more},
        )
    )
