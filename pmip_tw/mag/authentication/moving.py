"""A MAC that is served at one port appears at another: it has moved, or somebody else uses it (AA24)."""

from collections.abc import Callable

import attrs

from pmip_tw.mag import observed
from pmip_tw.mag.authentication.dot1x import Dot1x
from pmip_tw.mag.effects import MagEffect
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.registration.registering import Registrations
from pmip_tw.mag.visitors import State, Visitor
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AccessKey


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Moving:
    """``schedule``: to be called with every visitor for which another instant counts now."""

    _policy: MagPolicy
    _registrations: Registrations
    _dot1x: Dot1x
    _schedule: Callable[[Visitor], None]

    def may_move(self, served: Visitor) -> bool:
        """Whether who has proven nothing may take ``served``, which has the same MAC, to another port.

        While AAA is being asked he may not: there is one authentication per MAC (P83). Nobody takes away who has
        proven by EAP that it is there; nor does one to whom nobody has answered there keep anybody.
        """
        if served.state is State.LEAVING:
            return True
        if served.state is State.AUTHENTICATING:
            return self._dot1x.awaits_first_word(served.key)
        return self._policy.duplicate_mac == "move" and not served.proven

    def contest(self, served: Visitor, key: AccessKey, now: Now) -> list[MagEffect]:
        """It may not: but if ``served`` does not answer where it was any more, the next word from ``key`` counts."""
        self._registrations.contest(served, now)
        self._schedule(served)
        return [observed.duplicate_mac(key, served.key)]
