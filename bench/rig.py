"""The rig: how fast improv is at its ports, and what it takes of the computer; on real JACK ports.

    python -m bench.rig [--quick] [--only NAME ...] [--slope-minutes 10]

Everything is played and stamped by a second process. The echo rig's own floor is a row like the others:
nothing is subtracted from anything. A full run takes 5 minutes, and those of the slope; --quick under one.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.end_to_end import jack_server
from bench.rig_rows import FIGURES, LARGE_SOUNDFONTS, TIMES, Effort, Row
from bench.tables import print_table


@dataclass(frozen=True, slots=True)
class Section:
    """One or two rows of the whole.

    Attributes:
        name: For --only.
        place: Module and function.
        period_frames: Of JACK, while it is measured.
    """

    name: str
    place: tuple[str, str]
    period_frames: int = 64


SECTIONS = (
    Section("start", ("rig_idle", "starts")),
    Section("idle", ("rig_idle", "idle")),
    Section("usual", ("rig_idle", "idle_usual"), period_frames=256),
    Section("large", ("rig_idle", "large")),
    Section("floor", ("rig_floor", "floor")),
    Section("thru", ("rig_floor", "thru")),
    Section("deadlines", ("rig_deadlines", "deadlines")),
    Section("sound", ("rig_sound", "sound")),
    Section("slope", ("rig_slope", "slope")),
)


def main() -> int:
    names = [section.name for section in SECTIONS]
    parser = argparse.ArgumentParser(
        prog="python -m bench.rig", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="only show that everything runs")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=str(names))
    parser.add_argument("--slope-minutes", type=float, default=10.0, help="0 leaves the slope out")
    arguments = parser.parse_args()
    effort = effort_of(arguments.slope_minutes, quick=arguments.quick)
    failed = []
    for section in SECTIONS:
        if section.name in arguments.only and not measured(section, effort):
            failed.append(section.name)
    if failed:
        print(f"Failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def effort_of(slope_minutes: float, *, quick: bool) -> Effort:
    """How much is measured."""
    large = next((path for path in map(Path, LARGE_SOUNDFONTS) if path.is_file()), None)
    if quick:
        slope_s = min(5.0, 60 * slope_minutes)
        return Effort(20, 100, slope_s, sounds=6, idle_s=1.5, starts=1, large=large)
    return Effort(300, 1500, 60 * slope_minutes, sounds=60, idle_s=60.0, starts=10, large=large)


def measured(section: Section, effort: Effort) -> bool:
    """Measure and print one section; whether it went well."""
    module, name = section.place
    rows: list[Row] = []
    try:
        measure: Callable[[Effort], Iterator[Row]] = getattr(importlib.import_module(f"bench.{module}"), name)
        with jack_server(realtime=True, period_frames=section.period_frames):
            rows.extend(measure(effort))
    except Exception:  # noqa: BLE001 - the others are measured all the same
        traceback.print_exc()
        return False
    finally:
        for headers in (TIMES, FIGURES):
            if some := [row for row in rows if len(row) == len(headers)]:
                print_table(headers, some)
        sys.stdout.flush()
    return True


if __name__ == "__main__":
    sys.exit(main())
