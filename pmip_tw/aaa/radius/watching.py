"""Whether servers are alive: suspicion, Status-Server (RFC 5997), connections, and what a change of mind causes."""

from collections.abc import Callable, Mapping

from pmip_tw.aaa.radius import observed
from pmip_tw.aaa.radius.configuration import RadiusSettings, StatusServer
from pmip_tw.aaa.radius.effects import Connect, Disconnect, Effect
from pmip_tw.aaa.radius.exchange import JITTER, LIKELY, Exchange
from pmip_tw.aaa.radius.sending import Sending
from pmip_tw.aaa.radius.server import Server
from pmip_tw.aaa.radius.states import Event, State
from pmip_tw.addresses import Ipv4
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.radius import Attributes, Code, Request

PROBE_TRIES = 2
"""Status-Server that a suspect may leave unanswered; one is enough for one that is alive, or dead."""

SHORTEST_BACKOFF, LONGEST_BACKOFF = 1.0, 60.0
"""Seconds between two attempts to connect."""

NO_LONGER_ANSWERED = 10
"""Times the dead time: then a request finds out about a dead server that has answered Status-Server once; it, or a
firewall before it, may have been told since not to.
"""

Changed = Callable[[Server, Now, list[Effect]], None]


class Watching:
    """``died``, ``revived``: told when nobody else is to ask a server, or all may again."""

    def __init__(
        self, settings: RadiusSettings, sending: Sending, *, died: Changed, revived: Changed
    ) -> None:
        self._settings = settings
        self._sending = sending
        self._died = died
        self._revived = revived
        self._nas = settings.nas
        self._question = Request(code=Code.STATUS_SERVER, attributes=Attributes(settings.nas.attributes))

    def use_address(self, address: Ipv4) -> None:
        """Ours is another one now (P82)."""
        nas = self._nas.at(address)
        if nas is not self._nas:
            self._nas = nas
            self._question = Request(code=Code.STATUS_SERVER, attributes=Attributes(nas.attributes))

    def greet(self, server: Server, now: Now, effects: list[Effect]) -> None:
        """It is about to be asked for the first time: can it be reached, and does it answer Status-Server?"""
        if server.configured.tls:
            self._connect(server, effects)
        else:
            self._probe(server, 1, now, effects)

    def happens(self, server: Server, event: Event, now: Now, effects: list[Effect], cause: str = "") -> None:
        """To be called with whatever ``event`` is seen; most change nothing."""
        before = server.state
        after = server.happens(event, now.monotonic, cause)
        if after is None or after is State.PROBING:
            return
        if not (before is State.PROBING and after is State.DEAD):
            effects.append(observed.changed(server, after))
        if after is State.SUSPECT:
            self._probe(server, PROBE_TRIES, now, effects)
        elif after is State.DEAD:
            self._look_again_later(server, now)
            if before is not State.PROBING:
                self._died(server, now, effects)
        else:
            server.retry_at = None
            self._watch(server, now)
            self._revived(server, now, effects)

    def silent(self, server: Server, exchange: Exchange, now: Now, effects: list[Effect]) -> None:
        """``exchange`` should have been answered by now; was anything?"""
        if server.is_silent_since(exchange.asked_at):
            self.happens(server, Event.SILENT, now, effects, exchange.cause())

    def given_up(
        self, server: Server, exchange: Exchange, now: Now, effects: list[Effect], *, was_probe: bool
    ) -> None:
        """After all tries. If a Status-Server is on its way it will say what that means; else we have to guess."""
        if not server.is_silent_since(exchange.asked_at):
            self._suspected_for_ever(server, server.cause, now, effects)
            return
        if server.probe is not None and server.state is State.PROBING:
            return  # whoever was sent to find out does
        self.happens(server, Event.SILENT, now, effects, exchange.cause())
        if was_probe or server.probe is None or not server.answers_status:
            if was_probe:
                server.retry_at = None  # it was to find out; another one may after as long again
            self.happens(server, Event.GIVEN_UP, now, effects, exchange.cause())
            if server.connected:
                effects.append(Disconnect(server.endpoint))
                self.disconnected(server, exchange.cause(), now, effects)

    def probe_given_up(self, server: Server, probe: Exchange, now: Now, effects: list[Effect]) -> None:
        """A Status-Server was not answered."""
        cause = probe.cause(f"no answer, to Status-Server neither - {LIKELY}")
        if server.probe is not None:
            return  # a request finds out
        if not server.usable:
            self.happens(server, Event.GIVEN_UP, now, effects, cause)
            if server.connected:
                effects.append(Disconnect(server.endpoint))
                self.disconnected(server, cause, now, effects)
        elif not server.answers_status or not server.is_silent_since(probe.asked_at):
            # That is what servers do that do not know it.
            self._suspected_for_ever(server, cause, now, effects)
        elif server.state is State.ALIVE:
            self.happens(server, Event.SILENT, now, effects, "Status-Server is not answered")
        elif probe.limit < PROBE_TRIES:
            self._probe(server, PROBE_TRIES, now, effects)
        elif server.connected:
            effects.append(Disconnect(server.endpoint))
            self.disconnected(server, "Status-Server is not answered", now, effects)
        else:
            self.happens(server, Event.GIVEN_UP, now, effects, cause)

    def _suspected_for_ever(self, server: Server, cause: str, now: Now, effects: list[Effect]) -> None:
        """A suspect is asked by nobody who has a better one: when nothing is outstanding, it is dead for a while."""
        if server.state is State.SUSPECT and not server.outstanding:
            self.happens(server, Event.GIVEN_UP, now, effects, cause)

    def wake(self, server: Server, now: Now, effects: list[Effect]) -> None:
        """It is time to connect to it again, or to ask whether it is alive."""
        server.due = None
        if server.configured.tls and not server.connected:
            self._connect(server, effects)
        elif server.state is State.DEAD:
            self._probe(server, 1, now, effects)
            self.happens(server, Event.ASKED, now, effects)
        elif server.configured.tls:
            if server.is_silent_since(now.monotonic - self._settings.watchdog):
                self._probe(server, 1, now, effects)
            self._watch(server, now)

    def connected(self, server: Server, now: Now, effects: list[Effect]) -> None:
        """The TLS connection is there: what waits for it goes out.

        Whoever hangs takes connections all the same: one that is dead is alive again when it says so, if it can.
        """
        server.connected, server.connecting, server.connected_at = True, False, now.monotonic
        effects.append(observed.connection(server, ""))
        has_to_say = server.answers_status and server.state in (State.DEAD, State.PROBING)
        self.happens(server, Event.ASKED if has_to_say else Event.ANSWERED, now, effects)
        for exchange in [one for one in server.outstanding.values() if one.unsent]:
            self._sending.put(exchange, server, effects)
        self._probe(server, 1, now, effects)
        self._watch(server, now)

    def disconnected(self, server: Server, cause: str, now: Now, effects: list[Effect]) -> None:
        """It broke, or could not be made. What is outstanding is asked again on the next one (RFC 6614 2.6).

        One on which nothing was heard is no better than none: that is how a certificate of ours is refused.
        """
        was_there = server.connected and not server.is_silent_since(server.connected_at)
        server.connected = server.connecting = False
        effects.append(observed.connection(server, cause))
        if server.probe is not None and server.probe.is_probe:
            self._sending.release(server.probe)
        for exchange in server.outstanding.values():
            exchange.unsent, exchange.unreachable = True, cause
        if was_there:
            self.happens(server, Event.SILENT, now, effects, cause)
            self._connect(server, effects)
            return
        server.backoff = min(max(2 * server.backoff, SHORTEST_BACKOFF), LONGEST_BACKOFF)
        self.happens(server, Event.GIVEN_UP, now, effects, cause)
        server.cause = cause
        self._sending.file(server, now.monotonic + _varied(server.backoff, now))

    def _connect(self, server: Server, effects: list[Effect]) -> None:
        if not server.connecting:
            server.connecting = True
            effects.append(Connect(server.endpoint))

    def _probe(self, server: Server, limit: int, now: Now, effects: list[Effect]) -> None:
        """Ask by Status-Server, unless that is done already or cannot be."""
        if server.configured.status_server is StatusServer.NO or server.probe is not None:
            return
        if server.configured.tls and not (server.connected and server.has_room):
            return
        server.probe = Exchange(0, self._question, "", started=now.monotonic)
        self._sending.begin(server.probe, server, limit, now, effects)

    def _look_again_later(self, server: Server, now: Now) -> None:
        settings = self._settings
        asked_by = server.configured
        if server.answers_status and (asked_by.tls or asked_by.status_server is StatusServer.YES):
            server.retry_at = None
        elif server.retry_at is None:  # else a request is to find out, whatever Status-Server does not say
            patience = settings.dead_time * (NO_LONGER_ANSWERED if server.answers_status else 1)
            server.retry_at = now.monotonic + _varied(patience, now)
        if server.configured.tls and not server.connected:
            return  # connecting again is looking again
        if server.configured.status_server is not StatusServer.NO:
            self._sending.file(server, now.monotonic + _varied(settings.probe_interval, now))

    def _watch(self, server: Server, now: Now) -> None:
        if server.configured.tls and server.connected:
            self._sending.file(server, now.monotonic + _varied(self._settings.watchdog, now))


def _varied(seconds: float, now: Now) -> float:
    return seconds * (1 + JITTER * (2 * now.random_fraction() - 1))


def row(server: Server, groups: Mapping[str, tuple[Server, ...]], monotonic: float) -> dict[str, object]:
    """What an operator sees of it."""
    counts = server.counts
    return {
        "server": server.name,
        "purposes": ", ".join(name for name, members in groups.items() if server in members),
        "transport": "tls" if server.configured.tls else "udp",
        "state": "untried" if server.alive_for_all_we_know else server.state.value,
        "since_seconds": round(monotonic - server.since, 1),
        "outstanding": len(server.outstanding),
        "sent": counts["sent"],
        "repeated": counts["repeated"],
        "answered": counts["answered"],
        "given_up": counts["given_up"],
        "discarded": counts["discarded"],
        "round_trip_ms": round(1000 * server.round_trip, 1),
        "status_server": "answered" if server.counts["status"] else server.configured.status_server.value,
        "cause": server.cause,
    }
