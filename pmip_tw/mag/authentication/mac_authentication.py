"""Nodes that AAA knows by their MAC (AA24): one question, one verdict."""

from functools import partial

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.verdicts import Accept, Challenge, MacCredential, Reject, Verdict
from pmip_tw.mag.authentication.admitting import Admitting
from pmip_tw.mag.authentication.gate import Gate
from pmip_tw.mag.authentication.questions import Questions
from pmip_tw.mag.effects import MagEffect
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.session.departures import Departures
from pmip_tw.mag.visitors import State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now

MAC = "mac"
"""What it is called as a method."""

AAA_DOWN_HOLD = 1.0
"""Seconds between two questions about one MAC to an AAA that does not answer."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class MacAuthentication:
    """Asks about visitors that nobody has examined yet."""

    _policy: MagPolicy
    _visitors: VisitorList
    _gate: Gate
    _questions: Questions
    _admitting: Admitting
    _departures: Departures

    def ask(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        credential = MacCredential(mac=visitor.mac, port=visitor.key.port)
        return [self._questions.ask(visitor.key, credential, partial(self._answered, visitor), now)]

    def _answered(self, visitor: Visitor, verdict: Verdict, now: Now) -> list[MagEffect]:
        if self._visitors.get(visitor.key) is not visitor or visitor.state is not State.AUTHENTICATING:
            return []
        if isinstance(verdict, Challenge):
            verdict = Reject("AAA asks for an answer by EAP, and this node has not come by 802.1X")
        if isinstance(verdict, Accept):
            return self._admitting.admit(visitor, verdict.profile, MAC, now)
        rejected = isinstance(verdict, Reject)
        hold = self._policy.reject_hold if rejected else AAA_DOWN_HOLD
        self._gate.hold_off(visitor.mac, now.monotonic, hold)
        name = "access-rejected" if rejected else "aaa-unavailable"
        return self._departures.forget(
            visitor, name, terminate_cause=TerminateCause.SERVICE_UNAVAILABLE, cause=verdict.cause
        )
