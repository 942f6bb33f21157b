"""A process to be killed: appends records from a number on, and prints each number when its record is durable."""

import sys

from twisted.internet.epollreactor import EPollReactor

from pmip_tw.errors import StoreError
from pmip_tw.store.journal import SqliteJournal
from tests.store.records import FORM, held

AT_ONCE = 20


def main(path: str, first: int) -> None:
    reactor = EPollReactor()
    journal = SqliteJournal(path, FORM, horizon=7200.0, reactor=reactor)
    journal.start()
    waiting = 0

    def append(number: int) -> None:
        nonlocal waiting

        def done(error: StoreError | None) -> None:
            nonlocal waiting
            assert error is None
            waiting -= 1
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()

        waiting += 1
        journal.append([held(number)], done)

    number = first
    while True:
        while waiting < AT_ONCE:
            append(number)
            number += 1
        reactor.iterate(1)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
