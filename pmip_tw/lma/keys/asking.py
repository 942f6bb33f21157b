"""Keys from AAA (AA10, P29): what becomes of a request that no key proves which is known here.

It waits while AAA is asked, and is read anew then, as if it had just come: nothing of it is believed before. Requests
that a known key proves never come here.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence

import attrs
from msgspec.structs import replace

from pmip_tw.aaa.node_keys import KeyAnswer, KeyGiven, KeyQuestion, KeyRefused
from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lma.bindings import BindingTable
from pmip_tw.lma.keys import observed
from pmip_tw.lma.keys.fetched import FetchedKeys, Name
from pmip_tw.lma.keys.policy import KeyPolicy
from pmip_tw.lma.keys.questions import Held, KeyQuestions
from pmip_tw.lma.keys.root_keys import RootKeys
from pmip_tw.lma.mags import KnownMags
from pmip_tw.lma.registration.commitment import Commit, Effect, Fetch, Told
from pmip_tw.lma.registration.proving import Unproven
from pmip_tw.mobility.associations import MINIMUM_SPI, AssociationTable, SecurityAssociation
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.codes import Code, MessageType
from pmip_tw.wire.renewal import care_of_address

MOST_REFUSED = 100_000
"""Names of whom is remembered that AAA gave no key."""

MOST_SOURCES = 10_000
"""Addresses that are remembered because something true came from there."""

UNAVAILABLE = 1.0
"""Seconds for which AAA is not asked again about a node when nobody gave an answer."""


Read = Callable[[Held], Sequence[Effect]]
"""What has waited, as if it came now."""


@attrs.frozen(slots=True)
class _No:
    """AAA gave no key: the answer, and until when it counts."""

    unproven: Unproven
    until: float


class Keys:
    """``home_agent``: our address. ``associations``: the table into which keys go. ``root_keys``: see there."""

    def __init__(
        self,
        policy: KeyPolicy,
        home_agent: Ipv4,
        associations: AssociationTable,
        bindings: BindingTable,
        root_keys: RootKeys,
        mags: KnownMags | None,
    ) -> None:
        self._policy = policy
        self._home_agent = home_agent
        self._bindings = bindings
        self._mags = mags
        self.root_keys = root_keys
        self.fetched = FetchedKeys(policy, associations)
        self._questions = KeyQuestions(policy)
        self._refused: OrderedDict[Name, _No] = OrderedDict()
        self._sources: OrderedDict[Ipv4, None] = OrderedDict()
        self._root_asked_at = float("-inf")

    def instead(
        self, unproven: Unproven, nai: bytes, payload: bytes, source: Endpoint, local: Ipv4, now: Now
    ) -> Unproven | list[Told]:
        """What becomes of a request of ``nai`` that is ``unproven``: it waits, or why it is turned away."""
        name = (nai, unproven.spi if unproven.mn_ha is None else unproven.mn_ha.spi)
        if name[1] < MINIMUM_SPI or not nai:  # nobody has a key for a reserved one
            return unproven
        if unproven.mn_ha is not None and not self.fetched.may_be_another(name, now.monotonic):
            return unproven
        no = self._refused.get(name)
        if no is not None and no.until >= now.monotonic:  # at the same instant even if nothing is remembered
            if unproven.mn_ha is not None and not unproven.mn_ha.is_missing:
                return unproven
            code = no.unproven.code if unproven.fa_ha is not None else None
            return replace(no.unproven, code=code, fa_ha=unproven.fa_ha, vouched=unproven.vouched)
        return self._wait(name, Held(payload, source, local), now)

    def root_wanted(
        self, name: Name, payload: bytes, source: Endpoint, local: Ipv4, now: Now
    ) -> list[Told] | None:
        """A proven request has an FA-HA that a root key of AAA might prove; None: we have one, or have asked lately."""
        if not self.root_keys.is_lacking or now.monotonic < self._root_asked_at + self._policy.again:
            return None
        return self._wait(name, Held(payload, source, local), now)

    def missing(self, nai: bytes, association: SecurityAssociation, care_of: Ipv4, now: Now) -> list[Told]:
        """Something is to be signed for a node whose key is missing since a restart."""
        name = nai, association.spi
        no = self._refused.get(name)
        if no is not None and no.until >= now.monotonic:
            return []
        question = self._question(name, care_of)
        self._questions.put(question, None, care_of, known=True)
        return self._put(now)

    def recall(self, nai: bytes, spi: int) -> SecurityAssociation:
        """See FetchedKeys."""
        return self.fetched.recall((nai, spi))

    def answered(self, question: KeyQuestion, answer: KeyAnswer, read: Read, now: Now) -> list[Effect]:
        """What has waited for it is ``read`` anew."""
        name = question.name
        waited = self._questions.answered(name)
        if isinstance(answer, KeyGiven):
            self._refused.pop(name, None)
            if answer.root_key is not None:
                self.root_keys.put(answer.root_key, now.monotonic)
            self.fetched.put(name, answer, now.monotonic)
            told = observed.given(question, answer)
        elif isinstance(answer, KeyRefused):
            # The question may have been a forgery's, about whatever that has invented: it ends no key before its time.
            if not self.fetched.is_valid(name):
                self.fetched.forget(name)
            cause = f"AAA gives no key for {name[0].decode(errors='replace')!r} with SPI {name[1]}: {answer.cause}"
            self._refuse(name, "aaa-rejected", cause, Code.HA_MN_AUTH, self._policy.refused, now)
            told = observed.refused(question, answer.cause)
        else:
            kept = self.fetched.keep(name, now.monotonic)
            if not kept:
                self._refuse(name, "aaa-unavailable", answer.cause, Code.HA_RESOURCES, UNAVAILABLE, now)
            told = observed.unavailable(question, answer.cause, kept=kept)
        effects: list[Effect] = [told, *self._put(now)]
        about_request = isinstance(answer, KeyRefused) and answer.about_request
        for held in waited:
            if about_request and held.payload != question.request:
                self._refused.pop(name, None)  # this one may be true
            found = read(held)
            if any(isinstance(effect, Commit) for effect in found):
                self._proved(name, held.source.address, now)
            effects += found
        if about_request:
            self._refused.pop(name, None)
        return effects

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

    def _wait(self, name: Name, held: Held, now: Now) -> list[Told]:
        # A request for a pre-tunnel has no care-of address: it is where it comes from.
        registers = held.payload[0] == MessageType.REGISTRATION_REQUEST
        care_of = care_of_address(held.payload) if registers else held.source.address
        known = self._is_known(name[0], held.source.address)
        question = self._question(name, care_of, held.payload if registers else b"")
        if not self._questions.put(question, held, held.source.address, known=known):
            return [observed.too_many(held.source)]
        return self._put(now)

    def _question(self, name: Name, care_of: Ipv4, request: bytes = b"") -> KeyQuestion:
        nai, spi = name
        return KeyQuestion(
            nai=nai,
            spi=spi,
            home_agent=self._home_agent,
            care_of_address=care_of,
            root_key=self.root_keys.is_lacking,
            request=request,
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

    def _refuse(self, name: Name, reason: str, cause: str, code: Code, seconds: float, now: Now) -> None:
        self._refused.pop(name, None)
        self._refused[name] = _No(Unproven(reason=reason, cause=cause, code=code), now.monotonic + seconds)
        if len(self._refused) > MOST_REFUSED:
            self._refused.popitem(last=False)
