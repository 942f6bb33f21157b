"""Kinds of worlds that differ in what is between MAGs and LMAs, and in who gives the addresses."""

import attrs

from pmip_tw.addresses import UNSPECIFIED
from pmip_tw.dhcp.relaying import RelayPolicy
from pmip_tw.mobility.tunnels import Encapsulation
from tests.agents.dhcp_server import SERVER as DHCP_SERVER
from tests.agents.world import HOME
from tests.simulation import actions
from tests.simulation.scenario import Scenario
from tests.simulation.subjects import Chance, planned


def independent(scenario: Scenario, chance: Chance) -> Scenario:
    """Nodes have their addresses from elsewhere, and MAGs register what is in use (P62)."""
    return attrs.evolve(
        scenario,
        nodes=tuple(attrs.evolve(habit, static=True) for habit in scenario.nodes),
        mag_settings={**scenario.mag_settings, "dhcp": "independent"},
    )


def nats(scenario: Scenario, chance: Chance) -> Scenario:
    """MAGs behind NATs that give them another port now and then, and forget who is silent (RFC 3519, N23, N38, RV41).

    Behind one NAT each, behind the same, or with the same private address (N28).
    """
    behind = tuple(number for number in range(scenario.mags) if chance.random() < 0.7) or (0,)
    happenings = [
        actions.NatForgets(at=round(chance.uniform(2.0, 28.0), 3), mag=chance.choice(behind))
        for _ in range(chance.randint(0, 4))
    ]
    encapsulation = chance.choice((Encapsulation.IP_IN_IP, *Encapsulation))
    return attrs.evolve(
        planned(scenario, [*scenario.actions, *happenings]),
        nats=behind,
        nat_layout=chance.choice(("apart", "alike", "shared")),
        nat_timeout=chance.choice((None, 15.0, 40.0)),
        lma_settings={**scenario.lma_settings, "keepalive_interval": chance.choice((5, 10, 12))},
        mag_settings={
            **scenario.mag_settings,
            "lifetime": chance.choice((20, 120)),
            "nat_traversal": chance.choice(("auto", "auto", "force")),
            "keepalive_scope": chance.choice(("tunnel", "tunnel", "binding")),
            "encapsulation": encapsulation,
            "gre_key": chance.choice(("none", "lma")) if encapsulation is Encapsulation.GRE else "none",
            "gre_key_with_d": True,
        },
    )


def ack_trigger(scenario: Scenario, chance: Chance) -> Scenario:
    """A DHCP server in the core gives the addresses, and MAGs register what it has given (P63, P65)."""
    settings = {
        **scenario.mag_settings,
        "dhcp": "ack-trigger",
        "dhcp_relay": RelayPolicy(servers=(DHCP_SERVER,), subnet_selection=True),
        "dhcp_subnet": chance.choice((HOME.network, UNSPECIFIED)),
    }
    return attrs.evolve(scenario, mag_settings=settings)


def tunnel(scenario: Scenario, chance: Chance) -> Scenario:
    """A DHCP server behind the LMA, which MAGs reach through tunnels that come first, and often through NATs (P64)."""
    behind = nats(scenario, chance) if chance.random() < 0.7 else scenario
    return attrs.evolve(
        behind,
        mag_settings={**behind.mag_settings, "dhcp": "tunnel"},
        lma_settings={**behind.lma_settings, "pre_tunnel": True},
    )
