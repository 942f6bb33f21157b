"""802.1X at a MAG when things happen at once, in the wrong order, or after a restart with other settings."""

from pmip_tw.aaa.dynamic_authorization import Selection
from pmip_tw.mag.access_policy import PortAuthentication
from tests.agents.world import Station
from tests.conformance import covers
from tests.mag.bench import ADDRESS, LMA_CLOCK, accept, note, reply, requests, revocation
from tests.mag.supplicants import EapBench, said

STATION, OTHER = Station(1), Station(2)
IDENTITY = 1
OR_MAC = PortAuthentication.DOT1X_OR_MAC
WHO = Selection(user_name=STATION.nai)


@covers("X2")
class TestBackAndForth:
    """A node between two MAGs: its supplicant believes that all is well, and says nothing by itself."""

    def test_who_comes_back_in_the_second_in_which_it_was_examined(self) -> None:
        """The LMA has just revoked it, because it was at another MAG for a moment."""
        bench = EapBench()
        bench.registered()
        bench.at += 0.3
        bench.arrive(revocation(LMA_CLOCK + 5))
        assert len(bench.engine.visitors) == 0
        bench.at += 0.3
        effects = bench.hear(STATION.data(ADDRESS)) + bench.wait(2)
        assert said(effects)[0][2] == IDENTITY
        [request] = requests(bench.decide(bench.examine(), accept(STATION)))
        bench.arrive(reply(request))
        assert bench.visitor.state.value == "registered"

    def test_who_passed_by_and_comes_again(self) -> None:
        """One packet of it was heard, and no answer: that does not keep it waiting when it really comes."""
        bench = EapBench()
        bench.hear(STATION.data(ADDRESS))
        effects = bench.wait(15.1)
        assert note("eap-failed", effects).reason == "supplicant-silent"
        bench.wait(5)
        assert said(bench.hear(STATION.data(ADDRESS)))[0][2] == IDENTITY
