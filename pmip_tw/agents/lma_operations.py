"""What an operator may do to a running LMA, and look at."""

from collections.abc import Callable, Sequence

from pmip_tw.agents.rows.bindings import binding_rows
from pmip_tw.agents.rows.keys import key_rows
from pmip_tw.agents.rows.leases import lease_rows
from pmip_tw.agents.rows.tables import Row, drop_rows
from pmip_tw.agents.rows.tunnels import at_lma, tunnel_rows
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IClock, IForwardingPlane, ISignalling
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.registration.commitment import Effect
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AnchorKey


def end(engine: LmaEngine, whom: str, now: Now) -> tuple[Sequence[Effect], list[Binding]]:
    """What ends the bindings of ``whom``, a NAI or a home address, and which those are.

    There may be none of a home address, whose hold ends then. PmipError: ``whom`` is neither; but the key of AAA that a
    NAI may have all the same is good for no registration any more.
    """
    bound = engine.bindings.of_nai(whom.encode())
    if bound:
        return engine.revoke(whom.encode(), now), bound
    home_address = AnchorKey.read(whom)
    if home_address is None:
        if engine.doubt(whom.encode(), now):
            raise PmipError(f"no binding is of {whom!r}; before it registers again AAA is asked for its key")
        raise PmipError(f"no binding is of {whom!r}: pmipctl show bindings lists them")
    held = engine.bound_to(home_address)
    return engine.lease_ended(home_address, now), [] if held is None else [held]


def tables_of(
    engine: LmaEngine, forwarding: IForwardingPlane, signalling: ISignalling, clock: IClock
) -> dict[str, Callable[[], list[Row]]]:
    """By name, read when they are called."""
    return {
        "bindings": lambda: binding_rows(engine.bindings, forwarding, clock.now().monotonic),
        "leases": lambda: lease_rows(engine, clock.now().monotonic),
        "keys": lambda: key_rows(engine, clock.now()),
        "tunnels": lambda: tunnel_rows(forwarding, clock.now().monotonic, at_lma(engine)),
        "drops": lambda: drop_rows(forwarding, signalling),
    }
