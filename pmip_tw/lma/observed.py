"""What an LMA tells its observers; here, so that the rules read without it."""

from pmip_tw.addresses import Endpoint, ipv4_text
from pmip_tw.lma.admission import Refusal
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.commitment import Asked, Commit
from pmip_tw.lma.proving import Unproven
from pmip_tw.mobility.effects import Observe
from pmip_tw.mobility.observations import Detail, Observation
from pmip_tw.mobility.replay import seconds_between
from pmip_tw.wire.codes import meaning
from pmip_tw.wire.registration import RegistrationRequest


def _nai(nai: bytes) -> str:
    return nai.decode(errors="replace")


def discarded(reason: str, source: Endpoint, cause: str) -> Observe:
    """A datagram from who knows whom: it names no mobile node, whatever it says."""
    return Observe(
        Observation(name="message-discarded", reason=reason, cause=cause, details={"source": str(source)})
    )


def unproven(turned_away: Unproven, request: RegistrationRequest, source: Endpoint) -> Observe:
    """The node is named only if it is configured, so that its trace tells; anyone may name a NAI."""
    return Observe(
        Observation(
            name="message-discarded",
            nai=_nai(request.nai) if turned_away.known else "",
            reason=turned_away.reason,
            cause=turned_away.cause,
            details={"source": str(source)},
        )
    )


def registered(binding: Binding, previous: Binding | None) -> Observe:
    details: dict[str, Detail] = {"mag": ipv4_text(binding.care_of_address)}
    # Nearly all are renewals, which have nothing to tell of the tunnel unless a NAT changed it.
    if previous is None or previous.tunnel != binding.tunnel:
        details["tunnel"] = str(binding.tunnel)
    details["lifetime"] = binding.lifetime
    details["revocation"] = binding.revocation is not None
    if previous is None:
        name = "binding-created"
    elif previous.place != binding.place:
        name = "binding-moved"
    else:
        name = "binding-renewed"
    return Observe(
        Observation(
            name=name,
            nai=_nai(binding.nai),
            session=ipv4_text(binding.home_address),
            details=details,
        )
    )


def answered_again(binding: Binding) -> Observe:
    return Observe(
        Observation(
            name="registration-answered-again",
            nai=_nai(binding.nai),
            session=ipv4_text(binding.home_address),
        )
    )


def refused(asked: Asked, refusal: Refusal) -> Observe:
    return Observe(
        Observation(
            name="registration-refused",
            nai=_nai(asked.nai),
            reason=str(int(refusal.code)),
            cause=f"{meaning(refusal.code)}: {refusal.cause}",
            details={"source": str(asked.source)},
        )
    )


def identification_refused(asked: Asked, last: int | None, wall: float) -> Observe:
    ahead = seconds_between(asked.request.identification, wall)
    why = f"its timestamp is {abs(ahead):.3f} s {'ahead of' if ahead > 0 else 'behind'} our clock"
    if last is not None:
        why += f"; the last accepted one is {seconds_between(last, wall):+.3f} s from it"
    return Observe(
        Observation(
            name="registration-refused",
            nai=_nai(asked.nai),
            reason="133",
            cause=f"{meaning(133)}: {why} (I6)",
            details={"source": str(asked.source)},
        )
    )


def deregistered(commit: Commit) -> Observe:
    ended = commit.previous
    return Observe(
        Observation(
            name="binding-released" if ended else "deregistration-without-binding",
            nai=_nai(commit.asked.request.nai),
            session=ipv4_text(ended.home_address) if ended else "",
            details={"mag": ipv4_text(commit.asked.request.care_of_address)},
        )
    )


def expired(binding: Binding) -> Observe:
    return Observe(
        Observation(
            name="binding-expired",
            nai=_nai(binding.nai),
            session=ipv4_text(binding.home_address),
            cause=f"not renewed within {binding.lifetime} s",
            details={"mag": ipv4_text(binding.care_of_address)},
        )
    )
