"""Worlds whose MAGs ask RADIUS servers."""

import attrs

from pmip_tw.aaa.radius.configuration import RequireSignature, StatusServer, Strategy
from pmip_tw.access.authenticator import EapTimes
from pmip_tw.mag.authentication.access_policy import AccessPolicy, Dot1xPolicy, PortAuthentication
from pmip_tw.wire.eapol import EAP_PACKET, LOGOFF, START
from tests.agents.world import PORT
from tests.simulation import actions
from tests.simulation.actions import Action
from tests.simulation.radius.authorization import KINDS
from tests.simulation.radius.forger import DEMANDS, TRICKS
from tests.simulation.radius.happenings import (
    Crowd,
    Demand,
    Forge,
    ForgedDemand,
    ForgedEapol,
    LogOff,
    PointRestarts,
    ServerDies,
    ServerMistyped,
    ServerSlow,
)
from tests.simulation.radius.places import address_of
from tests.simulation.radius.settings import Servers
from tests.simulation.scenario import Conditions, Scenario
from tests.simulation.subjects import Chance, crash, machines, planned

_PROOFS = ("password", "password", "guess", "nothing")


def radius(scenario: Scenario, chance: Chance) -> Scenario:
    """Servers that are slow, silent, dead or mistyped, one or all of them; crowds of strangers; forged answers."""
    servers = drawn_servers(chance)
    return attrs.evolve(
        planned(scenario, [*scenario.actions, *misfortunes(scenario, servers, chance)]),
        aaa=servers,
        conditions=near(scenario.conditions),
    )


def near(conditions: Conditions) -> Conditions:
    """Who is further away than half the time before the first retransmission is told to be dead by Status-Server."""
    return attrs.evolve(conditions, delay=min(conditions.delay, (0.005, 0.05)))


def supplicants(scenario: Scenario, chance: Chance) -> Scenario:
    """Nodes are examined by EAP of several rounds: they move, log off, and there are some who only guess."""
    proofs = ["password", *(chance.choice(_PROOFS) for _ in scenario.nodes[1:])]
    scenario = attrs.evolve(
        scenario,
        nodes=tuple(
            attrs.evolve(one, proof=proof) for one, proof in zip(scenario.nodes, proofs, strict=True)
        ),
    )
    servers = attrs.evolve(drawn_servers(chance), signs=True, rounds=chance.choice((1, 3, 6)))
    happenings: list[Action] = [*scenario.actions, *misfortunes(scenario, servers, chance)]
    for _ in range(chance.randint(0, 4)):
        at, node = round(chance.uniform(2.0, 30.0), 3), chance.randrange(len(scenario.nodes))
        if chance.random() < 0.4:
            happenings.append(LogOff(at=at, node=node))
        else:
            kind = chance.choice((START, LOGOFF, EAP_PACKET))
            happenings.append(ForgedEapol(at=at, node=node, mag=chance.randrange(scenario.mags), kind=kind))
    times = EapTimes(tx_period=1.0, max_tries=3, quiet_period=3.0, server_timeout=chance.choice((5.0, 30.0)))
    dot1x = Dot1xPolicy(times=times, reauth_period=chance.choice((0.0, 8.0, 3600.0)))
    access = AccessPolicy(ports={PORT: PortAuthentication.DOT1X}, dot1x=dot1x)
    return attrs.evolve(
        planned(scenario, happenings),
        aaa=servers,
        conditions=near(scenario.conditions),
        mag_settings={**scenario.mag_settings, "access": access},
    )


def accounting(scenario: Scenario, chance: Chance) -> Scenario:
    """What nodes use is told, whatever machines and servers do; AAA ends sessions, changes and authorizes them anew."""
    scenario = (supplicants if chance.random() < 0.4 else radius)(scenario, chance)
    assert scenario.aaa is not None
    nodes, names = range(len(scenario.nodes)), ("lma", *machines(scenario))
    happenings: list[Action] = [*scenario.actions]
    for _ in range(chance.randint(0, 6)):
        at, node = round(chance.uniform(2.0, 32.0), 3), chance.choice(nodes)
        name = chance.choice(names)
        happenings.append(Demand(at=at, node=node, machine=name, kind=chance.choice(KINDS)))
    for _ in range(8):
        at, node = round(chance.uniform(2.0, 32.0), 3), chance.choice(nodes)
        name = chance.choice(names)
        kind, trick = chance.choice(KINDS), chance.choice(DEMANDS)
        happenings.append(ForgedDemand(at=at, node=node, machine=name, kind=kind, trick=trick))
    if chance.random() < 0.5:
        for at in (5, 14, 23):
            happenings.append(crash(chance, round(at + chance.uniform(0.0, 6.0), 3), chance.choice(names)))
    servers = attrs.evolve(scenario.aaa, accounting=True)
    return attrs.evolve(planned(scenario, happenings), aaa=servers)


