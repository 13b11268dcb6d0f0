"""Run the measurements and print them as markdown.

    make bench
    python -m bench [--quick] [NAME ...]

Each runs in a process of its own, one after the other. Milliseconds mean something on an idle machine only:
the load average stands beside them.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import subprocess
import sys
from dataclasses import dataclass

from bench.tables import print_machine


@dataclass(frozen=True, slots=True)
class Measurement:
    """A module of this package with a command line of its own.

    Attributes:
        name: Of the module.
        title: Over its output.
        full: Its arguments.
        quick: Its arguments for a run that only shows that it works.
        programs: What has to be on the path.
        packages: What has to be importable.
        data: Whether it needs corpora, which are named on its own command line.
    """

    name: str
    title: str
    full: tuple[str, ...]
    quick: tuple[str, ...]
    programs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    data: bool = False

    @property
    def missing(self) -> list[str]:
        """What it needs and is not installed."""
        programs = [name for name in self.programs if shutil.which(name) is None]
        return programs + [name for name in self.packages if importlib.util.find_spec(name) is None]


MEASUREMENTS = (
    Measurement("model_step", "One step of the model", full=(), quick=("--steps", "200")),
    Measurement(
        "thinking",
        "Improvisers that read the window anew",
        full=(),
        quick=("--notes", "20"),
        packages=("onnx", "torch"),
    ),
    Measurement(
        "training",
        "Training",
        full=(),
        quick=("--updates", "1", "--preset", "symbols"),
        packages=("torch", "lightning"),
    ),
    Measurement(
        "stage_lateness", "Lateness of the stage beside a busy mind", full=(), quick=("--notes", "100")
    ),
    Measurement(
        "end_to_end",
        "A sitting on real JACK ports",
        full=("--human-like",),
        quick=("--human-like", "--minutes", "0.5"),
        programs=("jackd",),
        packages=("miniaudio", "pytest"),
    ),
    Measurement(
        "feel",
        "How improv feels under the hands",
        full=(),
        quick=("--calls", "5", "--notes", "20", "--virtual", "50"),
        programs=("jackd",),
        packages=("rtmidi",),
    ),
    Measurement(
        "hot_plug",
        "Devices unplugged and plugged in again",
        full=(),
        quick=("--rounds", "3"),
        programs=("jackd",),
        packages=("rtmidi",),
    ),
    Measurement(
        "journal",
        "The journal: cost, crashes and disks",
        full=(),
        quick=("--kills", "5", "--seconds", "1", "--damaged", "10"),
    ),
    Measurement(
        "keeper",
        "Making a session's sound while it is played",
        full=(),
        quick=("--notes", "200", "--rounds", "1"),
    ),
    Measurement("live_view", "What the live view costs", full=(), quick=("--rounds", "20", "--starts", "1")),
    Measurement(
        "rig",
        "The rig: ports, deadlines, sound, processor, memory and start",
        full=(),
        quick=("--quick",),
        programs=("jackd",),
        packages=("miniaudio", "pytest", "rtmidi"),
    ),
    Measurement(
        "render",
        "Rendering by synthesiser and format",
        full=(),
        quick=("--minutes", "0.5"),
        packages=("lameenc", "soundfile"),
    ),
    Measurement(
        "plots",
        "Pictures of a two-hour session",
        full=(),
        quick=("--minutes", "2", "--only", "roll", "density"),
    ),
    Measurement("clock", "The count of a MIDI clock's pulses", full=(), quick=("--bars", "8")),
    Measurement("trade", "Trades and their bar lines", full=(), quick=("--quick",)),
    Measurement(
        "daw_clock",
        "Trades by the clock of a DAW that stops, loops, jumps and changes tempo",
        full=(),
        quick=("--quick",),
        programs=("jackd",),
        packages=("rtmidi",),
    ),
    Measurement(
        "jack_midi_clock",
        "Trades by the clock of jack_midi_clock",
        full=(),
        quick=(),
        programs=("jackd", "jack_midi_clock", "jack_transport"),
        packages=("rtmidi",),
    ),
)


WITH_DATA = tuple(
    Measurement(name, title, full=(), quick=(), data=True)
    for name, title in (
        ("encoding", "Encoding corpora"),
        ("near_duplicates", "Near twins of validation and test"),
        ("quantised", "The model in int8"),
        ("presets_table", "Presets side by side"),
        ("maestro", "Models on MAESTRO, nats of each piece"),
        ("conditioning", "Whether asking changes the music"),
        ("generation", "Continuations against what pieces go on with"),
        ("frames", "The polyphonic frame benchmark"),
        ("turn_taking", "When a turn is over"),
        ("musicality", "Answers against what pieces go on with, and thirty minutes of them"),
        ("live_cache", "The live cache on second halves"),
        ("harmonise", "Voices that go with a note, against parallel thirds"),
        ("duet", "Duets against two-hand playing"),
        ("scales", "The scale of what is played, against POP909's keys"),
        ("pulse", "The player's beat"),
        ("session_midi", "The beats of a session's MIDI file, estimated from the playing"),
    )
)


def main() -> int:
    names = [one.name for one in (*MEASUREMENTS, *WITH_DATA)]
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names)}; default: all")
    parser.add_argument("--quick", action="store_true", help="only show that everything runs")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in names]
    if unknown:
        parser.error(f"there is no measurement {unknown[0]!r}; there are {', '.join(names)}")
    print_machine()
    chosen = [one for one in (*MEASUREMENTS, *WITH_DATA) if one.name in (arguments.names or names)]
    failed = [one.name for one in chosen if not run(one, quick=arguments.quick)]
    if failed:
        print(f"Failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def run(one: Measurement, *, quick: bool) -> bool:
    print(f"### {one.title}\n", flush=True)
    if one.data:
        print(f"Left out: it needs corpora; see python -m bench.{one.name} --help.\n")
        return True
    if one.missing:
        print(f"Left out: {' and '.join(one.missing)} not installed.\n")
        return True
    command = [sys.executable, "-m", f"bench.{one.name}", *(one.quick if quick else one.full)]
    return subprocess.run(command, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
