"""Seeds that found something, with what it was. They are run with every test run.

A seed means something else after its profile's drawing was changed: what keeps a defect away for good is the unit test
that came with its mending. These seeds look whether the same neighbourhood has more of them.
"""

import attrs


@attrs.frozen(slots=True)
class Regression:
    """``seed`` of ``profile`` found ``defect``, which is mended."""

    profile: str
    seed: int
    defect: str


REGRESSIONS = (
    Regression(
        "clocks-ahead", 22, "a request that was refused for being ahead was valid when its time had come"
    ),
    Regression("clock-steps", 7, "a MAG kept its offset to an LMA's clock after its own had been set right"),
    Regression(
        "upkeep", 24370, "a revocation was acknowledged while the reply that it made void was on its way"
    ),
    Regression("quick-returns", 40209, "a reply was believed whose lifetime was over"),
    Regression(
        "upkeep", 15232, "an operator's revocation left before it was durable, and its LMA crashed: RV21"
    ),
    Regression("upkeep", 18932, "the same, and the node had a static address"),
    Regression("same-mac", 136443, "a node was said to have moved that came anew, to two MAGs at once"),
    Regression(
        "tunnel",
        172,
        "an ACK reached a node that was being registered past its MAG's agent, and too early: D23",
    ),
    Regression(
        "radius", 87, "a dead RADIUS server was never asked again, as what was asked before gave up first"
    ),
    Regression(
        "radius", 185, "a Status-Server that was not answered kept requests away from the only server"
    ),
    # What the simulation itself had wrong.
    Regression(
        "address-spaces", 72726, "a stale entry at a MAG that nobody listens at any more was an eavesdropper"
    ),
    Regression(
        "short-of-addresses", 72931, "a node whose MAG had not heard of its address was short of addresses"
    ),
    Regression("upkeep", 15072, "a move was never answered, and the MAG before it was being told"),
    Regression("simultaneous", 121299, "one of several bindings ended while another was being saved"),
    Regression(
        "simultaneous", 123699, "a request for less time was saved, not answered, and over at the restart"
    ),
    Regression(
        "simultaneous", 572, "the newest of several bindings was ended, not answered, and over at the restart"
    ),
    Regression("upkeep", 84257, "a machine that was off took the address that it had before along for good"),
    Regression(
        "disks", 5977, "who had left while its MAG's disk was full was there after a crash, as announced"
    ),
)
