"""What an LMA tells its observers; here, so that the rules read without it."""

from collections.abc import Sequence

from msgspec import Struct

from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.registration.commitment import Asked, Commit
from pmip_tw.lma.registration.proving import Unproven
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.mobility.effects import Observe, ObserveAlike
from pmip_tw.mobility.observations import Alike, Detail, Observation
from pmip_tw.mobility.replay import seconds_between
from pmip_tw.mobility.tunnels import AnchorKey
from pmip_tw.wire.codes import meaning
from pmip_tw.wire.revocation import Revocation


def _nai(nai: bytes) -> str:
    return nai.decode(errors="replace")


def _session(binding: Binding) -> str:
    return str(binding.key) if binding.domain else ipv4_text(binding.home_address)


class _Discarded(Struct, frozen=True, gc=False):
    """A datagram from ``source``; ``nai``: of whom it seems to be, b"" if that is nobody whom we know."""

    reason: str
    cause: str
    source: Endpoint
    nai: bytes


def discarded(reason: str, source: Endpoint, cause: str, nai: bytes = b"") -> ObserveAlike:
    """A datagram from who knows whom: it names no mobile node, whatever it says, unless ``nai`` is known otherwise."""
    return _is_discarded(_Discarded(reason, cause, source, nai))


def unproven(turned_away: Unproven, nai: bytes, source: Endpoint) -> ObserveAlike:
    """The node is named only if it is configured, so that its trace tells; anyone may name a NAI."""
    named = nai if turned_away.known else b""
    return _is_discarded(_Discarded(turned_away.reason, turned_away.cause, source, named))


def _is_discarded(one: _Discarded) -> ObserveAlike:
    """Whoever floods us makes thousands of them, so that they must cost little."""
    return ObserveAlike(
        Alike("message-discarded", (one,), _discarded, _sender_of, reason=one.reason, source=_source_of)
    )


def _discarded(one: _Discarded) -> Observation:
    return Observation(
        name="message-discarded",
        nai=_nai(one.nai),
        reason=one.reason,
        cause=one.cause,
        details={"source": str(one.source)},
    )


def _sender_of(one: _Discarded) -> str:
    return _nai(one.nai)


def _source_of(one: _Discarded) -> Ipv4:
    return one.source.address


def superseded(commit: Commit) -> Observe:
    """What its sender wants by now, or was told, is something else."""
    return Observe(
        Observation(
            name="message-discarded",
            nai=_nai(_nai_of(commit)),
            reason="superseded",
            cause="before it was saved a newer message about the same binding was decided, which is answered",
            details={} if commit.source is None else {"source": str(commit.source)},
        )
    )


def revocation_not_carried_out(commit: Commit, cause: str) -> Observe:
    """Its MAG sends it again."""
    return Observe(
        Observation(
            name="message-discarded",
            nai=_nai(_nai_of(commit)),
            reason="not-saved",
            cause=f"a revocation, or what AAA wanted, could not be carried out: {cause}",
        )
    )


def _nai_of(commit: Commit) -> bytes:
    if commit.asked is not None:
        return commit.asked.nai
    if commit.binding is not None:
        return commit.binding.nai
    return commit.owner if commit.previous is None else commit.previous.nai


def restored(bindings: int, dropped: int) -> Observe:
    """What a restart has brought back."""
    details: dict[str, Detail] = {"bindings": bindings, "dropped": dropped}
    return Observe(Observation(name="bindings-restored", details=details))


def not_restored(owner: bytes, key: AnchorKey, cause: str) -> Observe:
    """A binding of before the restart that today's configuration does not allow."""
    return Observe(
        Observation(
            name="binding-not-restored",
            nai=_nai(owner),
            session=str(key),
            reason="configuration-changed",
            cause=cause,
        )
    )


def not_saved(cause: str) -> Observation:
    """What cannot be refused could not be saved."""
    return Observation(
        name="journal-failed",
        reason="not-saved",
        cause=f"{cause}; registrations are refused (130) until it works again",
    )


def registered(binding: Binding, so_far: Binding | None, *, moved: bool) -> Observe:
    """``so_far``: what it had at that MAG; ``moved``: it had something somewhere."""
    details: dict[str, Detail] = {"mag": ipv4_text(binding.care_of_address)}
    # Nearly all are renewals, which have nothing to tell of the tunnel unless a NAT changed it.
    if so_far is None or so_far.tunnel != binding.tunnel:
        details["tunnel"] = str(binding.tunnel)
    details["lifetime"] = binding.lifetime
    details["revocation"] = binding.own_timestamp is not None
    if binding.others:
        details["others"] = len(binding.others)
    if so_far is not None:
        name = "binding-renewed"
    elif not moved:
        name = "binding-created"
    else:
        name = "binding-added" if binding.others else "binding-moved"
    return Observe(
        Observation(
            name=name,
            nai=_nai(binding.nai),
            session=_session(binding),
            details=details,
        )
    )


def endpoint_changed(binding: Binding, so_far: Binding) -> Observe:
    """A NAT shows the same MAG as somebody else than before: or somebody on the way does (RFC 3519 6)."""
    return Observe(
        Observation(
            name="endpoint-changed",
            nai=_nai(binding.nai),
            session=_session(binding),
            reason="nat",
            cause="a NAT has lost its mapping, or somebody on the way has sent the request on",
            details={
                "mag": ipv4_text(binding.care_of_address),
                "former": str(so_far.source),
                "endpoint": str(binding.source),
            },
        )
    )


