"""What a MAG tells its observers of 802.1X: who spoke, by which method, and how it ended; never what was said."""

from pmip_tw.access.authenticator import Authenticator
from pmip_tw.access.eap_steps import Ended, Ignored, Passed
from pmip_tw.mag.visitors import Visitor
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe
from pmip_tw.mobility.observations import Observation
from pmip_tw.mobility.tunnels import AccessKey


def eap_started(key: AccessKey, why: str) -> Observe:
    """The node is asked who it is; ``why``: a word for what brought that about."""
    return Observe(Observation(name="eap-started", session=str(key), details={"why": why}))


def eap_passed(key: AccessKey, step: Passed) -> Observe:
    return Observe(
        Observation(
            name=step.name,
            session=str(key),
            details={"method": step.method, "identifier": step.identifier, "octets": step.octets},
        )
    )


def eap_ignored(key: AccessKey, step: Ignored) -> Observe:
    """Counted, with its session: it may be why a supplicant does not get on."""
    return Observe(
        Observation(name="frame-dropped", session=str(key), reason=_word(step.reason), cause=step.cause)
    )


def eap_succeeded(key: AccessKey, machine: Authenticator, nai: str, now: Now) -> Observe:
    seconds = round(now.monotonic - machine.began_at, 6)
    return Observe(
        Observation(
            name="eap-succeeded",
            nai=nai,
            session=str(key),
            details={"method": machine.method, "rounds": machine.rounds, "seconds": seconds},
        )
    )


def eap_failed(key: AccessKey, machine: Authenticator, ended: Ended, visitor: Visitor | None) -> Observe:
    return Observe(
        Observation(
            name="eap-failed",
            nai=visitor.nai if visitor is not None else "",
            session=str(key),
            cause=ended.cause,
            reason=ended.outcome.value,
            details={"method": machine.method, "rounds": machine.rounds},
        )
    )


def _word(reason: str) -> str:
    return reason if reason.startswith(("eap", "logoff")) else f"eapol-{reason}"
