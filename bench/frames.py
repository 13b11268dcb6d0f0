"""The polyphonic frame benchmark (Boulanger-Lewandowski et al. 2012): nats per frame on four corpora.

The preset ``frames`` is trained on each, several seeds, the checkpoint picked on validation; the first frame
of a piece is read but not scored, as in the published figures (Bai et al. 2018). Beside it a plain frame LSTM
with 88 sigmoids, whose published figure on JSB is 8.45: it shows that the scoring is right.

    python -m bench.frames --data FOLDER_OF_MAT_FILES [--sets JSB_Chorales ...] [--seeds 3] [--runs FOLDER]
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.io import loadmat
from torch import Tensor
from torch.nn import functional

from bench.tables import print_table
from improv_core.representation import Frames, Notes
from improv_core.representation.frames import LOWEST, PITCHES
from improv_training.engine.batches import LaneBatches, Lanes
from improv_training.engine.checkpoints import load_checkpoint
from improv_training.engine.network import Network
from improv_training.engine.run_folder import best_checkpoint
from improv_training.engine.trainer import train
from improv_training.presets import load_preset

Roll = NDArray[np.bool_]

SETS = ("JSB_Chorales", "Nottingham", "MuseData", "Piano_midi")
SPLITS = {"train": "traindata", "validation": "validdata", "test": "testdata"}
FRAME_MS = 125
"""What a frame is taken for; in the files it has no length."""

VALIDATIONS = 12
MINUTES = "minutes.txt"

TWIN_SHARES = (0.5, 0.78)
"""Test pieces that share so much of their melody with a training piece are left out of the second figure; at
0.78 they are 28 of 77, the count of an earlier study of this corpus."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What differs from corpus to corpus."""

    updates: int
    dropout: float


RECIPES = {
    "JSB_Chorales": Recipe(updates=7000, dropout=0.35),
    "Nottingham": Recipe(updates=4000, dropout=0.2),
    "MuseData": Recipe(updates=4000, dropout=0.2),
    "Piano_midi": Recipe(updates=4000, dropout=0.35),
}


@dataclass(frozen=True, slots=True)
class Rolls:
    """The pieces of one file, as a corpus of the trainer: every frame of a pitch is a note."""

    name: str
    rolls: tuple[Roll, ...]
    split: tuple[str, ...]

    @classmethod
    def load(cls, path: Path) -> Rolls:
        """Read a .mat file of the benchmark."""
        stored = loadmat(path)
        pieces = [(roll > 0, split) for split, key in SPLITS.items() for roll in stored[key][0]]
        return cls(path.stem, tuple(roll for roll, _ in pieces), tuple(split for _, split in pieces))

    def only(self, split: str, chosen: Sequence[int]) -> Rolls:
        """Some of the pieces of a split."""
        there = [i for i, name in enumerate(self.split) if name == split]
        return Rolls(self.name, tuple(self.rolls[there[i]] for i in chosen), (split,) * len(chosen))

    @property
    def offsets(self) -> NDArray[np.int64]:
        """In notes."""
        return np.cumsum([0, *(int(roll.sum()) for roll in self.rolls)])

    def piece(self, index: int) -> Notes:
        """One piece; a silence at its beginning is the first note's ``dt_ms``."""
        frame, key = np.nonzero(self.rolls[index])
        return Notes(
            dt_ms=FRAME_MS * np.diff(frame, prepend=0),
            pedal=np.zeros(len(key), dtype=np.int64),
            pitch=key + LOWEST,
            velocity=np.full(len(key), 64),
            duration_ms=np.full(len(key), FRAME_MS),
        )

    def scored_frames(self, split: str) -> int:
        """All but the first of each piece."""
        return sum(len(r) - 1 for r, name in zip(self.rolls, self.split, strict=True) if name == split)


@torch.inference_mode()
def nats_per_frame(network: Network, rolls: Rolls, split: str) -> float:
    """Of every pitch and every end mark, divided by the frames; the state is carried through each piece."""
    batches = LaneBatches([rolls], [1], split, network.representation, Lanes(lanes=32, chunk=256))
    state, total = network.zero_state(32), 0.0
    for batch in batches:
        alive = (~batch.fresh).float()[None, :, None]
        projected, state = network(batch.columns, batch.dense.float(), (state[0] * alive, state[1] * alive))
        total += float(network.scores(projected, batch.asked, batch.targets, batch.mask).sum())
    return total / rolls.scored_frames(split)


