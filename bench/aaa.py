"""What an authentication costs a MAG, beside radclient, FreeRADIUS's own client, on the same server in the same run.

Both ask about the same nodes with the same attributes, as many at a time, from the same core. What is compared is the
clients' processor time: radclient's without what it takes to start (that of a short run), ours from the first question
to the last verdict, which includes the profile, the decrypted key, and what observers are told.
"""

import json
import os
import re
import subprocess
import sys
import time
from statistics import median

import attrs

from bench.cores import stolen
from bench.effort import Effort
from bench.freeradius import PORT, SECRET, SIGNED, FreeRadius
from bench.report import Report, progress
from bench.server import ServerError
from bench.subscribers import NUMBER, questions, users
from bench.world import Place
from pmip_tw.addresses import ipv4_text
from pmip_tw.lab.programs import available

KEYS = ("auth_vs_radclient", "auth_us", "radclient_us", "auth_per_second", "radclient_per_second")

RADCLIENT = "radclient"

WINDOW = 200
"""Requests at a time."""

_PER_SECOND = 10_000
"""Of a sample, for each second that it is to last."""

_ACCEPTED = re.compile(r"Accepted\s*:\s*(\d+)")


@attrs.frozen(slots=True, kw_only=True)
class Asked:
    """So many were ``accepted`` in ``seconds``, which took ``cpu`` seconds of the client's processor time."""

    accepted: int
    seconds: float
    cpu: float

    @property
    def microseconds(self) -> float:
        return 1e6 * self.cpu / max(self.accepted, 1)

    @property
    def rate(self) -> float:
        return self.accepted / self.seconds

    def without(self, other: "Asked") -> "Asked":
        """What is left of it but for a shorter one."""
        return Asked(
            accepted=self.accepted - other.accepted,
            seconds=self.seconds - other.seconds,
            cpu=self.cpu - other.cpu,
        )


def aaa(place: Place, effort: Effort) -> Report:
    """The whole run. ServerError: FreeRADIUS or radclient is not there, or does not do what it should."""
    for program in (FreeRadius.program, RADCLIENT):
        if not available(program):
            raise ServerError(f"{program} is not installed (Debian packages freeradius and freeradius-utils)")
    report = Report(KEYS, place.machine)
    number = max(2, round(effort.seconds * _PER_SECOND / NUMBER)) * NUMBER
    report.raw |= {"authentications": number, "window": WINDOW}
    server = FreeRadius(place, 0, users=users(), clients="192.0.2.0/24", more=SIGNED)
    (server.directory / "questions").write_text(questions())
    before, began = stolen(), time.monotonic()
    server.start()
    rounds: list[dict[str, Asked]] = []
    try:
        for turn in range(effort.rounds):
            rounds.append({"auth": by_ourselves(server, number), "radclient": by_radclient(server, number)})
            told = ", ".join(f"{name} {one.microseconds:.1f} us" for name, one in rounds[turn].items())
            progress(f"round {turn + 1}: {told}")
            report.void += [
                f"round {turn + 1}: {name}: {one.accepted} accepted"
                for name, one in rounds[turn].items()
                if one.accepted < number - NUMBER
            ]
    finally:
        server.server.stop(within=10)
    report.raw["stolen_cores"] = (stolen() - before) / (time.monotonic() - began)
    report.raw["rounds"] = [{name: one.microseconds for name, one in turn.items()} for turn in rounds]
    if not report.void:
        _tell(report, rounds)
    return report


def by_radclient(server: FreeRadius, number: int) -> Asked:
    """``number`` by radclient, but for the first ones, with which it starts."""
    return _radclient(server, number // NUMBER).without(_radclient(server, 1))


def by_ourselves(server: FreeRadius, number: int) -> Asked:
    """``number`` by a MAG's authenticator, in a process of its own. ServerError: it did not get there."""
    arguments = (ipv4_text(server.address), str(PORT), SECRET, str(number), str(WINDOW))
    done = subprocess.run(
        [sys.executable, "-m", "bench.asking", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ServerError(f"bench.asking ended: {done.stderr.strip()[-600:]}")
    told = json.loads(done.stdout)
    return Asked(accepted=told["accepted"], seconds=told["seconds"], cpu=told["cpu"])


def _radclient(server: FreeRadius, times: int) -> Asked:
    """Every question ``times`` times."""
    directory = str(server.directory)
    command = [RADCLIENT, "-q", "-s", "-d", directory, "-p", str(WINDOW), "-c", str(times)]
    command += [
        "-f",
        f"{directory}/questions",
        "-t",
        "5",
        f"{ipv4_text(server.address)}:{PORT}",
        "auth",
        SECRET,
    ]
    began = time.perf_counter()
    with (server.directory / "radclient.log").open("w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        said = log.read()
    found = _ACCEPTED.search(said)
    if found is None:
        raise ServerError(f"radclient says: {said.strip()[-600:] or 'nothing'}")
    return Asked(
        accepted=int(found[1]), seconds=time.perf_counter() - began, cpu=used.ru_utime + used.ru_stime
    )


def _tell(report: Report, rounds: list[dict[str, Asked]]) -> None:
    def of(name: str) -> list[Asked]:
        return [turn[name] for turn in rounds]

    report.keys |= {
        "auth_vs_radclient": median(
            turn["radclient"].microseconds / turn["auth"].microseconds for turn in rounds
        ),
        "auth_us": median(one.microseconds for one in of("auth")),
        "radclient_us": median(one.microseconds for one in of("radclient")),
        "auth_per_second": median(one.rate for one in of("auth")),
        "radclient_per_second": median(one.rate for one in of("radclient")),
    }
