"""The scale of what is played against the keys that POP909 gives: scale = "auto" on the test split.

    python -m bench.scales [--data FOLDER] [--split test]
    python -m bench.scales --fit

Windows of so many notes of melody and piano, one after another, each within one key; what is scored is
whether the key is found, by MIREX's points (a fifth off .5, relative .3, parallel .2), and whether the scale
has the same notes. With --fit the weights of `improv_core.key_finding` are learned from the training split
again and printed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.corpora import HERE, SPLITS, unpacked
from bench.tables import print_machine, print_table
from improv_core.key_finding import CERTAIN, likeliest_scale, pitch_class_counts
from improv_core.midi_files import read_midi
from improv_core.scales import TONICS, pitch_classes, spelled

NAME: Final = "pop909_main"
VOICES: Final = ("MELODY", "PIANO")
SIZES: Final = (8, 16, 32, 64)
FITTED_SIZES: Final = (*SIZES, 128)
DECAY: Final = 1e-3
EARLY_S: Final = 0.5
"""Keys were annotated on recordings: as far as their limits may be off."""

KEYS: Final = (*(f"{tonic} major" for tonic in TONICS), *(f"{tonic} minor" for tonic in TONICS))

KRUMHANSL_KESSLER: Final = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
)
TEMPERLEY: Final = (
    (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400),
    (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330),
)
"""Of the Kostka-Payne corpus."""

Guess = Callable[[Sequence[int]], str]


@dataclass(frozen=True, slots=True)
class Song:
    """Onsets and pitches of its notes, and where each of its keys begins and ends."""

    onset_s: NDArray[np.float64]
    pitch: list[int]
    keys: tuple[tuple[float, float, str], ...]

    def windows(self, size: int, every: int) -> Iterator[tuple[list[int], str]]:
        """Pitches and key of windows that lie within one key."""
        for begin in range(0, len(self.pitch) - size + 1, every):
            first_s, last_s = self.onset_s[begin], self.onset_s[begin + size - 1]
            within = [
                key
                for start_s, end_s, key in self.keys
                if start_s - EARLY_S <= first_s and last_s <= end_s + EARLY_S
            ]
            if len(within) == 1:
                yield self.pitch[begin : begin + size], within[0]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.scales",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=HERE, help=f"holds {NAME}, packed or not")
    parser.add_argument("--splits", type=Path, default=SPLITS, help="folder of NAME.json")
    parser.add_argument("--split", choices=("validation", "test"), default="test")
    parser.add_argument("--fit", action="store_true", help="learn the weights again")
    arguments = parser.parse_args()
    part = "train" if arguments.fit else arguments.split
    with unpacked(arguments.data, names=(NAME,)) as folders:
        songs = [song for folder in folders for song in read_songs(folder, arguments.splits, part)]
    if arguments.fit:
        fit(songs)
    else:
        print_machine()
        report(songs, arguments.split)


def read_songs(folder: Path, splits: Path, part: str) -> Iterator[Song]:
    split: dict[str, str] = json.loads((splits / f"{NAME}.json").read_text(encoding="utf-8"))
    for name in sorted(name for name, one in split.items() if one == part):
        voices = [track.performance.notes for track in read_midi(folder / name) if track.name in VOICES]
        notes = sorted((note.onset_s, note.pitch) for voice in voices for note in voice)
        lines = (folder / name).with_name("key_audio.txt").read_text(encoding="utf-8").splitlines()
        yield Song(
            np.array([onset_s for onset_s, _ in notes]),
            [pitch for _, pitch in notes],
            tuple(_annotated(line) for line in lines if line.strip()),
        )


def _annotated(line: str) -> tuple[float, float, str]:
    begin_s, end_s, key = line.split()
    tonic, _, mode = key.partition(":")
    name = spelled(f"{tonic} {mode}or")
    if name is None:
        raise ValueError(f"no key: {line!r}")
    return float(begin_s), float(end_s), name


# --- guesses --------------------------------------------------------------------------------------


def always_c(pitches: Sequence[int]) -> str:
    return "C major"


def most_common(pitches: Sequence[int]) -> str:
    return f"{TONICS[int(np.bincount(np.array(pitches) % 12, minlength=12).argmax())]} major"


def correlated(profiles: Sequence[Sequence[float]]) -> Guess:
    """The key whose profile correlates most with the counts (Krumhansl 1990)."""
    rolled = np.array([np.roll(profile, tonic) for profile in profiles for tonic in range(12)])

    def guess(pitches: Sequence[int]) -> str:
        counts = np.bincount(np.array(pitches) % 12, minlength=12)
        if np.ptp(counts) == 0:
            return KEYS[0]
        return KEYS[int(np.corrcoef(counts, rolled)[0, 1:].argmax())]

    return guess


def found(pitches: Sequence[int]) -> str:
    return likeliest_scale(pitches)[0]


GUESSES: Final[dict[str, Guess]] = {
    "always C major": always_c,
    "most common pitch class, major": most_common,
    "correlation, Krumhansl and Kessler": correlated(KRUMHANSL_KESSLER),
    "correlation, Temperley": correlated(TEMPERLEY),
    "improv": found,
}


# --- scores ---------------------------------------------------------------------------------------


def points(guess: str, key: str) -> tuple[float, float, float]:
    """Exact, by MIREX's points, same notes."""
    same_notes = pitch_classes(guess) == pitch_classes(key)
    (tonic, mode), (true_tonic, true_mode) = (name.split() for name in (guess, key))
    above = (TONICS.index(tonic) - TONICS.index(true_tonic)) % 12
    if guess == key:
        return 1.0, 1.0, 1.0
    if mode == true_mode:
        return 0.0, 0.5 if above == 7 else 0.0, 0.0
    return 0.0, 0.3 if same_notes else 0.2 if above == 0 else 0.0, float(same_notes)


