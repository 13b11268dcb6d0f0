"""Train on encoded corpora where improv's other parts are not installed; see docs/training.md.

    python -m improv_training.fit RUN CORPUS.json... --preset piano --hours 2
    torchrun --nproc-per-node 2 -m improv_training.fit RUN CORPUS.json... --resume

Needs numpy, torch and lightning alone. ``improv_training.corpora.corpus.save_corpus`` writes the corpora.
Several processes, on one machine or more, train one network when ``torchrun`` starts them; all of them read
the corpora and, with --resume, the run folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from improv_core.errors import ImprovError
from improv_training import planning
from improv_training.corpora.corpus import open_corpus
from improv_training.engine import run_folder
from improv_training.engine.processes import this_process
from improv_training.engine.reporting import say_nothing
from improv_training.engine.trainer import train
from improv_training.mix import NO_MIX
from improv_training.presets import DEFAULT

_INTERRUPTED = 130
_WRONG = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        return _fit(chosen)
    except ImprovError as error:
        if this_process().leads:
            print(error, file=sys.stderr)  # noqa: T201
        return _WRONG
    except KeyboardInterrupt:
        return _INTERRUPTED


def _fit(chosen: argparse.Namespace) -> int:
    torch.set_num_threads(chosen.threads)
    run_folder.prepare(chosen.run, resume=chosen.resume)
    beginning = planning.begin(chosen.run, preset=chosen.preset, from_=None, resume=chosen.resume)
    asked = {name: getattr(chosen, name) for name in ("hours", "updates", "lanes", "validate_every")}
    asked["canonical"] = chosen.canonical or None
    plan = planning.changed(beginning, chosen.run, {}, asked)
    corpora = [open_corpus(index) for index in chosen.corpora]
    say = print if this_process().leads else say_nothing
    plan, openings = planning.learned(beginning, plan, corpora, say)
    repeats = planning.repeats(chosen.repeat, corpora, NO_MIX)
    outcome = train(corpora, repeats, chosen.run, plan, resume=beginning.checkpoint, openings=openings)
    ended = f"Stopped after {outcome.updates:,} updates; go on with --resume."
    best = f"Best checkpoint: {run_folder.best_checkpoint(chosen.run)}"
    say(ended if outcome.interrupted else best)
    return outcome.status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m improv_training.fit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", type=Path, help="folder for checkpoints and the log")
    parser.add_argument("corpora", type=Path, nargs="+", metavar="CORPUS.json", help="encoded corpora")
    parser.add_argument("--preset", help=f"a preset's name or .toml file; default: {DEFAULT}")
    repeat = "this corpus comes twice in each epoch"
    parser.add_argument("--repeat", action="append", default=[], metavar="NAME=2", help=repeat)
    parser.add_argument("--canonical", action="store_true", help="the corpora are in the canonical form")
    end = parser.add_mutually_exclusive_group()
    end.add_argument("--hours", type=float, help="how long to train")
    end.add_argument("--updates", type=int, help="how many updates to make")
    parser.add_argument("--lanes", type=int, help="pieces side by side, in all processes together")
    parser.add_argument("--validate-every", type=int, help="updates between validations")
    parser.add_argument("--threads", type=int, default=1, help="processor threads of each process")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in RUN")
    return parser


if __name__ == "__main__":
    sys.exit(main())
