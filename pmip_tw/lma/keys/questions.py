"""Which keys AAA is asked for next, and which requests wait for the answers.

Anybody can name a NAI that nobody knows. So questions wait in two queues, those of requests that seem to come from
somewhere we know apart from all others, each with one row for every address where requests come from, which take turns;
AAA is asked for so many at a time and so many a second, and of both the others get half at most.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from enum import IntEnum

from msgspec import Struct

from pmip_tw.aaa.node_keys import KeyQuestion
from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lma.keys.policy import KeyPolicy
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.renewal import care_of_address

About = tuple[bytes, int, Ipv4]
"""NAI, SPI, and the MAG that wants to register it: see KeyQuestion."""

MOST_WAITING = 10_000
"""Questions in each queue. Who has more of them there than another makes room for it, and its MAG asks again: one that
comes back with all its nodes, or is forged, keeps nobody out."""

MOST_OF_A_SOURCE = 1_000
"""Of them, of one address of nobody whom we know."""

MOST_OF_A_NODE = 4
"""Questions about one NAI, under whatever SPIs, that count as those of somebody we know: SPIs can be invented, too, and
by whoever has the node's key, MAGs: twice as many if a key proves them."""

MOST_REQUESTS = 4
"""Requests that wait for one key: a node's MAG, and somebody who disturbs it."""


_ROUNDING = 0.01
"""Of a question: a wake-up that was asked for is not in vain because an instant cannot be told exactly."""


class Held(Struct, frozen=True, gc=False):
    """A request that came from ``source`` to our ``local``, to be read anew."""

    payload: bytes
    source: Endpoint
    local: Ipv4

    @property
    def registers(self) -> bool:
        return self.payload[0] == MessageType.REGISTRATION_REQUEST

    @property
    def mag(self) -> Ipv4:
        """Its care-of address; a request for a pre-tunnel has none: it is where that comes from."""
        return care_of_address(self.payload) if self.registers else self.source.address


class Standing(IntEnum):
    """What speaks for a request that waits: nothing; it seems to come from somewhere we know; a key proves it."""

    STRANGER = 0
    KNOWN = 1
    PROVEN = 2


class _Row(Struct, gc=False):
    """A question that is not put yet, or not answered, with what waits for it, and what speaks for that.
    ``known``: the queue that the question is in.
    """

    question: KeyQuestion
    held: dict[Held, Standing]
    known: bool

    def keep(self, held: Held, standing: Standing) -> bool:
        """It waits; False: too many do. More takes the place of less, and of equals whoever sends least that of the
        newest of whoever sends most: AAA may have to prove each by itself, and a forger keeps nobody out."""
        if held not in self.held and len(self.held) >= MOST_REQUESTS:
            gone = min(self.held, key=self.held.__getitem__)
            if self.held[gone] > standing:
                return False
            if self.held[gone] == standing:
                alike = [one for one, its in self.held.items() if its == standing]
                sent = Counter(one.source.address for one in alike)
                gone = max(reversed(alike), key=lambda one: sent[one.source.address])
                if sent[gone.source.address] < sent[held.source.address] + 2:
                    return False
            del self.held[gone]
        self.held[held] = standing
        return True


class _Queue:
    """Questions of many sources, which take turns."""

    def __init__(self, most_of_a_source: int) -> None:
        self._most_of_a_source = most_of_a_source
        self._sources: OrderedDict[Ipv4, deque[About]] = OrderedDict()
        # By how many questions they have: who has most is to be found at once, in a flood.
        self._by_length: dict[int, dict[Ipv4, None]] = {}
        self._longest = 0
        self._size = 0

    def put(self, about: About, source: Ipv4) -> About | bool:
        """False: too many wait. What has to make room for it, if something has, and that is it."""
        row = self._sources.get(source)
        length = len(row) if row is not None else 0
        if length >= self._most_of_a_source:
            return False
        room: About | bool = True
        if self._size >= MOST_WAITING:
            if length + 1 >= self._longest:
                return False
            room = self._make_room()
        if row is None:
            row = self._sources[source] = deque()
        row.append(about)
        self._size += 1
        self._note(source, length, length + 1)
        return room

    def pop(self) -> About:
        source, row = next(iter(self._sources.items()))
        about = row.popleft()
        self._taken(source, row)
        if row:
            self._sources.move_to_end(source)
        return about

    def _make_room(self) -> About:
        """The newest question of whoever has most."""
        source = next(iter(self._by_length[self._longest]))
        row = self._sources[source]
        about = row.pop()
        self._taken(source, row)
        return about

    def _taken(self, source: Ipv4, row: deque[About]) -> None:
        if not row:
            del self._sources[source]
        self._size -= 1
        self._note(source, len(row) + 1, len(row))

    def _note(self, source: Ipv4, before: int, after: int) -> None:
        if before:
            alike = self._by_length[before]
            del alike[source]
            if not alike:
                del self._by_length[before]
        if after:
            self._by_length.setdefault(after, {})[source] = None
        if after > self._longest or self._longest not in self._by_length:
            self._longest = after

    def __len__(self) -> int:
        return self._size