@dataclass(frozen=True, slots=True)
class Result:
    """One run.

    Attributes:
        weights: How many the model has.
        minutes: Of processor time.
        validation: Nats per frame.
        test: Nats per frame.
        clean: On the test pieces without a near twin in training, for each threshold.
    """

    weights: int
    minutes: float
    validation: float
    test: float
    clean: tuple[float, ...] = ()


def run_frames(rolls: Rolls, folder: Path, seed: int, recipe: Recipe, clean: Sequence[Rolls]) -> Result:
    """Train the preset and score what was best in validation; a run that is there is only scored."""
    if not (folder / MINUTES).exists():
        preset = load_preset("frames")
        plan = dataclasses.replace(
            preset.plan,
            representation=Frames(FRAME_MS).spec(),
            shape=dataclasses.replace(preset.plan.shape, dropout=recipe.dropout),
            seed=seed,
            updates=recipe.updates,
            validate_every=max(1, recipe.updates // VALIDATIONS),
        )
        folder.mkdir(parents=True, exist_ok=True)
        begun_s = time.process_time()
        train([rolls], [1], folder, plan, say=lambda text: print(f"{rolls.name}, seed {seed}: {text}"))
        (folder / MINUTES).write_text(f"{(time.process_time() - begun_s) / 60:.2f}")
    network = load_checkpoint(best_checkpoint(folder)).network
    return Result(
        weights=sum(parameter.numel() for parameter in network.parameters()),
        minutes=float((folder / MINUTES).read_text()),
        validation=nats_per_frame(network, rolls, "validation"),
        test=nats_per_frame(network, rolls, "test"),
        clean=tuple(nats_per_frame(network, kept, "test") for kept in clean),
    )


# --- the control ----------------------------------------------------------------------------------


class Sigmoids(torch.nn.Module):
    """A frame in, the probability of each of 88 pitches in the next frame out."""

    def __init__(self, hidden: int = 150, dropout: float = 0.25) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(PITCHES, hidden)
        self.dropout = torch.nn.Dropout(dropout)
        self.out = torch.nn.Linear(hidden, PITCHES)

    def nats(self, rolls: Sequence[Roll]) -> tuple[Tensor, int]:
        """Summed over the scored frames of some pieces, and how many those are."""
        pad = torch.nn.utils.rnn.pad_sequence
        frames = pad([torch.from_numpy(roll.astype(np.float32)) for roll in rolls])
        there = pad([torch.ones(len(roll)) for roll in rolls])[1:]
        logits = self.out(self.dropout(self.lstm(frames[:-1])[0]))
        loss = functional.binary_cross_entropy_with_logits(logits, frames[1:], reduction="none")
        return (loss.sum(-1) * there).sum(), int(there.sum())


def run_control(rolls: Rolls, seed: int, epochs: int) -> Result:
    """Train the control and score the epoch that was best in validation."""
    torch.manual_seed(seed)
    rng, model, begun_s = np.random.default_rng(seed), Sigmoids(), time.process_time()
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    pieces = [roll for roll, split in zip(rolls.rolls, rolls.split, strict=True) if split == "train"]
    best = (float("inf"), float("inf"))
    for _ in range(epochs):
        for chosen in np.array_split(rng.permutation(len(pieces)), max(1, len(pieces) // 8)):
            nats, frames = model.nats([pieces[i] for i in chosen])
            optimiser.zero_grad()
            (nats / frames).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
        best = min(best, (control_nats(model, rolls, "validation"), control_nats(model, rolls, "test")))
    weights = sum(parameter.numel() for parameter in model.parameters())
    return Result(weights, (time.process_time() - begun_s) / 60, *best)


@torch.inference_mode()
def control_nats(model: Sigmoids, rolls: Rolls, split: str) -> float:
    """Nats per frame, the frames counted as in `nats_per_frame`."""
    model.eval()
    pieces = [roll for roll, name in zip(rolls.rolls, rolls.split, strict=True) if name == split]
    total = sum(float(model.nats([roll])[0]) for roll in pieces)
    model.train()
    return total / rolls.scored_frames(split)


# --- near twins -----------------------------------------------------------------------------------


def near_twins(rolls: Rolls) -> list[float]:
    """For each test piece the largest share of its melody that is in one training piece.

    The melody is the top voice; a share is that of its 6-grams of intervals, so that transposition does not
    matter, counted frame by frame and once more without repeated pitches; the larger counts.
    """
    by_split = {
        split: [r for r, s in zip(rolls.rolls, rolls.split, strict=True) if s == split] for split in SPLITS
    }
    known = [_melodies(roll) for roll in by_split["train"]]
    shares = []
    for roll in by_split["test"]:
        mine = _melodies(roll)
        shares.append(
            max(len(a & b) / max(1, len(a)) for piece in known for a, b in zip(mine, piece, strict=True))
        )
    return shares


def _melodies(roll: Roll) -> tuple[set[tuple[int, ...]], set[tuple[int, ...]]]:
    sounding = roll[roll.any(axis=1)]
    top = PITCHES - 1 - sounding[:, ::-1].argmax(axis=1)
    moved = top[np.diff(top, prepend=-1) != 0]
    return _grams(top), _grams(moved)


def _grams(pitches: NDArray[np.int64], length: int = 6) -> set[tuple[int, ...]]:
    steps = np.diff(pitches).tolist()
    return {tuple(steps[i : i + length]) for i in range(len(steps) - length + 1)}


# --- the table ------------------------------------------------------------------------------------


def main() -> None:
    """Run what is asked for and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the .mat files")
    parser.add_argument("--runs", type=Path, default=Path("runs/frames"), help="where runs are kept")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--updates", type=int, help="of each run, instead of the recipe's")
    parser.add_argument("--control-epochs", type=int, default=60)
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[tuple[str, ...]] = []
    for name in given.sets:
        rolls = Rolls.load(given.data / f"{name}.mat")
        twins, clean = _without_twins(rolls) if name == SETS[0] else ([], [])
        recipe = RECIPES[name]
        if given.updates:
            recipe = dataclasses.replace(recipe, updates=given.updates)
        results = [
            run_frames(rolls, given.runs / f"{name}-{seed}", seed, recipe, clean)
            for seed in range(1, given.seeds + 1)
        ]
        rows.append(_row(name, f"frames, {recipe.updates:,} updates", results, given.seeds))
        for i, (threshold, kept) in enumerate(zip(TWIN_SHARES, clean, strict=False)):
            values = [result.clean[i] for result in results]
            left_out = f"without the {twins[i]} that share {threshold:.0%} of a melody"
            what = f"frames, {len(kept.rolls)} pieces: {left_out}"
            rows.append((name, what, "", "", "", _mean(values)))
        if given.control_epochs:
            controls = [run_control(rolls, seed, given.control_epochs) for seed in range(1, given.seeds + 1)]
            rows.append(
                _row(name, f"control: 88 sigmoids, {given.control_epochs} epochs", controls, given.seeds)
            )
    print_table(("corpus", "model", "weights", "minutes", "validation", "test, nats per frame"), rows)


def _without_twins(rolls: Rolls) -> tuple[list[int], list[Rolls]]:
    shares = near_twins(rolls)
    kept = [[i for i, share in enumerate(shares) if share < threshold] for threshold in TWIN_SHARES]
    return [len(shares) - len(one) for one in kept], [rolls.only("test", one) for one in kept]


def _row(name: str, what: str, results: Sequence[Result], seeds: int) -> tuple[str, ...]:
    minutes = statistics.mean(result.minutes for result in results)
    return (
        name,
        f"{what}, {seeds} seeds",
        f"{results[0].weights:,}",
        f"{minutes:.1f}",
        _mean([result.validation for result in results]),
        _mean([result.test for result in results]),
    )


def _mean(values: Sequence[float]) -> str:
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}"


if __name__ == "__main__":
    main()
