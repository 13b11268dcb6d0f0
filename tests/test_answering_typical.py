"""What is usual where pieces go on."""

from __future__ import annotations

import pytest
from made_phrases import song
from tiny_corpora import make_corpus

from improv_core.ranking import TYPICAL
from improv_training.evaluation.answering.phrases import exchanges_of
from improv_training.evaluation.answering.typical import refitted, turned


def test_a_call_is_turned_with_what_the_piece_goes_on_with() -> None:
    first, second = map(turned, exchanges_of(make_corpus({"one.mid": song(12, 12, 12)}, {}), 0))
    assert first.call.pitch.tolist() == list(range(60, 72))
    assert first.answer.pitch.tolist() == list(range(72, 84))
    assert first.traits.register == 12
    assert first.traits.motifs == 1
    assert first.traits.earlier == 0
    assert second.traits.earlier == 1


def test_what_is_usual_is_counted_and_what_is_mostly_none_by_its_mean() -> None:
    found = refitted(exchanges_of(make_corpus({"one.mid": song(*[12] * 5)}, {}), 0))
    assert list(found) == list(TYPICAL)
    assert (found["register"].low, found["register"].middle, found["register"].high) == (-12, 0, 12)
    assert (found["earlier"].low, found["earlier"].middle) == (pytest.approx(0.3), 1)
    assert found["earlier"].high == 0.75
    assert found["motifs"].middle == 1
    assert [one.one_sided for one in found.values()] == [one.one_sided for one in TYPICAL.values()]
    assert [one.weight for one in found.values()] == [one.weight for one in TYPICAL.values()]
