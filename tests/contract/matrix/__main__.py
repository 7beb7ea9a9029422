"""Run the whole matrix and write docs/clients.md; ends with 1 when a release fails for a reason that is not its own."""

from __future__ import annotations

import argparse
import sys

from tests.contract.matrix.reasons import reason
from tests.contract.matrix.report import PAGE, page
from tests.contract.matrix.run import Outcome, site, tried
from tests.contract.matrix.versions import RELEASES


def main() -> int:
    """Run; say line by line what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.contract.matrix", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these, e.g. dclab-0.50.0; the page is not written then")
    chosen = parser.parse_args().names
    outcomes: list[Outcome] = []
    with site() as served:
        for release in RELEASES:
            if not chosen or release.name in chosen:
                outcomes.append(tried(release, served))
                sys.stdout.write(f"{release.name}: {outcomes[-1].unavailable or outcomes[-1].steps}\n")
                sys.stdout.flush()
    if not chosen:
        PAGE.write_text(page(outcomes), encoding="utf-8")
    return int(
        any(
            wrong and not reason(one.release.package, one.release.version, step)
            for one in outcomes
            for step, wrong in one.steps.items()
        )
    )


if __name__ == "__main__":
    sys.exit(main())
