"""What keepalives have shown of the NATs in between: how long a mapping lives that nothing uses (N38, N41)."""

import attrs


@attrs.define(slots=True)
class Mapping:
    """Of one path, in seconds. ``survived``: the longest idle time after which the mapping was there;
    ``expired``: the shortest after which it was not; None: not seen yet.

    It is a NAT's timeout only as far as nothing else ends mappings: one that was gone after a time that mappings have
    survived was ended by something else, and a longer survival refutes an earlier end.
    """

    survived: float | None = None
    expired: float | None = None

    def lived(self, idle: float) -> None:
        """A keepalive after ``idle`` seconds was answered."""
        self.survived = max(idle, self.survived or 0.0)
        if self.expired is not None and self.expired <= self.survived:
            self.expired = None

    def ended(self, idle: float) -> None:
        """None of the keepalives after ``idle`` seconds was answered, but a registration was."""
        if idle > (self.survived or 0.0):
            self.expired = idle if self.expired is None else min(idle, self.expired)
