from __future__ import annotations

import numpy as np
import pytest
from tiny_corpora import make_corpus

from improv_core.errors import DataError
from improv_core.notes import Note, Performance
from improv_core.representation import Piano, Symbols
from improv_training.vocabulary import draw_openings, learn_vocabulary


def melody(*pitches: int) -> Performance:
    return Performance.of(Note(pitch, 64, i * 0.5, 0.4) for i, pitch in enumerate(pitches))


def corpus() -> object:
    pieces = {"a.mid": melody(60, 62, 60, 62, 64), "b.mid": melody(60, 65, 60, 62)}
    return make_corpus(pieces, {"b.mid": "validation"})


def test_a_vocabulary_is_learned_from_the_train_split_and_what_it_misses_is_said() -> None:
    learned, sentence = learn_vocabulary(Symbols("pitches", min_count=2), [corpus()])
    assert isinstance(learned, Symbols)
    assert learned.table == ("C4", "D4")
    assert sentence == (
        "Vocabulary: 2; it lacks 20.0% of the notes of the train split and 25.0% of the notes of the "
        "validation split."
    )


def test_what_has_no_vocabulary_stays_as_it_is() -> None:
    assert learn_vocabulary(Piano(), [corpus()]) == (Piano(), None)


def test_music_without_repetition_is_too_little() -> None:
    with pytest.raises(DataError, match=r"No note or chord comes 5 times in the train split"):
        learn_vocabulary(Symbols("pitches", min_count=5), [corpus()])


def test_openings_are_the_beginnings_of_training_pieces() -> None:
    tiny = corpus()
    openings = draw_openings([tiny], count=4, length=3, seed=1)
    assert openings == [tiny.rows[:3, :5].tolist()]
    assert np.array(openings[0])[:, 2].tolist() == [60, 62, 60]
    assert draw_openings([tiny], count=0, length=3, seed=1) == []
