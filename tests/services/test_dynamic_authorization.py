"""AAA asks real daemons (RFC 5176): an LMA of three processes, each of which has some of the nodes."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pmip_tw.wire.radius import Attributes, AttributeType, Code, text
from tests.aaa.desk import SECRET, Desk, error_cause
from tests.conformance import covers
from tests.namespaces import private_network
from tests.programs import require
from tests.services.workers import LMA, Lma, Mag, mags, nai, node_of

WORKERS = 3
MORE = f"""
[[lma.filters]]
name = "no-mail"
rules = ["deny up tcp any port 25"]
default = "permit"

[lma.dynamic_authorization]
ahead = 0
[[lma.dynamic_authorization.clients]]
address = "127.0.0.1"
secret = "text:{SECRET.reveal().decode()}"
"""


class Aaa:
    """Asks port 3799 of the LMA, until it is answered."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(5)
        self._desk = Desk()
        self._desk.time = 0.0
        self._identifier = 0

    def ask(self, code: Code, *pairs: tuple[int, bytes]) -> tuple[Code, Attributes]:
        self._identifier += 1
        # By the clock of now, and not of before the LMA was started: it refuses what is from then.
        self._desk.wall_offset = time.time()
        request = self._desk.written(code, *pairs, identifier=self._identifier)
        self._socket.sendto(request, (LMA, 3799))
        answer = self._desk.read(self._socket.recv(4096), request)
        return answer.code, answer.attributes

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def there(tmp_path: Path) -> Iterator[tuple[Lma, Mag, Aaa]]:
    require("ip")
    with private_network(), mags(1) as [mag]:
        lma, aaa = Lma(tmp_path), Aaa()
        lma.more = MORE
        (tmp_path / "journal").mkdir(mode=0o700)
        lma.start(WORKERS)
        yield lma, mag, aaa
        aaa.close()
        if lma.process is not None and lma.process.poll() is None:
            lma.kill()


@covers("AA17", "AA25", "AA26", "RV27")
def test_each_worker_does_what_it_is_asked(there: tuple[Lma, Mag, Aaa]) -> None:
    lma, mag, aaa = there
    nodes = [node_of(worker, WORKERS) for worker in range(WORKERS)]
    mag.register(*nodes)
    for node in nodes:
        who = (AttributeType.USER_NAME.value, nai(node))
        assert aaa.ask(Code.COA_REQUEST, who, text(AttributeType.FILTER_ID, "no-mail"))[0] is Code.COA_ACK
        shown = {str(row["nai"]): row["filters"] for row in lma.ask("show", "bindings")}
        assert shown[nai(node).decode()] == "no-mail"
        _, refused = aaa.ask(Code.COA_REQUEST, who, text(AttributeType.FILTER_ID, "unheard-of"))
        assert error_cause(refused) == 407
        assert aaa.ask(Code.DISCONNECT_REQUEST, who)[0] is Code.DISCONNECT_ACK
        _, refused = aaa.ask(Code.DISCONNECT_REQUEST, who)
        assert error_cause(refused) == 503
        mag.wait_for_revocations(1)
        mag.revoked.clear()
    assert lma.ask("show", "bindings") == []
    lma.stop()


@covers("AA25")
def test_a_filter_outlives_its_worker(there: tuple[Lma, Mag, Aaa]) -> None:
    lma, mag, aaa = there
    node = node_of(1, WORKERS)
    mag.register(node)
    who = (AttributeType.USER_NAME.value, nai(node))
    assert aaa.ask(Code.COA_REQUEST, who, text(AttributeType.FILTER_ID, "no-mail"))[0] is Code.COA_ACK
    lma.said.clear()
    lma.kill(1)
    lma.wait_for(f"all {WORKERS} workers serve")
    [row] = lma.ask("show", "bindings")
    assert row["filters"] == "no-mail"
