"""What phrases have in common."""

from __future__ import annotations

import pytest
from made_phrases import line

from improv_core.heard import HeardNote
from improv_core.improvising import PlannedNote
from improv_core.motifs import Phrase, found, grams, motif_overlap, opening, repeats
from improv_core.notes import Part


def test_notes_of_a_chord_are_one_onset_from_low_to_high_whichever_came_first() -> None:
    rolled = Phrase.of([(0.02, 60, 50, 1.0), (0.0, 67, 60, 1.0), (0.045, 64, 40, 1.0), (0.5, 72, 70, 0.5)])
    assert rolled.pitch.tolist() == [60, 64, 67, 72]
    assert rolled.velocity.tolist() == [50, 40, 60, 70]
    assert rolled.onset_s.tolist() == [0.0, 0.0, 0.0, 0.5]
    assert rolled.onsets_s.tolist() == [0.0, 0.5]
    assert rolled.rhythms == (0, 0, 2)


def test_heard_and_planned_notes_are_phrases_and_a_held_key_lasts_to_the_end() -> None:
    heard = Phrase.heard(
        [HeardNote(Part.PLAYER, 60, 70, 1.0, None), HeardNote(Part.PLAYER, 64, 71, 1.5, 1.0)]
    )
    assert heard.duration_s.tolist() == [1.5, 1.0]
    planned = Phrase.planned([PlannedNote(1, 0, 60, 70, 0, 1.0, 2.5), PlannedNote(1, 1, 64, 71, 0, 1.5, 2.5)])
    assert planned.duration_s.tolist() == [1.5, 1.0]
    assert planned.pitch.tolist() == heard.pitch.tolist() == [60, 64]


def test_there_may_be_no_note_or_one() -> None:
    for empty in (Phrase.heard([]), line(60)):
        assert empty.intervals == empty.rhythms == ()
        assert empty.motifs == empty.shingles == frozenset()
        assert repeats(empty) == 0
        assert opening(empty) == ()
        assert len(empty.onsets_s) == len(empty)


def test_rhythm_is_shorter_alike_or_longer_than_the_time_before() -> None:
    phrase = line(60, 62, 64, 65, 67, gaps_s=(0.5, 0.25, 0.3, 0.6))
    assert phrase.rhythms == (2, 1, 2, 3)


@pytest.mark.parametrize(("semitones", "slower"), [(0, 1.0), (5, 1.0), (-12, 0.5), (3, 2.0)])
def test_a_motif_stays_itself_in_another_key_and_at_another_tempo(semitones: int, slower: float) -> None:
    gaps_s = (0.5, 0.25, 0.25, 0.5, 1.0)
    call = line(60, 62, 64, 60, 67, 65, gaps_s=gaps_s)
    answer = line(*(call.pitch + semitones).tolist(), gaps_s=[slower * gap for gap in gaps_s], from_s=7.0)
    assert len(call.motifs) == 3
    assert motif_overlap(answer, call) == 1


def test_motif_overlap_is_the_share_of_the_first_that_is_in_the_second() -> None:
    call, answer = line(60, 62, 64, 65), line(60, 62, 64, 65, 60)
    assert motif_overlap(answer, call) == 1 / 2
    assert motif_overlap(call, answer) == 1
    assert motif_overlap(line(60, 61), call) == 0


def test_the_same_pitches_in_another_rhythm_share_shingles_but_no_motif() -> None:
    pitches = (60, 62, 64, 65, 67, 69, 71, 72, 74)
    even, dotted = line(*pitches), line(*pitches, gaps_s=(0.5, 0.1) * 4)
    assert motif_overlap(dotted, even) == 0
    assert len(dotted.shingles) == 2
    assert found(dotted.shingles, even.shingles) == 1


def test_repeats_are_runs_that_were_there_before() -> None:
    assert repeats(line(*(60, 62, 64, 62) * 4)) == pytest.approx(1 - 4 / 12)
    assert repeats(line(60, 61, 63, 66, 70, 75, 81)) == 0


def test_runs_and_what_is_found_of_them() -> None:
    assert grams((1, 2, 3), 2) == [(1, 2), (2, 3)]
    assert grams((1,), 2) == []
    assert found([(1, 2), (2, 3)], {(2, 3)}) == 0.5
    assert found([], {(2, 3)}) == 0


def test_the_opening_gesture_is_that_of_the_highest_voice() -> None:
    chords = Phrase.of(
        [(0.0, 48, 60, 1.0), (0.0, 72, 60, 0.2), (0.5, 74, 60, 0.2), (1.0, 50, 60, 1.0), (1.0, 71, 60, 0.2)]
    )
    assert opening(chords) == (2, -3)
    assert opening(line(60, 62, 64, 65, 67)) == (2, 2, 1)
