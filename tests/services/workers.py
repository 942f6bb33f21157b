"""An LMA with several workers as an operator starts it, and MAGs that register nodes at it over loopback."""

import hmac
import json
import os
import re
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from pmip_tw.addresses import Ipv4, ipv4, ipv4_text
from pmip_tw.lma.workers.slices import worker_of_nai
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.replay import ntp_timestamp
from pmip_tw.secret import Secret
from pmip_tw.store.contents import live
from pmip_tw.store.slices import journal_path
from pmip_tw.wire.extension_values import RevocationSupport
from pmip_tw.wire.registration import COLOCATED, REVERSE_TUNNEL, RegistrationReply, RegistrationRequest
from pmip_tw.wire.revocation import Revocation, RevocationAck
from tests.services.daemons import BIN, daemon

LMA = "127.0.9.1"
ASSOCIATION = SecurityAssociation(4096, Secret(b"0123456789abcdef"))
_number = count(1)


def nai(node: int) -> bytes:
    return b"mn%d@example.net" % node


class Lma:
    """In ``directory``; ``nodes`` are configured, and ``fixed`` of them have addresses of their own.

    ``more``: what else stands in its file.
    """

    def __init__(self, directory: Path, *, nodes: int = 300, pool: str = "10.1.0.0/23", **fixed: str) -> None:
        self.directory = directory
        self.config = directory / "lma.toml"
        self.journal = directory / "journal" / "lma.journal"
        self.control = directory / "lma.sock"
        self._nodes = nodes
        self._pool = pool
        self._fixed = fixed
        self.more = ""
        self.process: subprocess.Popen[str] | None = None
        self.said: list[str] = []

    def start(self, workers: int) -> None:
        """PmipError-free: it is there when all workers serve."""
        text = (
            f'[lma]\naddress = "{LMA}"\nidentity = "lma1"\ncontrol = "{self.control}"\nstore = "{self.journal}"\n'
            f"workers = {workers}\nhandover_min_interval = 0\nrevoke_on_handover = true\n"
            f'[[lma.pools]]\nprefix = "{self._pool}"\nrealms = ["example.net"]\n'
        )
        for node in range(self._nodes):
            name = nai(node).decode()
            text += f'[[lma.mobile_nodes]]\nnai = "{name}"\nspi = 4096\nkey = "text:0123456789abcdef"\n'
            if f"mn{node}" in self._fixed:
                text += f'home_address = "{self._fixed[f"mn{node}"]}"\n'
        self.config.write_text(text + self.more)
        self.said = []
        self.process = subprocess.Popen(
            daemon("lma", self.config),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.directory,
        )
        threading.Thread(target=self._listen, args=[self.process], daemon=True).start()
        self.wait_for("is ready" if workers == 1 else f"all {workers} workers serve")

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.said.append(line)

    def wait_for(self, text: str, times: int = 1, seconds: float = 60.0) -> None:
        """Until it has said ``text`` so often."""
        assert self.process is not None
        end = time.monotonic() + seconds
        while sum(text in line for line in self.said) < times:
            assert self.process.poll() is None and time.monotonic() < end, "".join(self.said)
            time.sleep(0.05)

    def others(self) -> dict[int, int]:
        """The processes of workers 1 and on, by number."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        found = {}
        for child in map(int, children):
            arguments = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            if b"pmip_tw.services.lma_worker" in arguments:
                found[int(arguments[-3])] = child
        return found

    def kill(self, worker: int = 0) -> None:
        """kill -9; of worker 0 until all are gone."""
        assert self.process is not None
        if worker:
            os.kill(self.others()[worker], signal.SIGKILL)
            return
        others = self.others().values()
        self.process.kill()
        self.process.wait()
        end = time.monotonic() + 30
        while any(_is_alive(other) for other in others):
            assert time.monotonic() < end, "a worker has not ended"
            time.sleep(0.05)

    def stop(self) -> None:
        """In order: nobody is left, and nobody has complained."""
        assert self.process is not None
        others = self.others().values()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == -signal.SIGTERM
        assert not any(map(_is_alive, others))
        wrong = [line for line in self.said if "#critical" in line or "#error" in line]
        assert not wrong, "".join(wrong)

    def ask(self, *words: str) -> list[dict[str, object]]:
        """What pmipctl says."""
        done = subprocess.run(
            [str(BIN / "pmipctl"), "--json", "--socket", str(self.control), *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        (answer,) = json.loads(done.stdout).values()
        return answer if isinstance(answer, list) else [answer]

    def wait_for_trace(self, nai: bytes, name: str) -> None:
        """Until the operator is shown that this happened to the node."""
        names: list[object] = []
        for _ in range(20):
            names = [row["name"] for row in self.ask("trace", nai.decode())]
            if name in names:
                return
        raise AssertionError(names)

    def saved(self, workers: int) -> dict[int, set[bytes]]:
        """Whose bindings the journal of each worker has."""
        found = {}
        for worker in range(workers):
            rows = live(journal_path(str(self.journal), worker, workers))
            found[worker] = {str(row["owner"]).encode() for row in rows if row["about"] == "binding"}
        return found

    def journals(self) -> set[str]:
        names = {file.name for file in self.journal.parent.iterdir()}
        return {re.sub(r"-(wal|shm)$", "", name) for name in names}


def _is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Mag:
    """A MAG at 127.0.9.``number``; it acknowledges revocations and keeps them."""

    def __init__(self, number: int) -> None:
        self.address = ipv4(f"127.0.9.{number}")
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((ipv4_text(self.address), 434))
        self._replies: dict[int, RegistrationReply] = {}
        self.revoked: list[Revocation] = []
        self.acknowledged: list[RevocationAck] = []

    def close(self) -> None:
        self._socket.close()

    def request(
        self, node: int, *, lifetime: int = 600, home_address: Ipv4 = Ipv4(0), **fields: object
    ) -> RegistrationRequest:
        return RegistrationRequest(
            flags=REVERSE_TUNNEL | COLOCATED,
            nai=nai(node),
            lifetime=lifetime,
            home_address=home_address,
            home_agent=ipv4(LMA),
            care_of_address=self.address,
            identification=ntp_timestamp(time.time()) & ~0xFFFF | next(_number) & 0xFFFF,
            access_technology=1,
            revocation=RevocationSupport(int(time.time()) & 0xFFFFFFFF),
            **fields,
        )

    def with_nai_behind(self, request: RegistrationRequest) -> bytes:
        """The same request, with another extension before the NAI: the kernel does not find it there."""
        octets = request.encode()
        octets = octets[:24] + b"\xc8\x02\0\0" + octets[24:] + b"\x20\x14" + (4096).to_bytes(4, "big")
        return octets + hmac.digest(b"0123456789abcdef", octets, "md5")

    def send(self, payload: bytes) -> None:
        self._socket.sendto(payload, (LMA, 434))

    def register(self, *nodes: int, seconds: float = 60.0, **fields: object) -> dict[int, RegistrationReply]:
        """The replies by node; what is not answered is sent again, as it was."""
        requests = {node: self.request(node, **fields) for node in nodes}
        octets = {node: request.encode(mn_ha=ASSOCIATION) for node, request in requests.items()}
        return self.send_until_answered(requests, octets, seconds)

    def register_until(self, code: int, *nodes: int, seconds: float = 60.0) -> dict[int, RegistrationReply]:
        """The same, again and again until all are answered with ``code``."""
        found: dict[int, RegistrationReply] = {}
        end = time.monotonic() + seconds
        while missing := set(nodes) - found.keys():
            assert time.monotonic() < end, f"{sorted(missing)} are not answered with {code}"
            replies = self.register(*missing)
            found |= {node: reply for node, reply in replies.items() if reply.code == code}
        return found

    def answered(self) -> list[RegistrationReply]:
        """All replies that have come."""
        return list(self._replies.values())

    def send_until_answered(
        self, requests: dict[int, RegistrationRequest], octets: dict[int, bytes], seconds: float = 60.0
    ) -> dict[int, RegistrationReply]:
        found: dict[int, RegistrationReply] = {}
        end = time.monotonic() + seconds
        while len(found) < len(requests):
            assert time.monotonic() < end, f"no answer for {sorted(requests.keys() - found.keys())}"
            for node in requests.keys() - found.keys():
                self.send(octets[node])
            wanted = [request.identification for request in requests.values()]
            self._listen(1.0, lambda wanted=wanted: all(each in self._replies for each in wanted))
            for node, request in requests.items():
                if request.identification in self._replies:
                    found[node] = self._replies[request.identification]
        return found

    def listen(self, seconds: float) -> None:
        """Take what comes, so long."""
        self._listen(seconds, lambda: False)

    def wait_for_revocations(self, number: int) -> None:
        """Take what comes, until there have been so many."""
        self._listen(30.0, lambda: len(self.revoked) >= number)
        assert len(self.revoked) >= number, self.revoked

    def _listen(self, seconds: float, enough: Callable[[], bool]) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not enough():
            if not select.select([self._socket], [], [], left)[0]:
                return
            self._take(self._socket.recv(2048))

    def _take(self, octets: bytes) -> None:
        if octets[0] == 3:
            reply = RegistrationReply.decode(octets)
            self._replies[reply.identification] = reply
        elif octets[0] == 15:
            self.acknowledged.append(RevocationAck.decode(octets))
        elif octets[0] == 7:
            told = Revocation.decode(octets)
            self.revoked.append(told)
            ack = RevocationAck(home_address=told.home_address, identifier=told.identifier, nai=told.nai)
            self.send(ack.encode(mn_ha=ASSOCIATION))

    def revoke(self, node: int, home_address: Ipv4, *, named: bool = True) -> None:
        """Tell the LMA that a node is gone, until that is acknowledged."""
        told = Revocation(
            from_home_agent=False,
            nai=nai(node) if named else b"",
            home_address=home_address,
            home_domain=ipv4(LMA),
            foreign_domain=self.address,
            identifier=(int(time.time()) & 0xFFFFFFFF) + 1,
        ).encode(mn_ha=ASSOCIATION)
        before = len(self.acknowledged)
        for _ in range(30):
            self.send(told)
            self._listen(1.0, lambda: len(self.acknowledged) > before)
            if len(self.acknowledged) > before:
                return
        raise AssertionError("no acknowledgment")


@contextmanager
def mags(number: int) -> Iterator[list[Mag]]:
    made = [Mag(10 + each) for each in range(number)]
    try:
        yield made
    finally:
        for mag in made:
            mag.close()


def node_of(worker: int, workers: int, nth: int = 0) -> int:
    """A node of that worker."""
    fitting = (node for node in count() if worker_of_nai(nai(node), workers) == worker)
    return next(node for place, node in enumerate(fitting) if place == nth)
