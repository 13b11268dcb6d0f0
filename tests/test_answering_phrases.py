"""Phrases of pieces, each with the one after it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from made_phrases import song
from tiny_corpora import make_corpus

from improv_core.notes import Note, Performance
from improv_core.representation import encode
from improv_training.corpora.corpus import Corpus
from improv_training.evaluation.answering.phrases import (
    BEFORE,
    choose_exchanges,
    exchanges_of,
    phrase_begins,
    phrase_of,
    sitting_of,
)


def corpus(name: str = "a", **songs: Performance) -> Corpus:
    """Pieces for the test, and one for training."""
    pieces = {f"{file}.mid": performance for file, performance in songs.items()}
    split = dict.fromkeys(pieces, "test")
    made: Corpus = make_corpus({**pieces, "t.mid": song(10, 10)}, split, name=name)
    return made


def test_a_phrase_ends_where_no_key_is_down_and_the_next_onset_is_late() -> None:
    assert phrase_begins(encode(song(10, 12))).tolist() == [0, 10, 22]
    assert phrase_begins(encode(song(10, 12, rest_s=0.45))).tolist() == [0, 22]
    assert phrase_begins(encode(song(10, 12, held=True))).tolist() == [0, 22]


def test_late_is_late_for_the_pace_of_the_piece() -> None:
    slow = Performance.of(Note(60 + i, 64, 0.9 * i + (0.9 if i >= 5 else 0), 0.3) for i in range(10))
    assert phrase_begins(encode(slow)).tolist() == [0, 10]
    slower = Performance.of(Note(60 + i, 64, 0.9 * i + (1.5 if i >= 5 else 0), 0.3) for i in range(10))
    assert phrase_begins(encode(slower)).tolist() == [0, 5, 10]


def test_each_phrase_is_followed_by_what_the_piece_goes_on_with() -> None:
    first, second = exchanges_of(corpus(one=song(10, 12, 14)), 0)
    assert (first.begin, second.begin) == (0, 10)
    assert [len(first.call), len(first.truth), len(second.call), len(second.truth)] == [10, 12, 12, 14]
    assert first.rest_s == pytest.approx(1.0)
    assert first.call.dt_ms[0] == first.truth.dt_ms[0] == 0
    np.testing.assert_array_equal(first.truth.pitch, second.call.pitch)
    assert first.before == ()
    assert [len(one) for one in second.before] == [10]
    assert first.piece == ("a", "one.mid")


def test_gestures_and_whole_sections_are_no_phrases() -> None:
    assert list(exchanges_of(corpus(one=song(10, 5, 12)), 0)) == []
    assert list(exchanges_of(corpus(one=song(10, 70, 12)), 0)) == []
    (only,) = exchanges_of(corpus(one=song(5, 10, 12)), 0)
    assert [len(one) for one in only.before] == [5]


def test_only_so_many_phrases_before_are_remembered() -> None:
    last = list(exchanges_of(corpus(one=song(*[10] * (BEFORE + 4))), 0))[-1]
    assert len(last.before) == BEFORE


def test_exchanges_come_evenly_from_corpora_and_pieces_of_the_split() -> None:
    corpora = [
        corpus("a", one=song(*[10] * 9), two=song(*[10] * 9)),
        corpus("b", three=song(10, 10)),
    ]
    chosen = choose_exchanges(corpora, "test", 7)
    assert [one.corpus for one in chosen] == ["a"] * 6 + ["b"]
    assert sorted(one.file for one in chosen) == ["one.mid"] * 3 + ["three.mid"] + ["two.mid"] * 3
    assert len({(one.file, one.begin) for one in chosen}) == 7
    again = choose_exchanges(corpora, "test", 7)
    assert [(one.file, one.begin) for one in again] == [(one.file, one.begin) for one in chosen]
    assert choose_exchanges([corpora[1]], "train", 7)[0].file == "t.mid"


def test_a_sitting_goes_through_some_phrases_of_a_piece_in_order_and_then_to_another() -> None:
    corpora = [
        corpus("a", one=song(*[10] * 9), two=song(*[10] * 9)),
        corpus("b", three=song(10, 10)),
    ]
    played = sitting_of(corpora, "test", run=3)
    assert sorted(one.file for one in played) == ["one.mid"] * 3 + ["three.mid"] + ["two.mid"] * 3
    for before, after in pairwise(played):
        assert before.file != after.file or after.begin == before.begin + 10


def test_a_phrase_is_seen_as_it_is_played() -> None:
    phrase = phrase_of(encode(song(3)))
    assert phrase.pitch.tolist() == [60, 61, 62]
    assert phrase.onset_s.tolist() == [0.0, 0.25, 0.5]
    assert phrase.duration_s.tolist() == [0.2, 0.2, 0.2]
