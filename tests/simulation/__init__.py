"""A whole operator's network on one fake clock: what is promised under loss, crashes and lies.

A seed makes a scenario (``drawing``): a world of real agents on twins of the network, the packet plane, the clock and
AAA (``world``, ``machines``), and what happens in it (``actions``): hosts that attach, move, sleep and vanish
(``nodes``), machines that crash at any effect (``fuse``), an adversary that repeats and falsifies what he heard
(``adversary``). After every event the promises of ``invariants`` are checked, and packets are sent both ways
(``traffic``); what holds when things have calmed down is in ``rest``. A seed that fails is reduced to the fewest
events that still fail (``shrinking``). Nothing waits, and the same seed always gives the same run.

``python -m tests.simulation --seeds 1..1000`` runs seeds; tests/simulation/RUNS.md says which have been run.
"""
