"""Which server of a group is asked next."""

from collections.abc import Sequence

from pmip_tw.aaa.radius.configuration import Strategy
from pmip_tw.aaa.radius.server import Server
from pmip_tw.aaa.radius.states import State


class Group:
    """Servers that can do each other's work."""

    def __init__(self, servers: Sequence[Server], strategy: Strategy) -> None:
        self.servers = tuple(servers)
        self._weighted = strategy is Strategy.WEIGHTED
        self.greeted = False
        """Whether its servers have been asked by Status-Server, or connected to."""

    def choose(self, tried: tuple[Server, ...], monotonic: float) -> tuple[Server | None, bool]:
        """The server to ask, and whether to wait for room if there is none.

        Those that are alive, then those under suspicion, then those that are dead and nobody asks at present. A dead
        one that Status-Server does not tell about is found alive by one request, after ``dead_time``: it comes first.
        """
        found: list[Server] = []
        suspects: list[Server] = []
        dead: list[Server] = []
        for server in self.servers:
            if server in tried:
                continue
            if server.state is State.ALIVE:
                found.append(server)
            elif server.state is State.SUSPECT:
                suspects.append(server)
            elif server.may_be_tried:
                if server.retry_at is not None and server.retry_at <= monotonic:
                    return server, False
                dead.append(server)
        for usable in (found, suspects):
            if usable:
                with_room = [server for server in usable if server.has_room]
                return (self._preferred(with_room) if with_room else None), True
        return (dead[0] if dead else None), False

    def has_other(self, tried: tuple[Server, ...], than: Server) -> bool:
        """Whether somebody else can be asked in place of ``than``."""
        return any(server.usable and server is not than and server not in tried for server in self.servers)

    def _preferred(self, servers: list[Server]) -> Server:
        if not self._weighted or len(servers) == 1:
            return servers[0]
        # Everybody earns his weight, and who has most pays for all: the shares are right over any number of requests.
        for server in servers:
            server.credit += server.configured.weight
        chosen = max(servers, key=lambda server: server.credit)
        chosen.credit -= sum(server.configured.weight for server in servers)
        return chosen
