"""A foreign agent that is not ours, as far as it is needed: ``python -m pmip_tw.lab.foreign_agent FILE``.

It registers a node that has MN-AAA and nothing else, in both ways of RFC 4004: by AMR, so that the node's AAA server
brings the request to its home agent; and by UDP, so that the home agent asks that server. It says a line of JSON for
each answer, and ends. The file, which has keys, says who it is and whom it asks.
"""

import json
import socket
import sys
import time
import tomllib
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.epollreactor import EPollReactor

from pmip_tw.aaa.diameter.access import Asker
from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.mobile_ipv4 import amr
from pmip_tw.aaa.diameter.node import Answered
from pmip_tw.aaa.diameter.peer_effects import PeerPolicy
from pmip_tw.addresses import ipv4, ipv4_text
from pmip_tw.manage.log import LogObserver
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.mobility.mn_aaa import AaaAssociation
from pmip_tw.mobility.replay import ntp_timestamp
from pmip_tw.net.clock import ReactorClock
from pmip_tw.net.diameter import DiameterClient, Way
from pmip_tw.net.tls_names import TlsFiles, client_side
from pmip_tw.secret import Secret
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avps
from pmip_tw.wire.diameter.codes import Application, Code
from pmip_tw.wire.registration import COLOCATED, REVERSE_TUNNEL, RegistrationReply, RegistrationRequest

AGENT_SPI: Final = 7000
"""Under which the home agent is to sign for it."""

_SIGNALLING: Final = 434
_FOREIGN: Final = 16 | 32 | 64
"""MIP-Feature-Vector of a foreign agent: keys for everybody."""


class ForeignAgent:
    """``table``: its file."""

    def __init__(self, table: dict[str, Any], reactor: EPollReactor) -> None:
        self._table = table
        self._address = ipv4(table["address"])
        self._home_agent = ipv4(table["lma"])
        self._aaa = AaaAssociation(table["aaa_spi"], Secret(table["aaa_key"].encode()))
        self._mn_ha = SecurityAssociation(
            table["spi"], Secret(table["mn_ha_key"].encode()), Algorithm.HMAC_SHA1
        )
        identity = Identity(
            host=table["name"],
            realm=table["realm"],
            address=self._address,
            state_id=int(time.time()),
            authorization=(Application.MOBILE_IPV4,),
        )
        trusted, certificate, key = (Path(table[name]) for name in ("authorities", "certificate", "key"))
        files = TlsFiles(authorities=trusted, certificate=certificate, key=key)
        endpoint = TCP4ClientEndpoint(reactor, table["relay_address"], table["relay_port"])
        relay = table["relay"]
        self.client = DiameterClient(
            reactor,
            ReactorClock(reactor),
            LogObserver(),
            identity,
            {relay: PeerPolicy(host=relay, keys=True)},
            {relay: Way(endpoint, client_side(files, relay))},
        )
        self._asker = Asker(identity=identity, realm=table["server_realm"])

    def request(self, lifetime: int, more_flags: int = 0) -> tuple[RegistrationRequest, bytes]:
        made = RegistrationRequest(
            flags=REVERSE_TUNNEL | more_flags,
            nai=self._table["nai"].encode(),
            lifetime=lifetime,
            home_agent=self._home_agent,
            care_of_address=self._address,
            identification=ntp_timestamp(time.time()),
        )
        octets = made.encode(mn_aaa=self._aaa.over(None))
        return RegistrationRequest.decode(octets), octets

    async def by_aaa(self, lifetime: int) -> None:
        """The foreign agent's flow (RFC 4004 3.1)."""
        request, octets = self.request(lifetime)
        asked = amr(request, octets, self.client.new_session_id(), self._asker)
        changed = [avp for avp in asked.avps if avp.code != Code.MIP_FEATURE_VECTOR]
        changed.append(avps.unsigned32(Code.MIP_FEATURE_VECTOR, _FOREIGN))
        changed.append(avps.unsigned32(Code.MIP_HA_TO_FA_SPI, AGENT_SPI))
        outcome = await self.client.ask(type(asked)(header=asked.header, avps=Avps(tuple(changed))))
        if not isinstance(outcome, Answered):
            self.say("ama", lifetime, cause=outcome.cause)
            return
        found = outcome.message.avps
        reply = found.first(Code.MIP_REG_REPLY)
        agent = found.group(Code.MIP_FA_TO_HA_MSA)
        self.say(
            "ama",
            lifetime,
            result=outcome.message.result,
            agent_key=agent is not None,
            **({} if reply is None else self.read(reply, agent)),
        )

    async def by_udp(self, lifetime: int) -> None:
        """As a node that is its own agent: the home agent asks (RFC 4004 3.3)."""
        _, octets = self.request(lifetime, COLOCATED)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
            opened.bind((self._table["address"], _SIGNALLING))
            opened.settimeout(5)
            opened.sendto(octets, (self._table["lma"], _SIGNALLING))
            try:
                reply = opened.recv(2048)
            except TimeoutError:
                self.say("udp", lifetime, cause="no reply")
            else:
                self.say("udp", lifetime, **self.read(reply, None))

    def read(self, octets: bytes, agent: Avps | None) -> dict[str, object]:
        """What a reply says, and whether the keys that came with it, or that the node has, prove it."""
        reply = RegistrationReply.decode(octets)
        node, between = reply.mn_ha, reply.fa_ha
        proven = node is not None and self._mn_ha.verify(octets[: node.covered], node.value)
        if agent is not None:
            key = Secret(agent.first(Code.MIP_SESSION_KEY) or b"")
            shared = SecurityAssociation(AGENT_SPI, key, Algorithm.HMAC_SHA1)
            between_agents = between is not None and shared.verify(octets[: between.covered], between.value)
            proven = proven and between_agents
        return {"code": reply.code, "home_address": ipv4_text(reply.home_address), "proven": proven}

    def say(self, event: str, lifetime: int, **details: object) -> None:
        print(json.dumps({"event": event, "lifetime": lifetime, **details}), flush=True)

    async def run(self) -> None:
        self.client.start()
        for lifetime in (600, 0):
            await self.by_aaa(lifetime)
        for lifetime in (600, 0):
            await self.by_udp(lifetime)
        await self.by_aaa(600)  # and leaves it: AAA ends that
        await self.client.stop()


def main(file: str) -> None:
    reactor = EPollReactor()
    agent = ForeignAgent(tomllib.loads(Path(file).read_text()), reactor)

    def begin() -> None:
        Deferred.fromCoroutine(agent.run()).addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run()


if __name__ == "__main__":
    main(sys.argv[1])