class KeyQuestions:
    """``put``, then ``due`` says what to ask AAA, then ``answered``."""

    def __init__(self, policy: KeyPolicy) -> None:
        self._policy = policy
        self._rows: dict[About, _Row] = {}
        self._known_of: Counter[bytes] = Counter()
        self._known = _Queue(MOST_WAITING)
        self._unknown = _Queue(MOST_OF_A_SOURCE)
        self._outstanding: set[About] = set()
        self._doubted: set[About] = set()
        # A second's worth of questions may be put at once.
        self._allowed = float(policy.rate)
        self._allowed_at = 0.0

    def __len__(self) -> int:
        """How many wait or are put."""
        return len(self._rows)

    def __iter__(self) -> Iterator[tuple[KeyQuestion, bool]]:
        """Those, and whether each is put."""
        return iter([(row.question, about in self._outstanding) for about, row in self._rows.items()])

    def put(self, question: KeyQuestion, held: Held | None, source: Ipv4, standing: Standing) -> bool:
        """``held`` waits for it, which came from ``source``; None: only the key is wanted.

        False: too many wait, and this one does not.
        """
        about = question.about
        first = self._known_of[about[0]] < standing * MOST_OF_A_NODE
        row = self._rows.get(about)
        if row is None:
            if not self._queue_up(about, source, known=first):
                return False
            row = self._rows[about] = _Row(question, {}, first)
            if first:
                self._known_of[about[0]] += 1
        elif (
            first
            and not row.known
            and about not in self._outstanding
            and self._queue_up(about, source, known=True)
        ):
            row.known = True  # somebody whom nobody knows has asked about it before
            self._known_of[about[0]] += 1
        return held is None or row.keep(held, standing)

    def _queue_up(self, about: About, source: Ipv4, *, known: bool) -> bool:
        queue = self._known if known else self._unknown
        room = queue.put(about, source)
        if not isinstance(room, bool):
            evicted = self._rows.get(room)
            if evicted is not None and evicted.known == known and room not in self._outstanding:
                self._forget(room, evicted)
        return room is not False

    def _forget(self, about: About, row: _Row) -> None:
        del self._rows[about]
        if row.known:
            self._known_of[about[0]] -= 1
            if not self._known_of[about[0]]:
                del self._known_of[about[0]]

    def due(self, monotonic: float) -> Iterator[KeyQuestion]:
        """What is to be put to AAA now."""
        self._allow(monotonic)
        while (queue := self._next_queue()) is not None:
            about = queue.pop()
            row = self._rows.get(about)
            if row is None or about in self._outstanding:
                continue  # it was in both queues
            self._allowed -= 1
            self._outstanding.add(about)
            yield row.question

    def doubt(self, nai: bytes) -> None:
        """What is put about it AAA may have answered already, before it knew what has happened since."""
        self._doubted.update(about for about in self._outstanding if about[0] == nai)

    def once_more(self, about: About, source: Ipv4) -> bool:
        """Whether it is in doubt, so that its answer says nothing: then it waits, with all that waits for it."""
        row = self._rows.get(about)
        if about not in self._doubted or row is None:
            return False
        self._doubted.discard(about)
        self._outstanding.discard(about)
        if not self._queue_up(about, source, known=row.known):
            self._forget(about, row)
        return True

    def answered(self, about: About) -> list[Held]:
        """What has waited for it."""
        self._outstanding.discard(about)
        self._doubted.discard(about)
        row = self._rows.get(about)
        if row is None:
            return []
        self._forget(about, row)
        return [*row.held]

    def next_deadline(self) -> float | None:
        """When more may be put; None: when something is answered, or nothing waits."""
        if not (self._known or self._unknown) or len(self._outstanding) >= self._policy.outstanding:
            return None
        if not self._known and 2 * len(self._outstanding) >= self._policy.outstanding:
            return None
        needed = 1.0 if self._known else self._needed_by_unknown
        return self._allowed_at + max(0.0, needed - self._allowed) / self._policy.rate

    @property
    def _needed_by_unknown(self) -> float:
        """Half of everything is left for those whom we know."""
        return 1.0 + self._policy.rate / 2

    def _next_queue(self) -> _Queue | None:
        allowed, outstanding = self._allowed + _ROUNDING, len(self._outstanding)
        if self._known and allowed >= 1 and outstanding < self._policy.outstanding:
            return self._known
        free = 2 * outstanding < self._policy.outstanding
        if self._unknown and free and allowed >= self._needed_by_unknown:
            return self._unknown
        return None

    def _allow(self, monotonic: float) -> None:
        passed = max(0.0, monotonic - self._allowed_at)
        self._allowed_at = monotonic
        self._allowed = min(float(self._policy.rate), self._allowed + passed * self._policy.rate)
