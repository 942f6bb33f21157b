"""Coverage-guided fuzzing: what no test thought of arrives, at the decoders and at engines that have something to lose.

    python -m tests.fuzz                          the targets, and what each one attacks
    python -m tests.fuzz lma --seconds 300        look for findings, openly
    python -m tests.fuzz lma --minimize           keep only those inputs of the corpus that add something

``corpus/TARGET`` holds the inputs that reach as much code as is known to be reachable, small and few;
``regressions/TARGET`` those that once broke something. Both are replayed by every test run, with libFuzzer (the
package atheris) or without. A finding is stored as a regression: the run is red until it is mended.
"""
