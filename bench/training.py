"""How fast each preset trains on one thread, and that a run is the same on two processes and after a break.

    python -m bench.training [--updates 3] [--preset NAME ...] [--corpus CORPUS.json ...]

Without a corpus (`improv_training.corpora.corpus.save_corpus` writes them) notes are made up.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from numpy.typing import NDArray

from bench.tables import load_average, print_table
from improv_core.representation import Notes, Piano, Representation, from_spec
from improv_training.corpora.corpus import open_corpus
from improv_training.engine.batches import Batch, LaneBatches, Lanes, Pieces
from improv_training.engine.checkpoints import load_checkpoint
from improv_training.engine.learner import Learner
from improv_training.engine.processes import this_process
from improv_training.engine.trainer import train
from improv_training.plan import Plan
from improv_training.presets import Preset, load_preset, preset_names
from improv_training.shape import Shape

PIECES, LENGTH = 130, 1500
UPDATES, BROKEN_AFTER = 12, 5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--updates", type=int, default=3, help="timed updates of each preset")
    parser.add_argument("--preset", action="append", help="only these; default: all")
    parser.add_argument("--corpus", type=Path, action="append", default=[])
    parser.add_argument("--share", type=Path, help=argparse.SUPPRESS)  # what torchrun starts
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.share is not None:
        train_and_keep(arguments.share)
        return
    corpora: list[Any] = [open_corpus(index) for index in arguments.corpus] or [MadeUp()]
    names = arguments.preset or preset_names()
    headers = ("preset", "network", "weights", "steps/note", "fp32 notes/s", "bf16 notes/s", "data %", "MB")
    print_table((*headers, "load average"), [speed(name, corpora, arguments.updates) for name in names])
    print(
        "One thread; seconds are the processor's, so that other programs do not count. Forward, backward, "
        "clipping, AdamW and average on the preset's own batches. data %: of an update in bf16 that goes "
        "into making its batch. MB: peak memory of the process in fp32.\n"
    )
    print_table(("what", "of", "figure"), equality())


# --- speed ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MadeUp:
    """Chords and single notes at random; as much as every preset needs for a few batches."""

    split: tuple[str, ...] = ("train",) * (PIECES - 2) + ("validation",) * 2

    @property
    def offsets(self) -> NDArray[np.int64]:
        return np.arange(PIECES + 1) * LENGTH

    def piece(self, index: int) -> Notes:
        rng = np.random.default_rng(index)
        chord = rng.random(LENGTH) < 0.4
        return Notes(
            dt_ms=np.where(chord, 0, rng.integers(10, 300, LENGTH)),
            pedal=rng.integers(0, 2, LENGTH),
            pitch=rng.choice([36, 43, 48, 52, 55, 60, 62, 64, 65, 67, 69, 71, 72], LENGTH),
            velocity=rng.integers(30, 100, LENGTH),
            duration_ms=rng.integers(40, 800, LENGTH),
        )


def speed(name: str, corpora: Sequence[Any], updates: int) -> tuple[object, ...]:
    """A row of the table; each precision in a process of its own, whose peak memory it is."""
    preset = load_preset(name)
    pieces = (c.piece(i) for c in corpora for i, split in enumerate(c.split) if split == "train")
    representation = preset.representation.learned(pieces)
    preset = replace(preset, plan=replace(preset.plan, representation=representation.spec()))
    single, half = (apart(preset, corpora, updates, half=half) for half in (False, True))
    shape, a_note = preset.plan.shape, steps_a_note(representation, corpora)
    return (
        name,
        f"{shape.layers}x{shape.hidden}",
        f"{single.weights / 1e6:.1f} M",
        f"{a_note:.2f}",
        f"{single.steps_per_s / a_note:,.0f}",
        f"{half.steps_per_s / a_note:,.0f}",
        f"{100 * half.data_share:.1f}",
        f"{single.memory_mb:,.0f}",
        load_average(),
    )


@dataclass(frozen=True, slots=True)
class Speed:
    steps_per_s: float
    data_share: float
    memory_mb: float
    weights: int


def apart(preset: Preset, corpora: Sequence[Any], updates: int, *, half: bool) -> Speed:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    forked = multiprocessing.get_context("fork")
    process = forked.Process(target=_measure, args=(theirs, preset, corpora, updates, half))
    process.start()
    measured = ours.recv()
    process.join()
    return measured


def _measure(out: Connection, preset: Preset, corpora: Sequence[Any], updates: int, half: bool) -> None:
    learner, plan = Learner(preset.plan), preset.plan
    update = updater(learner, half=half)
    batches = list(itertools.islice(one_pass(plan, corpora), updates + 1))
    update(batches[0])
    begin_s = time.process_time()
    for batch in batches[1:]:
        update(batch)
    update_s = (time.process_time() - begin_s) / sum(batch.total for batch in batches[1:])
    data_s = data_s_a_step(plan, corpora)
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    weights = sum(p.numel() for p in learner.network.parameters())
    out.send(Speed(1 / (update_s + data_s), data_s / (update_s + data_s), memory_mb, weights))


def one_pass(plan: Plan, corpora: Sequence[Pieces]) -> LaneBatches:
    return LaneBatches(
        corpora,
        [1] * len(corpora),
        "train",
        from_spec(plan.representation),
        Lanes(plan.lanes, plan.chunk, plan.stateful),
        seed=plan.seed,
        augmentation=plan.augmentation,
    )


def data_s_a_step(plan: Plan, corpora: Sequence[Pieces]) -> float:
    """What making the batches takes, over a pass or two seconds of one."""
    begin_s, steps = time.process_time(), 0
    for batch in one_pass(plan, corpora):
        steps += batch.total
        if time.process_time() - begin_s > 2:
            break
    return (time.process_time() - begin_s) / steps


def steps_a_note(representation: Representation, corpora: Sequence[Any]) -> float:
    steps = notes = 0
    for corpus in corpora:
        for index in range(min(20, len(corpus.split))):
            piece = corpus.piece(index)
            steps += len(representation.rows(piece, np.zeros(len(piece), dtype=np.int64)))
            notes += len(piece)
    return steps / notes


def updater(learner: Learner, *, half: bool) -> Callable[[Batch], None]:
    network, optimizer = learner.network.train(), learner.configure_optimizers()

    def update(batch: Batch) -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            state = network.zero_state(len(batch.fresh))
            projected, _ = network(batch.columns, batch.dense.float(), state)
            sums = network.losses(projected, batch.asked, batch.targets, batch.mask)
            loss = (sums * learner.weights).sum() / max(1, batch.total)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), learner.plan.clip)
        optimizer.step()
        learner.average.update_parameters(network)

    return update


# --- equality -------------------------------------------------------------------------------------


def small_plan(dropout: float) -> Plan:
    shape = Shape(inputs=64, hidden=128, layers=2, projected=64, dropout=dropout)
    return Plan(
        shape=shape,
        representation=Piano().spec(),
        lanes=8,
        chunk=64,
        updates=UPDATES,
        validate_every=UPDATES,
        precision="32-true",
    )


class Watch(Callback):
    """Gradients of the updates before clipping, and losses; stops the run where it is told to."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.gradients: list[torch.Tensor] = []
        self.losses: list[float] = []
        self._stop_after = stop_after

    def on_before_optimizer_step(self, trainer: object, module: lightning.LightningModule, _: object) -> None:
        parameters = module.network.parameters()
        self.gradients.append(torch.cat([p.grad.flatten() for p in parameters if p.grad is not None]))

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: object, outputs: dict[str, torch.Tensor], *_: object
    ) -> None:
        self.losses.append(float(outputs["loss"]))
        if trainer.global_step == self._stop_after:
            signal.raise_signal(signal.SIGTERM)


