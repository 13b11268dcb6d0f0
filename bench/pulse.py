"""The player's beat, found note by note: against annotated beats, and where there is none to find.

    python -m bench.pulse [--data FOLDER] [--splits FOLDER] [--split test] [--quick]
    python -m bench.pulse --fit

Known are the beats of POP909 (annotated) and of piano-midi.de (classical, by hand-made tempo maps); MAESTRO's
recitals have none annotated, and little steady tempo. Continuity (CMLt, AMLt) is mir_eval's, where that is
installed. With --fit the weights in improv_core.tempogram and improv_core.pulse are fitted anew: what length
a beat has on the training splits, how sure to be on validation; that needs scipy.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.corpora import HERE, SPLITS, midi_files, unpacked
from bench.tables import load_average, milliseconds, print_table
from improv_core.errors import ImprovError
from improv_core.pulse import CLEAR_FROM, PulseTracker
from improv_training.corpora.beats import ANNOTATIONS, read_annotations
from improv_training.corpora.fast_midi import read_beats, read_voices
from improv_training.evaluation.pulses import (
    AHEAD_S,
    Followed,
    Piece,
    after_playing,
    beats_of,
    f_measure,
    follow,
    near,
    with_halves,
)

POP, CLASSICAL, JAZZ, RECITALS = "pop909_main", "piano_midi_de", "wjazzd", "maestro_v2"
SETTLED_S = 5.0
"""As usual in the field, what was found before that is not scored."""

HEARD_S = (4.0, 8.0, 16.0)
EVERY_S = 20.0
AT_MOST = 100
"""Pieces of a corpus, of which there are more only of recitals."""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.pulse",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=HERE, help="folder of corpora or their .tar.xz")
    parser.add_argument("--splits", type=Path, default=SPLITS, help="folder of NAME.json")
    parser.add_argument("--split", default="test", choices=("validation", "test"))
    parser.add_argument("--quick", action="store_true", help="a few pieces of each")
    parser.add_argument("--fit", action="store_true", help="print fitted weights instead")
    arguments = parser.parse_args()
    names = (POP, CLASSICAL, JAZZ) if arguments.fit else (POP, CLASSICAL, RECITALS)
    with unpacked(arguments.data, names=names) as folders:
        if not folders:
            print(f"Left out: no corpora in {arguments.data}.\n")
            return
        if arguments.fit:
            from bench.pulse_fit import print_weights

            print_weights(folders, arguments.splits)
            return
        corpora = {
            folder.name: list(
                read(folder, arguments.splits, arguments.split, 3 if arguments.quick else AT_MOST)
            )
            for folder in folders
        }
    print_followed(corpora)
    print_calls(corpora)
    print_costs(next(iter(corpora.values())))


def split_files(folder: Path, splits: Path, split: str, at_most: int | None = None) -> list[Path]:
    """The files of a split, in the order of their names, evenly chosen where at most so many are wanted."""
    named = json.loads((splits / f"{folder.name}.json").read_text(encoding="utf-8"))
    wanted = [path for path in midi_files(folder) if named.get(path.relative_to(folder).as_posix()) == split]
    count = len(wanted) if at_most is None else min(at_most, len(wanted))
    return [wanted[len(wanted) * i // count] for i in range(count)]


def read(folder: Path, splits: Path, split: str, at_most: int | None = None) -> Iterator[Piece]:
    """The pieces of a split, as `split_files` chooses them."""
    for path in split_files(folder, splits, split, at_most):
        data = path.read_bytes()
        try:
            voices = [voice for voice in read_voices(data, str(path)) if not voice.is_drum]
        except ImprovError as error:
            print(f"Left out: {error}\n")
            continue
        onset_s = np.concatenate([voice.onset_s for voice in voices])
        order = np.argsort(onset_s, kind="stable")
        velocity = np.concatenate([voice.velocity for voice in voices])[order]
        yield Piece(onset_s[order], velocity, beats_beside(path, data, float(onset_s.max())))


def beats_beside(path: Path, data: bytes, last_s: float) -> np.ndarray | None:
    """Annotated beats, else those of the file's ticks; none for MAESTRO, whose ticks are none."""
    beside = path.with_name(ANNOTATIONS)
    if beside.is_file():
        return read_annotations(beside).at_s
    beats = None if RECITALS in path.parts else read_beats(data)
    return None if beats is None else beats_of(beats, last_s)


