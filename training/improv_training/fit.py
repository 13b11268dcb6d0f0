"""Train on encoded corpora where improv's other parts are not installed; see docs/training.md.

    python -m improv_training.fit RUN CORPUS.json... --preset piano --hours 2
    torchrun --nproc-per-node 2 -m improv_training.fit RUN CORPUS.json... --resume

Needs numpy, torch and lightning alone. ``improv_training.corpus.save_corpus`` writes the corpora. Several
processes, on one machine or more, train one network when ``torchrun`` starts them; all of them read the
corpora and, with --resume, the run folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from improv_core.errors import ConfigError, ImprovError
from improv_training import run_folder
from improv_training.checkpoints import Checkpoint, load_checkpoint
from improv_training.corpus import Corpus, open_corpus
from improv_training.plan import Plan
from improv_training.presets import DEFAULT, Preset, load_preset
from improv_training.processes import this_process
from improv_training.trainer import train

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
    checkpoint = load_checkpoint(run_folder.last_checkpoint(chosen.run)) if chosen.resume else None
    corpora = [open_corpus(index) for index in chosen.corpora]
    plan = _plan(chosen, corpora, checkpoint)
    outcome = train(corpora, [1] * len(corpora), chosen.run, plan, resume=checkpoint)
    if this_process().leads:
        ended = f"Stopped after {outcome.updates:,} updates; go on with --resume."
        best = f"Best checkpoint: {run_folder.best_checkpoint(chosen.run)}"
        print(ended if outcome.interrupted else best)  # noqa: T201
    return outcome.status


def _plan(chosen: argparse.Namespace, corpora: Sequence[Corpus], checkpoint: Checkpoint | None) -> Plan:
    if checkpoint is None:
        plan = planned(load_preset(chosen.preset or DEFAULT), corpora)
    elif chosen.preset is not None:
        raise ConfigError("--resume goes on by the plan of the run; leave out --preset.")
    else:
        plan = checkpoint.plan
    names = ("hours", "updates", "lanes", "validate_every")
    changes = {name: getattr(chosen, name) for name in names if getattr(chosen, name) is not None}
    if "hours" in changes:
        changes = {"updates": None, **changes}
    return replace(plan, **changes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m improv_training.fit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", type=Path, help="folder for checkpoints and the log")
    parser.add_argument("corpora", type=Path, nargs="+", metavar="CORPUS.json", help="encoded corpora")
    parser.add_argument("--preset", help=f"a preset's name or .toml file; default: {DEFAULT}")
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