def report(songs: Sequence[Song], split: str) -> None:
    of_songs = {size: [list(song.windows(size, size)) for song in songs] for size in SIZES}
    windows = {size: [one for song in some for one in song] for size, some in of_songs.items()}
    for size, some in of_songs.items():
        rows = [(name, *scored(guess, some)) for name, guess in GUESSES.items()]
        print(f"{size} notes, {len(windows[size]):,} windows of {len(songs)} songs ({split}):\n")
        print_table(("", "key found", "by MIREX's points", "same notes"), rows)
    print("Means of windows; standard errors as of songs, since windows of one song are alike.\n")
    print_table(
        ("notes", "windows of which improv tells the scale", "same notes, of those"),
        (told(size, some) for size, some in windows.items()),
    )
    taken_s = timed([pitches for pitches, _ in windows[SIZES[-1]]])
    print(f"Finding the scale of {SIZES[-1]} notes takes {1e6 * taken_s:.0f} microseconds (median).\n")


def scored(guess: Guess, songs: Sequence[Sequence[tuple[Sequence[int], str]]]) -> tuple[str, ...]:
    """Each of `points` as the mean of all windows with its standard error over songs."""
    scores = [[points(guess(pitches), key) for pitches, key in song] for song in songs if song]
    sums, counts = np.array([np.sum(one, axis=0) for one in scores]), np.array([len(one) for one in scores])
    means = sums.sum(axis=0) / counts.sum()
    errors = np.sqrt(np.square(sums - counts[:, None] * means).sum(axis=0)) / counts.sum()
    return tuple(f"{mean:.3f} ± {error:.3f}" for mean, error in zip(means, errors, strict=True))


def told(size: int, windows: Sequence[tuple[Sequence[int], str]]) -> tuple[str, str, str]:
    guesses = [(*likeliest_scale(pitches), key) for pitches, key in windows]
    certain = [points(name, key)[2] for name, likelihood, key in guesses if likelihood >= CERTAIN]
    return str(size), f"{len(certain) / len(windows):.3f}", f"{np.mean(certain):.3f}"


def timed(windows: Sequence[Sequence[int]]) -> float:
    taken = []
    for pitches in windows:
        begin_s = time.perf_counter()
        likeliest_scale(pitches)
        taken.append(time.perf_counter() - begin_s)
    return float(np.median(taken))


# --- learning -------------------------------------------------------------------------------------


def fit(songs: Sequence[Song]) -> None:
    """Weights by which the key at the end of what was heard is likeliest."""
    import torch

    heard = [
        one for song in songs for size in FITTED_SIZES for one in song.windows(size, max(size, SIZES[-1]))
    ]
    features = torch.tensor(np.sqrt([pitch_class_counts(pitches) for pitches, _ in heard]))
    keys = torch.tensor([KEYS.index(key) for _, key in heard])
    weights = torch.zeros(2, 12, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        rolled = torch.stack([mode.roll(tonic) for mode in weights for tonic in range(12)])
        of_minor = torch.arange(24) >= 12
        logits = features @ rolled.T + torch.where(of_minor, bias, 0.0)
        total: torch.Tensor = torch.nn.functional.cross_entropy(logits, keys)
        total = total + DECAY * weights.square().sum()
        total.backward()
        return total

    optimiser.step(loss)
    nats = float(loss().detach())
    print(f"{len(heard):,} windows of {len(songs)} songs; {nats:.3f} nats with weight decay.\n")
    for name, values in zip(("major", "minor"), weights.detach().tolist(), strict=True):
        print(name, ", ".join(f"{value:.2f}" for value in values))
    print(f"minor bias {float(bias.detach()):.2f}")


if __name__ == "__main__":
    main()
