"""What was decided and does not come true: it could not be saved or carried out, or something newer came first."""

from pmip_tw.addresses import Ipv4
from pmip_tw.lma import observed
from pmip_tw.lma.addresses.home_addresses import HomeAddresses
from pmip_tw.lma.bindings import Binding, BindingTable
from pmip_tw.lma.journal.recording import bound_record, unbound_record
from pmip_tw.lma.registration.commitment import Asked, Commit, Effect, Save
from pmip_tw.lma.registration.intake import Intake
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.lma.registration.registrations import Registrations
from pmip_tw.lma.registration.underway import Underway
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Install, Remove
from pmip_tw.mobility.records import Record


class Undoing:
    """Puts back what there was before. ``address``: ours."""

    def __init__(
        self,
        address: Ipv4,
        home_addresses: HomeAddresses,
        bindings: BindingTable,
        underway: Underway,
        intake: Intake,
        registrations: Registrations,
    ) -> None:
        self._address = address
        self._home_addresses = home_addresses
        self._bindings = bindings
        self._underway = underway
        self._intake = intake
        self._registrations = registrations

    def superseded(self, commit: Commit) -> list[Effect]:
        """It is durable, and over already: its requester has asked for something else, or was told of the end."""
        self._underway.end(commit)
        return [observed.superseded(commit)]

    def undone(self, commit: Commit) -> list[Install | Remove]:
        """What undoes a superseded one that the packet plane has carried out meanwhile.

        What was there before is not put back if its home address was given to another owner since.
        """
        carried = self._underway.carried(commit.owner, self._bindings.get(commit.owner))
        if carried is not None and not self._underway.is_free_for(commit.owner, carried.key):
            carried = None
        return [*self._underway.changes(commit.owner, commit.binding, carried)]

    def failed(self, commit: Commit, refusal: Refusal, now: Now, *, saved: bool) -> list[Effect]:
        """It could not be saved, or not be carried out: everything is as before, and the answer is the ``refusal``.

        ``saved``: the journal has it already, and must learn that it is not true. A MAG whose revocation is not
        answered sends it again.
        """
        if not self._underway.stands(commit):
            return self.superseded(commit)
        effects: list[Effect] = []
        if commit.alters:
            before = self._underway.undo(commit)
            former = commit.carried if before is None else before.binding
            if former is not None and not self._underway.is_free_for(commit.owner, former.key):
                # It was given back, and to another owner. That one's entry replaces what there is, or has already.
                if not self._underway.is_carried(former.key):
                    effects.append(Remove(former.key))
                former = None
            self._put_back(commit, former, now)
            if before is None and (saved or commit.before is not None):
                effects += [Save(record) for record in self._what_is_true(commit, former, now)]
        asked = self._asked(commit)
        if asked is None:
            return [*effects, observed.revocation_not_carried_out(commit, refusal.cause)]
        return [*effects, *self._registrations.refuse(asked, refusal, now)]

    def _asked(self, commit: Commit) -> Asked | None:
        """The request of a commit, which is read now if it was not; None: there is none."""
        if commit.asked is not None or commit.answers:
            return commit.asked
        assert commit.binding is not None
        return self._intake.recall(commit.binding.request, commit.binding.source, self._address)

    def _put_back(self, commit: Commit, former: Binding | None, now: Now) -> None:
        """The table has ``former`` again instead of what it has by ``commit``."""
        present = commit.binding
        if present is not None and (former is None or former.key != present.key):
            # Held for its node, which will try again.
            self._home_addresses.release(present.key, now.monotonic)
        if former is None:
            self._bindings.remove(commit.owner)
            return
        if present is None or former.key != present.key:
            self._home_addresses.take(former)
        self._bindings.put(former)

    def _what_is_true(self, commit: Commit, former: Binding | None, now: Now) -> list[Record]:
        """What the journal must have last of an owner, of which ``former`` is left after ``commit`` was undone."""
        if former is not None:
            return [bound_record(former)]
        last = commit.binding or commit.carried
        return [] if last is None else [unbound_record(last, last.identification, now.monotonic)]
