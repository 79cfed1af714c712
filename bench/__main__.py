"""Print every figure, or the ones that are named: ``python -m bench revert cells``."""

from __future__ import annotations

import argparse
import sys

from bench import cells, corpus, faults, logs, many, regressions, report, revert, state, waits

BENCHES = {
    "revert": revert.figures,
    "cells": cells.figures,
    "state": state.figures,
    "waits": waits.figures,
    "many": many.figures,
    "logs": logs.figures,
    "report": report.figures,
    "corpus": corpus.figures,
    "faults": faults.figures,
    "regressions": regressions.figures,
}


def main() -> int:
    """Measure and print; the exit code is 1 when a target is missed."""
    words = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    words.add_argument("names", nargs="*", metavar="NAME", help=f"which to run: {', '.join(BENCHES)} (default: all)")
    names = words.parse_args().names or list(BENCHES)
    if unknown := [name for name in names if name not in BENCHES]:
        words.error(f"no bench {unknown[0]!r}; choose from {', '.join(BENCHES)}")
    met = True
    for name in names:
        for figure in BENCHES[name]():
            print(figure, flush=True)
            met = met and figure.met
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