def _mean_known(values: np.ndarray) -> float:
    """Of those that are known; not a number where none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def print_followed(corpora: dict[str, list[Piece]]) -> None:
    rows = []
    for name, pieces in corpora.items():
        followed = [(piece, follow(piece)) for piece in pieces if piece.has_tempo or piece.beats_s is None]
        clear = sum(one.clear_s for _, one in followed) / sum(one.played_s for _, one in followed)
        scored = [scores(piece, piece.beats_s, one) for piece, one in followed if piece.beats_s is not None]
        means = [_mean_known(column) for column in np.array(scored).T] if scored else [np.nan] * 6
        rows.append((name, len(followed), *map(share, means[:3]), share(clear), *map(share, means[3:])))
    headers = ("pieces", "F", "CMLt", "AMLt", "share of time clear", "found within 70 ms", "of those clear")
    print_table(("corpus", *headers, "of those clear, of a beat or half beat"), rows)
    print(f"Each beat as estimated by the time it came; clear is a confidence of {CLEAR_FROM:g} and more.\n")


def scores(piece: Piece, beats_s: np.ndarray, followed: Followed) -> tuple[float, ...]:
    """F, CMLt, AMLt, hits, hits of clear beats, hits of those on halves too."""
    begin_s, end_s = piece.onset_s[0] + SETTLED_S, piece.onset_s[-1]
    known = beats_s[(beats_s >= begin_s) & (beats_s <= end_s + 0.1)]
    late = followed.beats_s >= begin_s
    found, clear = followed.beats_s[late], followed.clear[late]
    hit = near(beats_s, found)
    on_half = near(with_halves(beats_s), found)
    return (
        f_measure(known, found),
        *continuity(known, found),
        mean(hit),
        mean(hit[clear]),
        mean(on_half[clear]),
    )


def continuity(known: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    if importlib.util.find_spec("mir_eval") is None:
        return float("nan"), float("nan")
    import mir_eval.beat

    _, total, _, any_level = mir_eval.beat.continuity(known, found)
    return total, any_level


def print_calls(corpora: dict[str, list[Piece]]) -> None:
    rows, bins = [], []
    for name, pieces in corpora.items():
        for heard_s in HEARD_S:
            calls = [
                one
                for piece in pieces
                if piece.has_tempo or piece.beats_s is None
                for one in after_playing(piece, heard_s, EVERY_S)
            ]
            confidence, clear, found = (np.array(column) for column in zip(*calls, strict=True))
            known = name != RECITALS
            hits = (mean(found), mean(found[clear])) if known else (np.nan, np.nan)
            rows.append((name, f"{heard_s:g}", len(calls), share(clear.mean()), *map(share, hits)))
            bins += [(confidence, found)] if known else []
    print_table(
        ("corpus", "s of playing", "calls", "clear", "next beat found", "next beat found where clear"), rows
    )
    print(
        f"Asked for {AHEAD_S:g} s after the last note. Found: within 70 ms, and 17.5 % of it, of a beat; "
        "where twice as many are counted, of half a beat.\n"
    )
    confidence, found = (np.concatenate(column) for column in zip(*bins, strict=True))
    tenth = np.minimum((confidence * 10).astype(int), 9)
    print_table(
        ("confidence", "calls", "mean confidence", "next beat found"),
        [
            (
                f"{one / 10:.1f} to {(one + 1) / 10:.1f}",
                own.sum(),
                share(confidence[own].mean()),
                share(found[own].mean()),
            )
            for one in range(10)
            if (own := tenth == one).any()
        ],
    )


def print_costs(pieces: Sequence[Piece]) -> None:
    onsets, asked = [], []
    for piece in pieces[:10]:
        tracker = PulseTracker()
        for at_s, velocity in zip(piece.onset_s.tolist(), piece.velocity.tolist(), strict=True):
            begin_s = time.perf_counter()
            tracker.onset(at_s, velocity)
            onsets.append(time.perf_counter() - begin_s)
        for _ in range(20):
            begin_s = time.perf_counter()
            tracker.estimate(float(piece.onset_s[-1]))
            asked.append(time.perf_counter() - begin_s)
    print_table(
        ("", "mean ms", "p50 ms", "p99 ms", "max ms"),
        [
            (what, f"{np.mean(taken) * 1e3:.3f}", *milliseconds(taken))
            for what, taken in (("an onset", onsets), ("asking for the beat", asked))
        ],
    )
    print(f"Load average {load_average()}.\n")


def mean(hits: np.ndarray) -> float:
    return float(hits.mean()) if len(hits) else float("nan")


def share(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"


if __name__ == "__main__":
    main()