def access_points(scenario: Scenario, chance: Chance) -> Scenario:
    """Behind MAGs are access points that authenticate by themselves: stations roam between them, and they restart."""
    scenario = accounting(scenario, chance) if chance.random() < 0.5 else supplicants(scenario, chance)
    assert scenario.aaa is not None
    servers = attrs.evolve(
        scenario.aaa,
        signs=True,
        rounds=chance.choice((1, 3)),
        points=2,
        notices=chance.choice((0.0, 0.3, 1.0, 5.0)),
    )
    happenings = [one for one in scenario.actions if not isinstance(one, LogOff | ForgedEapol)]
    for at in chance.sample((4, 9, 15, 22, 28), chance.randint(0, 3)):
        restarts = PointRestarts(
            at=round(at + chance.uniform(0.0, 3.0), 3),
            mag=chance.randrange(scenario.mags),
            number=chance.randrange(2),
            seconds=chance.choice((0.2, 2.0)),
        )
        happenings.append(restarts)
    proofs = ["password", *(chance.choice(_PROOFS) for _ in scenario.nodes[1:])]
    access = AccessPolicy(
        ports={PORT: PortAuthentication.RADIUS_PROXY},
        access_points={
            (address_of(mag, number), PORT)
            for mag in range(scenario.mags)
            for number in range(servers.points)
        },
    )
    return attrs.evolve(
        planned(scenario, happenings),
        aaa=servers,
        nodes=tuple(
            attrs.evolve(one, proof=proof) for one, proof in zip(scenario.nodes, proofs, strict=True)
        ),
        mag_settings={**scenario.mag_settings, "access": access},
    )


def drawn_servers(chance: Chance) -> Servers:
    signs = chance.random() < 0.7
    status = chance.choice(tuple(StatusServer))
    timeout = chance.choice((0.5, 1.0, 2.0))
    crowded = chance.random() < 0.4
    return Servers(
        count=chance.choice((1, 2, 2, 3)),
        strategy=chance.choice(tuple(Strategy)),
        status_server=status,
        require=chance.choice(tuple(RequireSignature)) if signs else RequireSignature.AUTO,
        knows_status=status is StatusServer.YES or chance.random() < 0.6,
        signs=signs,
        timeout=timeout,
        tries=chance.choice((1, 2, 3)),
        dead_time=chance.choice((5.0, 12.0)),
        probe_interval=chance.choice((2.0, 5.0)),
        room=chance.choice((1, 2, 3)) if crowded else 255,
        max_outstanding=chance.choice((2, 4)) if crowded else 1024,
        max_waiting=chance.choice((3, 20)) if crowded else 1024,
        delay=chance.choice(((0.002, 0.02), (0.01, timeout / 2))),
    )


def misfortunes(scenario: Scenario, servers: Servers, chance: Chance) -> list[Action]:
    found: list[Action] = []
    for _ in range(chance.randint(0, 6)):
        at, server = round(chance.uniform(0.5, 30.0), 3), chance.randrange(servers.count)
        seconds = chance.choice((0.5, 3.0, 10.0, 25.0))
        kind = chance.random()
        if kind < 0.5:
            silently = chance.random() < 0.6
            found.append(ServerDies(at=at, server=server, seconds=seconds, silently=silently))
        elif kind < 0.65:
            delay = chance.choice(((0.5, 2.5), (2.0, 6.0)))
            found.append(ServerSlow(at=at, server=server, seconds=seconds, delay=delay))
        elif kind < 0.8:
            found.append(ServerMistyped(at=at, server=server, seconds=seconds))
        else:
            found.append(actions.AaaDown(at=at, seconds=seconds))
    mags = range(scenario.mags)
    for _ in range(chance.randint(0, 4)):
        nodes, ports = chance.choice((2, 10, 30)), chance.choice((1, 3))
        crowd = Crowd(
            at=round(chance.uniform(0.5, 30.0), 3), mag=chance.choice(mags), nodes=nodes, ports=ports
        )
        found.append(crowd)
    found += [
        Forge(
            at=round(chance.uniform(0.5, 30.0), 3),
            mag=chance.choice(mags),
            trick=chance.choice(TRICKS),
            choice=chance.randrange(1 << 30),
        )
        for _ in range(8)
    ]
    # Forgers are there at the moment when a question is on its way, too.
    found += [
        Forge(
            at=round(one.at + chance.uniform(0.001, 0.3), 3),
            mag=one.mag,
            trick=chance.choice(TRICKS),
            choice=chance.randrange(1 << 30),
        )
        for one in [*scenario.actions, *found]
        if isinstance(one, Crowd | actions.Arrive)
    ]
    return found
