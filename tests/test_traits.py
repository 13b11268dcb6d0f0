"""What there is to say of an answer beside its call."""

from __future__ import annotations

import math
from dataclasses import astuple

import pytest
from made_phrases import REPLY, answer, call, line

from improv_core.motifs import Phrase
from improv_core.traits import ending, notes_per_s, traits


def test_traits_of_an_answer_beside_its_call() -> None:
    told = traits(
        Phrase.heard(call((60, 64, 67, 72))),
        Phrase.planned(answer((62, 65, 69, 74, 74), gap_s=0.125, velocity=32, last_s=0.23)),
    )
    assert told.cosine == 0
    assert told.density == pytest.approx(1)  # twice as many notes a second
    assert told.velocity == -1
    assert told.register == pytest.approx(68.8 - 65.75)
    assert told.motifs == 0
    assert told.repeats == told.earlier == told.slowing == 0
    assert told.held == pytest.approx(1)


def test_the_tonic_is_more_stable_than_its_neighbour() -> None:
    heard = Phrase.heard(call())
    home, away = (traits(heard, Phrase.planned(answer((*REPLY[:-1], last)))).stability for last in (60, 61))
    assert home > 1.5
    assert away < 0


def test_density_counts_chords_by_their_notes_and_not_how_long_the_last_one_rings() -> None:
    chords = Phrase.of(
        (0.5 * i, pitch, 64, 5.0 if i == 4 else 0.4) for i in range(5) for pitch in (60, 64, 67)
    )
    assert notes_per_s(chords) == pytest.approx(6)
    assert math.isnan(notes_per_s(line(60, 62)))


def test_an_end_slows_down_and_is_held() -> None:
    slowing, held = ending(
        Phrase.of([(0.0, 60, 64, 0.2), (0.25, 62, 64, 0.2), (0.5, 64, 64, 0.2), (1.0, 60, 64, 0.4)])
    )
    assert slowing == pytest.approx(1)
    assert held == pytest.approx(1)


def test_what_is_found_in_earlier_answers_is_told() -> None:
    heard, said = Phrase.heard(call()), Phrase.planned(answer())
    assert traits(heard, said, said.shingles).earlier == 1
    assert traits(heard, said).earlier == 0


def test_of_one_note_little_can_be_told() -> None:
    told = traits(line(60), line(60))
    assert [math.isnan(value) for value in (told.density, told.motifs, told.slowing, told.held)] == [True] * 4
    assert (told.cosine, told.register, told.velocity, told.repeats) == (pytest.approx(1), 0, 0, 0)
    assert not any(math.isnan(value) for value in astuple(traits(line(*REPLY), line(*REPLY))))
