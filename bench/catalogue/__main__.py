"""``python -m bench.catalogue generate 10000 DIR`` writes a catalogue, ``measure DIR`` prints the table of its calls."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench.catalogue.generate import generate
from bench.catalogue.measure import measure


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.catalogue", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("generate", help="write a catalogue")
    make.add_argument("datasets", type=int)
    make.add_argument("directory", type=Path)
    make.add_argument("--resources", type=int, default=5, help="resources of each dataset")
    make.add_argument("--circles", type=int, default=0, help="number of circles (default: one for a hundred datasets)")
    make.add_argument("--keys", type=int, default=99, help="metadata keys of each measurement")
    make.add_argument("--bare", action="store_true", help="leave the API answers empty: a tenth of the bytes")
    run = commands.add_parser("measure", help="time its calls")
    run.add_argument("directory", type=Path)
    run.add_argument("--calls", type=int, default=300)
    run.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    path = arguments.directory / "dcor.sqlite"
    if arguments.command == "generate":
        arguments.directory.mkdir(parents=True, exist_ok=True)
        options = {"resources": arguments.resources, "circles": arguments.circles, "keys": arguments.keys}
        print(json.dumps(generate(path, arguments.datasets, bare=arguments.bare, **options)))
        return
    times = measure(path, calls=arguments.calls)
    if arguments.json:
        print(json.dumps(times))
        return
    print("| ms | p50 | p99 | max | CPU p50 | CPU p99 |\n|---|---|---|---|---|---|")
    for name, taken in times.items():
        print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in taken.values()) + " |")


if __name__ == "__main__":
    main()