def renewals(bindings: Sequence[Binding]) -> Alike[Binding]:
    """Those whose terms are as before."""
    return Alike("binding-renewed", bindings, _renewed, _whose)


def created(bindings: Sequence[Binding]) -> ObserveAlike:
    """Their owners had none."""
    return ObserveAlike(Alike("binding-created", bindings, _created, _whose))


def moved(bindings: Sequence[Binding]) -> ObserveAlike:
    """Their owners were at other MAGs, and are not any more."""
    return ObserveAlike(Alike("binding-moved", bindings, _moved, _whose))


def added(binding: Binding) -> ObserveAlike:
    """Its owner has others beside (L3)."""
    return ObserveAlike(Alike("binding-added", (binding,), _moved, _whose))


def _renewed(binding: Binding) -> Observation:
    return registered(binding, binding, moved=True).observation


def _created(binding: Binding) -> Observation:
    return registered(binding, None, moved=False).observation


def _moved(binding: Binding) -> Observation:
    return registered(binding, None, moved=True).observation


def _whose(binding: Binding) -> str:
    return _nai(binding.nai)


def answered_again(binding: Binding) -> Observe:
    return Observe(
        Observation(
            name="registration-answered-again",
            nai=_nai(binding.nai),
            session=_session(binding),
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


def deregistered(asked: Asked, ended: Sequence[Binding]) -> Observe | ObserveAlike:
    """The bindings that a de-registration ``ended``, or that it came too late."""
    if not ended:
        details: dict[str, Detail] = {"mag": ipv4_text(asked.request.care_of_address)}
        late = Observation(name="deregistration-without-binding", nai=_nai(asked.nai), details=details)
        return Observe(late)
    return ObserveAlike(Alike("binding-released", ended, _released, _whose))


def _released(binding: Binding) -> Observation:
    return Observation(
        name="binding-released",
        nai=_nai(binding.nai),
        session=_session(binding),
        details={"mag": ipv4_text(binding.care_of_address)},
    )


def expired(bindings: Sequence[Binding]) -> ObserveAlike:
    """Those that come due at a time."""
    return ObserveAlike(Alike("binding-expired", bindings, _expired, _whose))


def _expired(binding: Binding) -> Observation:
    return Observation(
        name="binding-expired",
        nai=_nai(binding.nai),
        session=_session(binding),
        cause=f"not renewed within {binding.lifetime} s",
        details={"mag": ipv4_text(binding.care_of_address)},
    )


def revocation_received(binding: Binding, source: Endpoint) -> Observe:
    return Observe(
        Observation(
            name="revocation-received",
            nai=_nai(binding.nai),
            session=_session(binding),
            details={"mag": str(source)},
        )
    )


def revocation_discarded(reason: str, binding: Binding, source: Endpoint, cause: str) -> Observe:
    """One that is authentic and comes at the wrong time."""
    return Observe(
        Observation(
            name="message-discarded",
            nai=_nai(binding.nai),
            session=_session(binding),
            reason=reason,
            cause=f"a revocation: {cause}",
            details={"source": str(source)},
        )
    )


def revocation_of_nothing(message: Revocation, source: Endpoint) -> Observe:
    return Observe(
        Observation(
            name="revocation-without-binding",
            nai=_nai(message.nai),
            session=ipv4_text(message.home_address),
            details={"mag": str(source)},
        )
    )


def authorization_changed(binding: Binding) -> Observe:
    """AAA has changed a session that goes on."""
    return Observe(
        Observation(
            name="authorization-changed",
            nai=_nai(binding.nai),
            session=_session(binding),
            details={"filter_ids": ", ".join(one.name for one in binding.filters), **_limits(binding)},
        )
    )


def _limits(binding: Binding) -> dict[str, Detail]:
    limits = binding.terms.limits
    if limits is None:
        return {}
    return {"idle_timeout": limits.idle_timeout, "interim_interval": limits.interim_interval}


def revoked(binding: Binding, why: str = "") -> Observe:
    return Observe(
        Observation(
            name="binding-revoked",
            nai=_nai(binding.nai),
            cause=why,
            session=_session(binding),
            details={
                "mag": ipv4_text(binding.care_of_address),
                "revocation": binding.own_timestamp is not None,
            },
        )
    )


def ipsec_policy_missing(mag: Ipv4, local: Ipv4, cause: str) -> Observation:
    """P74: what is wrong and the command that mends it."""
    peer, own = ipv4_text(mag), ipv4_text(local)
    command = (
        f"ip xfrm policy add src {peer}/32 dst {own}/32 proto udp dport 434 dir in "
        f"tmpl src {peer} dst {own} proto esp mode transport"
    )
    return Observation(
        name="ipsec-policy-missing",
        reason="no-policy",
        cause=f"{cause}: its requests by IPsec get 149; add the policy and start again: {command}",
        details={"mag": peer},
    )


def clock_set_back(seconds: float) -> Observe:
    return Observe(
        Observation(
            name="clock-set-back",
            reason="clock-set-back",
            cause=f"this machine's clock was set back by {seconds:.1f} s: registrations go on by the time before, "
            "which falls behind by 1 % until both agree; MAGs are told it by 133 (I6)",
        )
    )
