"""Keys from AAA (AA10, P29): what becomes of a request that no key proves which is known here.

It waits while AAA is asked, and is read anew then, as if it had just come: nothing of it is believed before. So does
one that a key of AAA proves, of a MAG about which AAA has not been asked. Renewals never come here.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from math import inf

import attrs
from msgspec.structs import replace

from pmip_tw.aaa.node_keys import NOTHING_SAID, Brought, KeyAnswer, KeyGiven, KeyQuestion, KeyRefused
from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lma.bindings import BindingTable
from pmip_tw.lma.keys import observed
from pmip_tw.lma.keys.fetched import FetchedKeys, Name
from pmip_tw.lma.keys.policy import KeyPolicy
from pmip_tw.lma.keys.questions import About, Held, KeyQuestions, Standing
from pmip_tw.lma.keys.root_keys import RootKeys
from pmip_tw.lma.mags import KnownMags
from pmip_tw.lma.registration.commitment import Asked, Commit, Effect, Fetch, Told, Wait
from pmip_tw.lma.registration.proving import Unproven, Voucher
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.mobility.associations import MINIMUM_SPI, AssociationTable, SecurityAssociation
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import SIGNALLING_PORT
from pmip_tw.wire.codes import Code

MOST_REFUSED = 100_000
"""Names of whom is remembered that AAA gave no key."""

MOST_SOURCES = 10_000
"""Addresses that are remembered because something true came from there."""

UNAVAILABLE = 1.0
"""Seconds for which AAA is not asked again about a node when nobody gave an answer."""


MOST_UNDECIDED = 1_000
"""Requests that AAA has proven, and that wait for an address."""

UNDECIDED = 10.0
"""Seconds for which they may; a copy of one that was decided is as old as any."""

_BY_AAA = 0
"""In place of an SPI, and no SPI of anybody: AAA is asked whether a request is its node's, which names no key."""

_UNAVAILABLE = "aaa-unavailable"

Read = Callable[[Held, bool], Sequence[Effect]]
"""What has waited, as if it came now; if that is True it is read, even a renewal."""


@attrs.frozen(slots=True)
class _No:
    """AAA gave no key: the answer, and until when it counts."""

    unproven: Unproven
    until: float


