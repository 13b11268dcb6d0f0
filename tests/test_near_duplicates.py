from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_corpora import make_corpus

from improv_core.notes import Note, Performance
from improv_training.corpora.corpus import Corpus
from improv_training.corpora.near_duplicates import KeptOut, keep_out_of_test, tally
from improv_training.corpora.twins import Twin, find_twins


def work(seed: int, notes: int = 200, take: int = 0) -> Performance:
    """The notes are those of the work (``seed``); the timing and what goes wrong are those of the take."""
    written, played = np.random.default_rng(seed), np.random.default_rng((seed, take))
    tempo = 1.0
    onset_s, result = 0.0, []
    for pitch, length in zip(
        written.integers(40, 90, notes), written.choice([0.1, 0.2, 0.4], notes), strict=True
    ):
        tempo *= float(np.exp(played.normal(0, 0.03)))
        result.append(Note(int(pitch), int(played.integers(40, 90)), onset_s, 0.1))
        onset_s += float(length) * tempo + 0.04
    return Performance.of(result)


def changed(performance: Performance, *, up: int = 0, times: float = 1.0, louder: int = 0) -> Performance:
    return Performance.of(
        replace(
            note,
            pitch=note.pitch + up,
            onset_s=note.onset_s * times,
            duration_s=note.duration_s * times,
            velocity=note.velocity + louder,
        )
        for note in performance.notes
    )


def part(performance: Performance, begin: int, end: int) -> Performance:
    return Performance.of(performance.notes[begin:end])


def corpus(name: str = "songs", **places: tuple[Performance, str]) -> Corpus:
    """A corpus of named pieces with their splits."""
    made: Corpus = make_corpus(
        {file: performance for file, (performance, _) in places.items()},
        {file: split for file, (_, split) in places.items()},
        name=name,
    )
    return made


def kinds(*corpora: Corpus) -> dict[str, tuple[str, str]]:
    return {twin.file: (twin.of_file, twin.kind) for twin in find_twins(corpora).values()}


@pytest.mark.parametrize(
    "copy",
    [
        changed(work(1), up=3),
        changed(work(1), louder=20),
        changed(work(1), times=1.5),
        changed(work(1), up=-4, times=0.8, louder=-20),
        part(work(1), 40, 160),
    ],
    ids=["transposed", "louder", "slower", "all at once", "a part of it"],
)
def test_a_copy_is_found_however_it_was_changed(copy: Performance) -> None:
    songs = corpus(original=(work(1), "train"), other=(work(2), "train"), copy=(copy, "test"))
    assert kinds(songs) == {"copy": ("original", "same performance")}


def test_another_performance_of_the_work_is_told_from_a_copy() -> None:
    songs = corpus(one=(work(1), "train"), two=(work(1, take=1), "test"))
    assert kinds(songs) == {"two": ("one", "same work")}


def test_a_movement_is_found_in_the_whole_work_and_the_whole_work_by_its_movement() -> None:
    whole = Performance.of(
        [*work(1).notes, *(replace(note, onset_s=note.onset_s + 500) for note in work(2).notes)]
    )
    assert kinds(corpus(whole=(whole, "train"), one=(work(2, take=1), "test"))) == {
        "one": ("whole", "same work")
    }
    assert kinds(corpus(one=(work(2, take=1), "train"), whole=(whole, "test"))) == {
        "whole": ("one", "same work")
    }


def test_works_that_have_nothing_in_common_are_no_twins() -> None:
    assert kinds(corpus(**{f"w{i}": (work(i), "test" if i % 2 else "train") for i in range(12)})) == {}


def test_a_short_piece_of_scales_is_found_when_it_is_a_copy() -> None:
    scale = Performance.of(Note(60 + i % 8, 64, i * 0.25, 0.2) for i in range(20))
    faster = changed(scale, times=0.5)
    songs = corpus(
        a=(scale, "train"), b=(changed(scale, up=2, louder=9), "validation"), c=(faster, "validation")
    )
    assert kinds(songs) == {"b": ("a", "same performance")}


def test_a_copy_counts_before_another_performance() -> None:
    songs = corpus(
        longer=(work(1, take=1), "train"), copy=(part(work(1), 0, 180), "train"), held=(work(1), "test")
    )
    assert kinds(songs) == {"held": ("copy", "same performance")}


def test_twins_are_found_across_corpora_and_named_with_them() -> None:
    one = corpus("one", a=(work(1), "train"))
    two = corpus("two", b=(changed(work(1), up=1), "validation"))
    assert find_twins([one, two]) == {1: Twin("two", "b", "validation", "one", "a", "same performance", 1.0)}


def test_what_is_in_no_split_is_no_twin() -> None:
    assert kinds(corpus(a=(work(1), "left out"), b=(work(1), "test"))) == {}
    assert kinds(corpus(a=(work(1), "train"), b=(work(1), "left out"))) == {}


def test_no_corpora_and_empty_ones_have_no_twins() -> None:
    assert find_twins([]) == {}
    assert kinds(corpus(a=(part(work(1), 0, 5), "train"), b=(part(work(2), 0, 5), "test"))) == {}


# --- what is done about it ------------------------------------------------------------------------


def mixed() -> Corpus:
    return corpus(
        a=(work(1), "train"),
        copy=(changed(work(1), up=1), "test"),
        take=(work(1, take=1), "test"),
        other=(work(2), "test"),
        also_other=(work(3), "validation"),
    )


def places(kept: KeptOut) -> dict[str, str]:
    return {file: place for one in kept.corpora for file, place in zip(one.files, one.split, strict=True)}


def test_twins_are_left_out_of_the_test_and_training_keeps_all() -> None:
    kept = keep_out_of_test([mixed()])
    assert places(kept) == {
        "a": "train",
        "copy": "left out",
        "take": "left out",
        "other": "test",
        "also_other": "validation",
    }
    assert [twin.file for twin in kept.left_out] == ["copy", "take"]
    assert kept.stayed == ()


def test_corpora_of_one_name_are_not_mistaken_for_one_another() -> None:
    one = corpus("midi", a=(work(1), "train"), b=(work(1), "test"))
    two = corpus("midi", a=(work(2), "train"), b=(work(3), "test"))
    assert [one.split for one in keep_out_of_test([one, two]).corpora] == [
        ("train", "left out"),
        ("train", "test"),
    ]


def test_a_split_that_would_lose_everything_stays() -> None:
    takes = corpus(a=(work(1), "train"), b=(work(1, take=1), "validation"), c=(work(1, take=2), "validation"))
    kept = keep_out_of_test([takes])
    assert places(kept) == {"a": "train", "b": "validation", "c": "validation"}
    assert (kept.left_out, [twin.file for twin in kept.stayed]) == ((), ["b", "c"])


def test_what_was_found_is_counted() -> None:
    assert tally(keep_out_of_test([mixed()]).left_out) == [
        ("songs", "test", "same performance", "songs", 1),
        ("songs", "test", "same work", "songs", 1),
    ]