def silent(sentence: str) -> None:
    pass


def train_and_keep(folder: Path) -> None:
    """What each of two processes does, and one alone."""
    watch = Watch()
    begin_s = time.perf_counter()
    train([MadeUp()], [1], folder, small_plan(0.0), say=silent, callbacks=[watch])
    if this_process().leads:
        torch.save({"gradients": watch.gradients, "s": time.perf_counter() - begin_s}, folder / "watched.pt")


def equality() -> Iterator[tuple[object, ...]]:
    with tempfile.TemporaryDirectory() as name:
        one, two = Path(name, "one"), Path(name, "two")
        train_and_keep(one)
        torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        command = [sys.executable, *torchrun, "-m", "bench.training", "--share", str(two)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        alone, shared = (torch.load(folder / "watched.pt")["gradients"] for folder in (one, two))
        worst = max(float((a - b).norm() / a.norm()) for a, b in zip(alone, shared, strict=True))
        of = f"gradients of {UPDATES} updates, difference / norm"
        yield "two processes (gloo) beside one", of, f"{worst:.1e}"
        yield "", "averaged weights after them, largest difference", f"{largest(one, two):.1e}"
        yield from resumed(Path(name))


def resumed(folder: Path) -> Iterator[tuple[object, ...]]:
    plan, whole, broken = small_plan(0.1), Watch(), Watch(BROKEN_AFTER)
    train([MadeUp()], [1], folder / "whole", plan, say=silent, callbacks=[whole])
    train([MadeUp()], [1], folder / "broken", plan, say=silent, callbacks=[broken])
    kept = load_checkpoint(folder / "broken" / "last.ckpt")
    train([MadeUp()], [1], folder / "broken", plan, say=silent, callbacks=[broken], resume=kept)
    differ = sum(a != b for a, b in zip(whole.losses, broken.losses, strict=True))
    what = f"ended by SIGTERM after {BROKEN_AFTER} updates, resumed"
    yield what, "training losses that differ", f"{differ} of {len(whole.losses)}"
    yield "", "averaged weights, largest difference", f"{largest(folder / 'whole', folder / 'broken'):.1e}"


def largest(one: Path, two: Path) -> float:
    first, second = (load_checkpoint(run / "last.ckpt").network.state_dict() for run in (one, two))
    return max(float((value - second[name]).abs().max()) for name, value in first.items())


if __name__ == "__main__":
    main()