class Keys:
    """``home_agent``: our address. ``associations``: the table into which keys go. ``root_keys``: see there.
    ``filters``: their names.
    """

    def __init__(
        self,
        policy: KeyPolicy,
        home_agent: Ipv4,
        associations: AssociationTable,
        bindings: BindingTable,
        root_keys: RootKeys,
        mags: KnownMags | None,
        filters: Collection[str] = (),
    ) -> None:
        self._policy = policy
        self._home_agent = home_agent
        self._bindings = bindings
        self._mags = mags
        self._filters = filters
        self.root_keys = root_keys
        self.fetched = FetchedKeys(policy, associations)
        self._questions = KeyQuestions(policy)
        self._refused: OrderedDict[About, _No] = OrderedDict()
        self._sources: OrderedDict[Ipv4, None] = OrderedDict()
        self._root_asked_at = float("-inf")
        self._proven: tuple[bytes, Voucher] | None = None
        self._undecided: OrderedDict[bytes, tuple[Voucher, float]] = OrderedDict()
        """Requests that AAA has proven, and that wait for an address: what they are worth, and until when."""

    def instead(
        self, unproven: Unproven, nai: bytes, payload: bytes, source: Endpoint, local: Ipv4, now: Now
    ) -> Unproven | list[Told]:
        """What becomes of a request of ``nai`` that is ``unproven``: it waits, or why it is turned away."""
        held = Held(payload, source, local)
        if unproven.aaa_spi and nai and self._policy.proofs and held.registers:
            name = nai, _BY_AAA
            lately = self._refused_lately((*name, held.mag), unproven, now)
            return lately or self._wait(name, held, now, aaa_spi=unproven.aaa_spi)
        name = (nai, unproven.spi if unproven.mn_ha is None else unproven.mn_ha.spi)
        if name[1] < MINIMUM_SPI or not nai:  # nobody has a key for a reserved one
            return unproven
        if unproven.mn_ha is not None and not self.fetched.may_be_another(name, now.monotonic):
            return unproven
        return self._refused_lately((*name, held.mag), unproven, now) or self._wait(name, held, now)

    def voucher(self, payload: bytes, now: Now) -> Voucher | None:
        """Of a request that AAA has just proven, and that is being read; None: it is another one."""
        if self._proven is not None and self._proven[0] == payload:
            return self._proven[1]
        if self._undecided:
            voucher, until = self._undecided.get(payload, (None, 0.0))
            return voucher if until > now.monotonic else None
        return None

    def _read_proven(self, held: Held, read: Read, whole: bool, now: Now) -> Sequence[Effect]:
        """What is read while AAA's word stands for it is read again when it has an address: that of another worker."""
        found = read(held, whole)
        if self._proven is None or held.payload != self._proven[0]:
            return found
        if any(isinstance(effect, Wait) and effect.asked is not None for effect in found):
            self._undecided[held.payload] = self._proven[1], now.monotonic + UNDECIDED
            if len(self._undecided) > MOST_UNDECIDED:
                self._undecided.popitem(last=False)
        return found

    def _refused_lately(self, about: About, unproven: Unproven, now: Now) -> Unproven | None:
        no = self._no(about, now)
        if no is None or (unproven.mn_ha is not None and not unproven.mn_ha.is_missing):
            return None if no is None else unproven
        code = no.unproven.code if unproven.fa_ha is not None else None
        return replace(no.unproven, code=code, fa_ha=unproven.fa_ha, vouched=unproven.vouched)

    def are_enough(self, nai: bytes, spi: int, mag: Ipv4) -> bool:
        """Whether AAA has let the MAG at ``mag`` register the node (P29) and has said nothing else, or is not asked."""
        name = nai, spi
        return self.fetched.may_register(name, mag) and self.fetched.leave(name) is None

    def objection(self, asked: Asked, now: Now) -> Refusal | list[Told] | None:
        """To a request that is proven and new; None: AAA has none to its MAG (P29). It waits while AAA is asked."""
        if (
            asked.association is None
            or asked.request.lifetime == 0
            or self.voucher(asked.payload, now) is not None
        ):
            return None
        name = asked.nai, asked.association.spi
        held = Held(asked.payload, asked.source, asked.local)
        if self.fetched.may_register(name, held.mag) and not self._begins_anew(asked.owner, name, now):
            return None
        no = self._no((*name, held.mag), now)
        if no is None:
            return self._wait(name, held, now, Standing.PROVEN)
        if no.unproven.reason == _UNAVAILABLE:
            if self.fetched.tolerate(name, held.mag, now.monotonic):
                return None
            return Refusal(Code.HA_RESOURCES, no.unproven.cause)
        return Refusal(Code.HA_ADMIN_PROHIBITED, no.unproven.cause)

    def _begins_anew(self, owner: bytes, name: Name, now: Now) -> bool:
        """Whether AAA's word was about a session that is over: it has given that a time, and must give this one its."""
        leave = self.fetched.leave(name)
        return (
            leave is not None
            and bool(leave.allowed.session_timeout)
            and leave.said_at + self._policy.again <= now.monotonic
            and owner not in self._bindings.owners
        )

    def root_wanted(
        self, name: Name, payload: bytes, source: Endpoint, local: Ipv4, now: Now
    ) -> list[Told] | None:
        """A proven request has an FA-HA that a root key of AAA might prove; None: we have one, or have asked lately."""
        if not self.root_keys.is_lacking or now.monotonic < self._root_asked_at + self._policy.again:
            return None
        return self._wait(name, Held(payload, source, local), now)

    def missing(self, nai: bytes, association: SecurityAssociation, care_of: Ipv4, now: Now) -> list[Told]:
        """Something is to be signed for a node whose key is missing since a restart."""
        question = self._question((nai, association.spi), care_of)
        if self._no(question.about, now) is not None:
            return []
        self._questions.put(question, None, care_of, Standing.KNOWN)
        return self._put(now)

    def asked(self) -> Iterator[tuple[KeyQuestion, bool]]:
        """What AAA is asked, or will be, and which of both."""
        return iter(self._questions)

    def doubt(self, nai: bytes, now: Now) -> bool:
        """See FetchedKeys; and what AAA was asked before may be answered by what was true then."""
        self._questions.doubt(nai)
        return self.fetched.doubt(nai, now.monotonic)

    def recall(self, nai: bytes, spi: int) -> SecurityAssociation:
        """See FetchedKeys."""
        return self.fetched.recall((nai, spi))

    def recall_proven(self, nai: bytes, aaa_spi: int) -> None:
        """A request with MN-AAA alone was believed by a former process. Which SPI its answer had nobody knows any more,
        but it is that of MN-AAA if AAA has said no other."""
        if self._policy.proofs and aaa_spi >= MINIMUM_SPI:
            self.recall(nai, aaa_spi)

    def answered(
        self, question: KeyQuestion, answer: KeyAnswer | Brought, read: Read, now: Now
    ) -> list[Effect]:
        """What has waited for it is ``read`` anew."""
        if isinstance(answer, Brought):
            return self._brought(question, answer, read, now)
        name, about = question.name, question.about
        if isinstance(answer, KeyGiven) and self._questions.once_more(about, question.care_of_address):
            return [*self._put(now)]
        waited = self._questions.answered(about)
        answer = self._judged(answer)
        whole = isinstance(answer, KeyGiven) and answer.allowed is not NOTHING_SAID
        if isinstance(answer, KeyGiven):
            name = (question.nai, answer.association.spi)
            told = self._given(question, answer, now)
        elif isinstance(answer, KeyRefused):
            # The question may have been a forgery's, about whatever that has invented: it ends no key before its time.
            if not self.fetched.is_valid(name):
                self.fetched.forget(name)
            cause = observed.why_refused(question, answer.cause)
            code = Code.HA_MN_AUTH if question.spi else Code.HA_BAD_AAA_AUTH
            self._refuse(about, "aaa-rejected", cause, code, self._policy.refused, now)
            told = observed.refused(question, answer.cause)
        else:
            kept = self.fetched.keep(name, now.monotonic)
            if not kept:
                self._refuse(about, _UNAVAILABLE, answer.cause, Code.HA_RESOURCES, UNAVAILABLE, now)
            told = observed.unavailable(question, answer.cause, kept=kept)
        effects: list[Effect] = [told, *self._put(now)]
        about_request = isinstance(answer, KeyRefused) and answer.about_request
        try:
            for held in waited:
                if about_request and held.payload != question.request:
                    self._refused.pop(about, None)  # this one may be true
                found = self._read_proven(held, read, whole, now)
                if any(isinstance(effect, Commit) for effect in found):
                    self._proved(name, held.source.address, now)
                effects += found
        finally:
            self._proven = None
        if about_request:
            self._refused.pop(about, None)
        return effects

    def _brought(self, question: KeyQuestion, answer: Brought, read: Read, now: Now) -> list[Effect]:
        """The request is read as if it came from the agent at its care-of address, and AAA's word stands for it."""
        mn_ha = fa_ha = None
        if answer.association is not None:
            name = (question.nai, answer.association.spi)
            given = KeyGiven(
                association=answer.association, lifetime=answer.lifetime, home_address=answer.home_address
            )
            mn_ha = self.fetched.put(name, given, question.care_of_address, now.monotonic)
            self.fetched.authorized(name, answer.authorized, now.monotonic)
        self.fetched.authorized(question.name, answer.authorized, now.monotonic)
        if answer.agent is not None:
            until = now.monotonic + answer.lifetime if answer.lifetime else inf
            fa_ha = self.root_keys.bring(question.care_of_address, answer.agent, until)
        self._proven = question.request, Voucher(mn_ha=mn_ha, fa_ha=fa_ha, longest=answer.longest)
        source = Endpoint(question.care_of_address, SIGNALLING_PORT)
        try:
            held = Held(question.request, source, self._home_agent)
            found = self._read_proven(held, read, True, now)
        finally:
            self._proven = None
        return [observed.brought(question, answer), *found]

    def _given(self, question: KeyQuestion, answer: KeyGiven, now: Now) -> Told:
        self._refused.pop(question.about, None)
        if answer.root_key is not None:
            self.root_keys.put(answer.root_key, now.monotonic)
        name = (question.nai, answer.association.spi)
        association = self.fetched.put(name, answer, question.care_of_address, now.monotonic)
        if answer.proven:
            # Whatever end a registration has that was brought before: AAA was heard of again.
            self.fetched.authorized(name, 0, now.monotonic)
            self._proven = question.request, Voucher(mn_ha=association, longest=answer.longest)
        return observed.given(question, answer)

    def _judged(self, answer: KeyAnswer) -> KeyAnswer:
        """A key for whom nobody can be served with is none (AA25)."""
        if not isinstance(answer, KeyGiven) or self._policy.ignores_unknown_filters:
            return answer
        unknown = [name for name in answer.allowed.filter_ids or () if name not in self._filters]
        return KeyRefused(f"there is no [[lma.filters]] of the name {unknown[0]!r}") if unknown else answer

    def _proved(self, name: Name, source: Ipv4, now: Now) -> None:
        """What has waited for a key turned out to be true, and came from ``source``."""
        self.fetched.used(name, now.monotonic)
        self._sources[source] = None
        self._sources.move_to_end(source)
        if len(self._sources) > MOST_SOURCES:
            self._sources.popitem(last=False)

    def wake(self, now: Now) -> list[Told]:
        self.fetched.wake(now.monotonic)
        self.root_keys.wake(now.monotonic)
        return self._put(now)

    def next_deadline(self) -> float | None:
        deadlines = (
            self.fetched.next_deadline(),
            self._questions.next_deadline(),
            self.root_keys.next_deadline(),
        )
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def _wait(
        self,
        name: Name,
        held: Held,
        now: Now,
        standing: Standing = Standing.STRANGER,
        aaa_spi: int = 0,
    ) -> list[Told]:
        if standing is Standing.STRANGER and self._is_known(name[0], held.source.address):
            standing = Standing.KNOWN
        question = self._question(name, held.mag, held.payload if held.registers else b"", aaa_spi)
        if not self._questions.put(question, held, held.source.address, standing):
            return [observed.too_many(held.source)]
        return self._put(now)

    def _question(self, name: Name, care_of: Ipv4, request: bytes = b"", aaa_spi: int = 0) -> KeyQuestion:
        nai, spi = name
        return KeyQuestion(
            nai=nai,
            spi=spi,
            home_agent=self._home_agent,
            care_of_address=care_of,
            root_key=self.root_keys.is_lacking,
            request=request,
            aaa_spi=aaa_spi,
        )

    def _put(self, now: Now) -> list[Told]:
        """What AAA is asked now."""
        told: list[Told] = []
        for question in self._questions.due(now.monotonic):
            if question.root_key:
                self._root_asked_at = now.monotonic
            told += [Fetch(question), observed.asked(question)]
        return told

    def _is_known(self, nai: bytes, source: Ipv4) -> bool:
        """Whether somebody true has sent from there, or is registered here; it may be a forgery all the same."""
        if source in self._sources or (self._mags is not None and self._mags.is_known(source)):
            return True
        return nai in self._bindings.owners

    def _no(self, about: About, now: Now) -> _No | None:
        """What AAA has said against it lately; at the same instant even if nothing is to be remembered."""
        no = self._refused.get(about)
        return None if no is None or no.until < now.monotonic else no

    def _refuse(self, about: About, reason: str, cause: str, code: Code, seconds: float, now: Now) -> None:
        self._refused.pop(about, None)
        self._refused[about] = _No(Unproven(reason=reason, cause=cause, code=code), now.monotonic + seconds)
        if len(self._refused) > MOST_REFUSED:
            self._refused.popitem(last=False)
