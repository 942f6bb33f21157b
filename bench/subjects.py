"""What is measured: each a server and a kind of message, so many of which are asked for at a time."""

from collections.abc import Callable

import attrs

from bench.freeradius import WINDOW as RADIUS_WINDOW
from bench.freeradius import AccessRequests, FreeRadius
from bench.generator import Clients, Heard
from bench.kea import LEASE, Kea
from bench.kea import WINDOW as DHCP_WINDOW
from bench.nodes import is_authentic
from bench.population import FORGED_OF, Messages, Population, only_acceptances
from bench.requests import accepted, numbered
from bench.sample import Sample, sample
from bench.server import Server
from bench.standard import Echo

ECHO_WINDOW = 128
"""Messages: what its socket has room for, whose buffer nobody has enlarged."""

_CHECKED = 64
"""The authenticator of one in so many replies is verified; the code of all."""


@attrs.frozen(slots=True, kw_only=True)
class Subject:
    """``prepare`` a number of messages, ``load`` the ``server`` with them; ``good``: how many replies are right.

    ``afterwards``: see to what the load still causes; ``most``: messages of a sample; ``saves``: octets that the server
    has to write for each.
    """

    name: str
    server: Callable[[], Server]
    prepare: Callable[[int], Messages]
    load: Callable[[Messages], Heard]
    good: Callable[[Heard, Messages], int]
    afterwards: Callable[[], None] = lambda: None
    most: int = 60_000
    saves: int = 0

    def measure(self, number: int) -> Sample:
        messages = self.prepare(min(number, self.most))
        return sample(
            self.server(),
            lambda: self.load(messages),
            good=lambda heard: self.good(heard, messages),
            afterwards=self.afterwards,
            saves=self.saves,
        )


def echo(server: Echo, population: Population) -> Subject:
    """It gets what an LMA gets."""
    clients = server.clients()
    [request], _ = population.renewals(1)

    def prepare(number: int) -> Messages:
        return numbered(request, number), [0] * number

    return Subject(
        name="echo",
        server=lambda: server.server,
        prepare=prepare,
        load=lambda messages: clients.closed_loop(*messages, ECHO_WINDOW),
        good=lambda heard, messages: len(set(heard.replies) & set(messages[0])),
    )


def renewals(population: Population, name: str = "renewal") -> Subject:
    return _registrations(name, population, population.renewals, population.size)


def fresh(population: Population, most: int) -> Subject:
    return _registrations("new", population, population.fresh, most)


def handovers(population: Population) -> Subject:
    return _registrations("handover", population, population.handovers, population.size // 2)


def forgeries(population: Population) -> Subject:
    """Its samples count genuine replies: one of ``FORGED_OF``."""

    def load(messages: Messages) -> Heard:
        return population.clients.closed_loop(
            *messages, 4 * FORGED_OF, respond=only_acceptances, every=FORGED_OF
        )

    return Subject(
        name="forged",
        server=lambda: population.lma.server,
        prepare=population.forgeries,
        load=load,
        good=_right,
        most=population.size // FORGED_OF * FORGED_OF,
    )


def freeradius(server: FreeRadius) -> Subject:
    clients = server.clients()
    return _peer("freeradius", server, clients, RADIUS_WINDOW, _radius_is_right)


def kea(server: Kea) -> Subject:
    def good(heard: Heard, messages: Messages) -> int:
        return server.requests.accepted(heard.replies)

    return attrs.evolve(_peer("kea", server, server.clients(), DHCP_WINDOW, good), saves=LEASE)


def _registrations(
    name: str, population: Population, prepare: Callable[[int], Messages], most: int
) -> Subject:
    return Subject(
        name=name,
        server=lambda: population.lma.server,
        prepare=prepare,
        load=population.closed_loop,
        good=_right,
        afterwards=population.settle,
        most=most,
        saves=population.requests.size if population.lma.durable else 0,
    )


def _peer(
    name: str,
    server: FreeRadius | Kea,
    clients: Clients,
    window: int,
    good: Callable[[Heard, Messages], int],
) -> Subject:
    return Subject(
        name=name,
        server=lambda: server.server,
        prepare=server.requests.next,
        load=lambda messages: clients.closed_loop(*messages, window),
        good=good,
    )


def _right(heard: Heard, messages: Messages) -> int:
    """Accepted, and of a sample authentic."""
    wrong = sum(not is_authentic(reply) for reply in heard.replies[::_CHECKED])
    return accepted(heard.replies) - wrong


def _radius_is_right(heard: Heard, messages: Messages) -> int:
    by_identifier: dict[int, list[bytes]] = {}
    for request in messages[0]:
        by_identifier.setdefault(request[1], []).append(request)
    authentic = AccessRequests.authentic
    wrong = sum(not authentic(reply, by_identifier[reply[1]]) for reply in heard.replies[::_CHECKED])
    return AccessRequests.accepted(heard.replies) - wrong
