"""Voices that go with a note against parallel thirds: how often they belong to the chord that is there.

    python -m bench.harmonise [--model default] [--data FOLDER] [--splits FOLDER] [--split test] [--pieces 0]

Of POP909 the melody is played as it would be live, alone or with the piano's part; the model reads what the
player plays, and in one row the voices as improv's own notes as well. Agreement is the share of chosen pitch
classes that the annotated chord has, or that sound in the rest of the arrangement. Of piano music the top
note of each chord is struck first, and agreement is with the other notes of that chord. Pieces that recur in
the training mix are left out. A note's own pitch class is nobody's choice.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from bench.corpora import add_corpora_options
from bench.tables import load_average, print_table
from improv_core.harmony import Harmoniser, Weighing
from improv_core.model import Model
from improv_daemon.models import load_model
from improv_training.corpora.corpus import SPLITS as PLACES
from improv_training.corpora.corpus import Corpus
from improv_training.corpora.loading import load_corpus
from improv_training.corpora.near_duplicates import keep_out_of_test
from improv_training.evaluation.harmonising.choosers import (
    agreement,
    annotated_key,
    by,
    diatonic,
    estimated_key,
    fixed,
)
from improv_training.evaluation.harmonising.moments import Chooser, Hands, Moment, chord_tops, played
from improv_training.evaluation.harmonising.songs import read_song

_Piece = TypeVar("_Piece")

SONGS = "pop909_main"
PIANO_MUSIC = ("piano_midi_de", "pianolatron_exp", "maestro_v2")
OURS = "improv"
CHORD_ALONE = "the chord without the model"
MODEL_ALONE = "the model without the chord"
ESTIMATED = "parallel thirds in the key so far"
ANNOTATED = "parallel thirds in the annotated key"
HEARS_ITSELF = "improv, which hears its own voices too"
STEPS = (2, 5)
"""Of the scale: a third, and a sixth for the second voice."""
CONDITIONS: dict[Hands, str] = {"melody": "POP909 melody", "both": "POP909 with piano"}


@dataclass(slots=True)
class Tally:
    """Agreement of each piece, by (who chooses, what is agreed with); voices of each note, by who chooses."""

    of_pieces: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    voices: dict[str, list[int]] = field(default_factory=dict)

    def add_all(self, who: str, what: str, chosen: Sequence[tuple[Moment, Sequence[int]]]) -> None:
        """Of a piece: with the annotated chords, if it has such, and with what really sounds."""
        self.voices.setdefault(who, []).extend(len(pitches) for _, pitches in chosen)
        chords = [agreement(pitches, m.chord) for m, pitches in chosen if pitches and m.chord is not None]
        sounds = [agreement(pitches, m.sounding) for m, pitches in chosen if pitches and m.sounding]
        if chords:
            self.of_pieces.setdefault((who, f"{what}: chord"), []).append(float(np.mean(chords)))
        if sounds:
            self.of_pieces.setdefault((who, f"{what}: sounding"), []).append(float(np.mean(sounds)))

    def cell(self, who: str, what: str) -> str:
        """Percent with its standard error over pieces."""
        shares = self.of_pieces.get((who, what))
        return "" if shares is None else percent(shares)

    def gain(self, who: str, other: str, what: str) -> str:
        """Of the same pieces, one less the other."""
        mine, others = (self.of_pieces.get((one, what)) for one in (who, other))
        return "" if mine is None or others is None else percent(np.subtract(mine, others))


def percent(shares: Sequence[float] | np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    return f"{100 * np.mean(shares):.1f} ± {100 * np.std(shares, ddof=1) / np.sqrt(len(shares)):.1f}"


def main() -> None:
    arguments = parsed()
    model = load_model(arguments.model)
    names = dict.fromkeys((SONGS, *PIANO_MUSIC, *arguments.training))
    loaded = [load_corpus(arguments.data / name, arguments.splits, arguments.cache) for name in names]
    corpora = {corpus.name: corpus for corpus in keep_out_of_test(loaded).corpora}
    songs = files_of(corpora[SONGS], arguments.split, arguments.pieces)
    tallies, times = {1: Tally(), 2: Tally()}, Times()
    for number, file in enumerate(songs, start=1):
        song = read_song(arguments.data / SONGS, file)
        for hands, what in CONDITIONS.items():
            moments = [moment for moment, _ in played(model, song, hands, None)]
            for voices, tally in tallies.items():
                in_key = diatonic(annotated_key, *STEPS[:voices])
                compare(moments, {**choosers(model, voices, times), ANNOTATED: in_key}, what, tally)
            again = played(model, song, hands, by(Harmoniser(), model, 1))
            tallies[1].add_all(HEARS_ITSELF, what, [*again])
        say(f"song {number} of {len(songs)}")
    for name in PIANO_MUSIC:
        pieces = spread([*corpora[name].pieces(arguments.split)], arguments.pieces)
        for number, notes in enumerate(pieces, start=1):
            moments = list(chord_tops(model, notes, arguments.notes))
            for voices, tally in tallies.items():
                compare(moments, choosers(model, voices, times), name, tally)
            say(f"{name}: piece {number} of {len(pieces)}")
    for voices, tally in tallies.items():
        print_tally(tally, voices)
    print_times(times)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.harmonise",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", default="default", help="default, or an .onnx model file")
    add_corpora_options(parser)
    parser.add_argument("--split", choices=PLACES, default="test", help="validation, to choose weights on")
    parser.add_argument("--pieces", type=int, default=0, help="of each corpus, spread evenly; 0: all")
    parser.add_argument("--notes", type=int, default=800, help="of each piece of piano music")
    return parser.parse_args()


def files_of(corpus: Corpus, split: str, most: int) -> list[str]:
    return spread(
        [file for file, place in zip(corpus.files, corpus.split, strict=True) if place == split], most
    )


def spread(pieces: Sequence[_Piece], most: int) -> list[_Piece]:
    """As many at most, evenly among all; 0: all of them."""
    count = min(most or len(pieces), len(pieces))
    return [pieces[len(pieces) * i // count] for i in range(count)]


def choosers(model: Model, voices: int, times: Times) -> dict[str, Chooser]:
    """Improv, its halves, and what goes along at a fixed interval: thirds, and sixths for a second voice."""
    return {
        OURS: timed(by(Harmoniser(), model, voices), times),
        CHORD_ALONE: by(Harmoniser(), None, voices),
        MODEL_ALONE: by(Harmoniser(replace(Weighing(), chord=0.0)), model, voices),
        ESTIMATED: diatonic(estimated_key, *STEPS[:voices]),
        "parallel minor thirds": fixed(*(3, 8)[:voices]),
        "parallel major thirds": fixed(*(4, 9)[:voices]),
    }


@dataclass(frozen=True, slots=True)
class Times:
    """What each choice took, seconds: by the clock, and of the processor, which others may be using too."""

    clock_s: list[float] = field(default_factory=list)
    processor_s: list[float] = field(default_factory=list)


def timed(choose: Chooser, times: Times) -> Chooser:
    def act(moment: Moment) -> Sequence[int]:
        begin_s, begin_processor_s = time.perf_counter(), time.thread_time()
        pitches = choose(moment)
        times.processor_s.append(time.thread_time() - begin_processor_s)
        times.clock_s.append(time.perf_counter() - begin_s)
        return pitches

    return act


def compare(moments: Sequence[Moment], by_whom: Mapping[str, Chooser], what: str, tally: Tally) -> None:
    for who, choose in by_whom.items():
        tally.add_all(who, what, [(moment, choose(moment)) for moment in moments])


def print_tally(tally: Tally, voices: int) -> None:
    rows = dict.fromkeys(who for who, _ in tally.of_pieces)
    columns = list(dict.fromkeys(what for _, what in tally.of_pieces))
    gains = [
        (f"{OURS} less {other}", "", *(tally.gain(OURS, other, what) for what in columns))
        for other in (ESTIMATED, ANNOTATED)
    ]
    print_table(
        (f"{voices} voice{'s' * (voices > 1)} below, % agreement", "voices a note", *columns),
        [
            (who, f"{np.mean(tally.voices[who]):.2f}", *(tally.cell(who, what) for what in columns))
            for who in rows
        ]
        + gains,
    )
    pieces = ", ".join(f"{what}: {len(tally.of_pieces[OURS, what])}" for what in columns)
    print(f"Means of pieces with their standard errors. Pieces: {pieces}.\n")


def print_times(times: Times) -> None:
    clock, processor = (np.percentile(one, [50, 99]) * 1e6 for one in (times.clock_s, times.processor_s))
    print(
        f"Choosing after the model's step, µs at p50 / p99: {clock[0]:.0f} / {clock[1]:.0f} by the clock, "
        f"{processor[0]:.0f} / {processor[1]:.0f} of the processor; {len(times.clock_s):,} notes, "
        f"load average {load_average()}.\n"
    )


def say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:<70}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
