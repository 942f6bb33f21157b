"""A promise that was not kept."""


class Violation(BaseException):
    """``promise``: which one, a stable word by which shrinking knows it again; the text says what was seen.

    Not an Exception, because agents catch those: to them it would be a defect of the effect at hand.
    """

    def __init__(self, promise: str, seen: str) -> None:
        super().__init__(f"{promise}: {seen}")
        self.promise = promise
        self.seen = seen
