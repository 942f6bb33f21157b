"""The unit of all ratios: a bare Twisted UDP echo. ``python -m bench.echo ADDRESS PORT``."""

import sys

from twisted.internet import reactor
from twisted.internet.protocol import DatagramProtocol

READY = "the echo is ready"


class Echo(DatagramProtocol):
    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        self.transport.write(datagram, addr)  # type: ignore[union-attr]


def main() -> None:
    host, port = sys.argv[1], int(sys.argv[2])
    reactor.listenUDP(port, Echo(), interface=host)  # type: ignore[attr-defined]
    reactor.callWhenRunning(lambda: print(READY, flush=True))
    reactor.run()


if __name__ == "__main__":
    main()
