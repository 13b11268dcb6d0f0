from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tiny_corpora import random_performance, write_corpus

from improv_core.errors import MidiFileError
from improv_core.representation import Events, Notes, Piano
from improv_core.representation.binning import CELL_MS
from improv_core.representation.events import OFF, SHIFT, VELOCITY, words_of
from improv_training.corpora.canonical import canonical, canonical_rows
from improv_training.corpora.encoded import FIELDS
from improv_training.corpora.fast_midi import Voice
from improv_training.corpora.loading import Reading, load_corpus

CANONICAL = Reading(canonical=True)

Key = tuple[int, float, float]
"""Pitch, onset, release."""


def voice(
    keys: Sequence[Key],
    pedal: Sequence[tuple[float, int]] = (),
    *,
    velocity: int = 64,
    name: str = "",
    program: int = 0,
    channel: int = 0,
) -> Voice:
    pitch, onset_s, release_s = zip(*keys, strict=True)
    return Voice(
        name,
        program,
        channel,
        np.array(onset_s, dtype=np.float64),
        np.array(release_s, dtype=np.float64),
        np.array(pitch),
        np.full(len(keys), velocity),
        np.array([at_s for at_s, _ in pedal], dtype=np.float64),
        np.array([value for _, value in pedal], dtype=np.int64),
    )


def rows(*voices: Voice, tracks: str = "all") -> list[list[int]]:
    """dt_ms, pedal, pitch, velocity, duration_ms of each note."""
    read = canonical_rows(voices, tracks, "file.mid")  # type: ignore[arg-type]  # a word of Tracks
    return [row[: len(FIELDS)] for row in read.tolist()]


def durations(keys: Sequence[Key], pedal: Sequence[tuple[float, int]]) -> list[int]:
    return [row[4] for row in rows(voice(keys, pedal))]


def times(keys: Sequence[Key]) -> list[tuple[int, int]]:
    return [(row[0], row[4]) for row in rows(voice(keys))]


def test_without_a_pedal_keys_sound_as_long_as_they_are_held() -> None:
    assert durations([(60, 0, 0.5), (62, 1, 1.25)], []) == [500, 250]


def test_a_key_let_go_under_the_pedal_sounds_until_it_comes_up() -> None:
    assert durations([(60, 0, 0.5), (62, 1, 1.25)], [(0.2, 127), (2, 0)]) == [2000, 1000]


def test_a_key_held_over_a_change_of_pedal_is_caught_by_the_next() -> None:
    assert durations([(60, 0, 1.5)], [(0.2, 127), (1, 0), (1.2, 127), (3, 0)]) == [3000]


def test_a_key_held_longer_than_the_pedal_ends_with_the_key() -> None:
    assert durations([(60, 0, 2)], [(0.2, 127), (1, 0)]) == [2000]


def test_a_key_let_go_before_the_pedal_goes_down_is_not_caught() -> None:
    assert durations([(60, 0, 0.5)], [(0.6, 127), (1, 0)]) == [500]


def test_sixty_four_is_down_and_sixty_three_up() -> None:
    assert durations([(60, 0, 0.5)], [(0.2, 64), (0.8, 100), (1, 63)]) == [1000]
    assert durations([(60, 0, 0.5)], [(0.2, 63), (1, 0)]) == [500]


def test_of_what_happens_at_one_time_the_pedal_comes_first() -> None:
    assert durations([(60, 0, 0.5)], [(0.5, 127), (1, 0)]) == [1000]
    assert durations([(60, 0, 0.5)], [(0.2, 127), (0.5, 0), (0.7, 127), (1, 0)]) == [500]


def test_of_two_moves_of_the_pedal_at_one_time_coming_up_is_the_last() -> None:
    for moves in ([(0.5, 127), (0.5, 0)], [(0.5, 0), (0.5, 127)]):
        assert durations([(60, 0, 0.7)], [*moves, (1, 0)]) == [700]


def test_a_pedal_that_never_comes_up_holds_until_the_last_key_or_pedal_of_all() -> None:
    assert durations([(60, 0, 0.5), (62, 1, 3)], [(0.2, 127)]) == [3000, 2000]
    assert durations([(60, 0, 0.5), (62, 1, 1.5)], [(0.2, 127), (2.5, 80)]) == [2500, 1500]


def test_a_key_struck_again_under_the_pedal_ends_there() -> None:
    assert durations([(60, 0, 0.5), (60, 1, 1.25)], [(0.2, 127), (2, 0)]) == [1000, 1000]


def test_the_pedal_of_any_voice_holds_the_keys_of_all() -> None:
    left, right = voice([(48, 0, 0.5)], [(0.2, 127), (2, 0)]), voice([(72, 0, 0.25)])
    assert rows(left, right) == [[0, 0, 48, 66, 2000], [0, 0, 72, 66, 2000]]


def test_a_note_after_the_last_move_of_the_pedal_is_as_it_was_played() -> None:
    assert durations([(60, 0, 0.5), (62, 3, 3.5)], [(0.2, 127), (1, 0)]) == [1000, 500]


def test_onsets_and_releases_go_to_the_nearest_10_ms_and_no_note_is_shorter() -> None:
    assert rows(voice([(60, 1.004, 1.246), (62, 1.016, 1.017), (64, 1.5, 1.6)])) == [
        [0, 0, 60, 66, 250],
        [20, 0, 62, 66, 10],
        [480, 0, 64, 66, 100],
    ]


def test_notes_of_one_cell_come_from_low_to_high() -> None:
    assert [row[:3] for row in rows(voice([(67, 0, 1), (60, 0.003, 1), (64, 0.004, 1)]))] == [
        [0, 0, 60],
        [0, 0, 64],
        [0, 0, 67],
    ]


@pytest.mark.parametrize(("played", "step"), [(1, 2), (3, 2), (4, 6), (64, 66), (127, 126)])
def test_velocities_are_the_middles_of_steps_of_four(played: int, step: int) -> None:
    assert rows(voice([(60, 0, 1)], velocity=played))[0][3] == step
    assert Piano().attributes[3].binning.index(step) == played // 4


def test_silences_are_10_s_and_notes_20_s_at_most() -> None:
    assert times([(60, 0, 30), (62, 25, 26)]) == [(0, 20000), (10000, 1000)]


def test_a_note_that_a_shortened_silence_reaches_ends_there() -> None:
    assert times([(60, 0, 15), (60, 25, 26)]) == [(0, 10000), (10000, 1000)]


def test_no_pedal_is_left_and_the_voices_are_otherwise_the_same() -> None:
    (one,) = canonical([voice([(60, 0, 0.5)], [(0.2, 127)], name="piano", program=3)])
    assert (one.name, one.program, len(one.pedal), len(one.pedal_s)) == ("piano", 3, 0, 0)


def test_tracks_are_chosen_first_and_by_the_notes_as_they_were_played() -> None:
    flute = voice([(84, 0, 0.4), (86, 0.5, 0.9)], [(0.2, 127), (5, 0)], program=73)
    piano = voice([(60, 0, 0.4), (64, 0.5, 0.9)], [(0.2, 127), (2, 0)], program=1)
    drums = voice([(40, 0, 9)], channel=9)
    assert [row[2:] for row in rows(flute, piano, drums, tracks="piano")] == [[60, 66, 2000], [64, 66, 1500]]
    assert [row[2:] for row in rows(flute, piano, drums, tracks="melody")] == [[84, 66, 500], [86, 66, 4500]]
    with pytest.raises(MidiFileError, match=r"^file\.mid holds no notes\.$"):
        rows(drums)


# --- the same notes, whatever reads them -----------------------------------------------------------


def notes_of_words(words: Sequence[int]) -> list[list[int]]:
    """Onset, pitch, velocity and duration of the notes that words say, in cells; by (onset, pitch)."""
    now, velocity, notes = 0, 0, list[list[int]]()
    sounding: dict[int, list[int]] = {}
    for word in words:
        if word < OFF:
            sounding[word] = [now, word, velocity, 0]
            notes.append(sounding[word])
        elif word < SHIFT:
            note = sounding.pop(word - OFF)
            note[3] = now - note[0]
        elif word < VELOCITY:
            now += word - SHIFT + 1
        else:
            velocity = word - VELOCITY
    assert not sounding
    return sorted(notes)


def notes_of_rows(notes: Notes) -> list[list[int]]:
    columns = (notes.onset_ms // CELL_MS, notes.pitch, notes.velocity // 4, notes.duration_ms // CELL_MS)
    return np.stack(columns, axis=1).tolist()


def test_words_say_the_rows_and_nothing_else(tmp_path: Path) -> None:
    pieces = {f"{i}.mid": random_performance(200, seed=i) for i in range(3)}
    corpus = load_corpus(write_corpus(tmp_path / "songs", pieces), None, tmp_path / "cache", CANONICAL)
    for i in range(3):
        notes = corpus.piece(i)
        assert notes_of_words(words_of(notes).tolist()) == notes_of_rows(notes)
        assert Events().rows(notes, np.zeros(len(notes), dtype=np.int64)).notes.sum() == len(notes)


def test_classes_and_their_widths_say_every_time(tmp_path: Path) -> None:
    pieces = {"a.mid": random_performance(200)}
    corpus = load_corpus(write_corpus(tmp_path / "songs", pieces), None, tmp_path / "cache", CANONICAL)
    notes = corpus.piece(0)
    assert not (notes.dt_ms % CELL_MS).any()
    assert not (notes.duration_ms % CELL_MS).any()
    assert not notes.pedal.any()
    for attribute, values in (("dt", notes.dt_ms), ("duration", notes.duration_ms)):
        binning = next(a for a in Piano().attributes if a.name == attribute).binning
        cells = np.arange(0, 2000) * CELL_MS
        per_class = np.bincount(binning.bins(cells[1:] if attribute == "duration" else cells))
        classes = binning.bins(values)
        inside = classes < len(per_class) - 1  # the last may reach beyond
        np.testing.assert_allclose(
            np.exp(binning.log_widths()[classes[inside]]), per_class[classes[inside]], rtol=1e-9
        )


def test_canonical_notes_have_a_cache_of_their_own(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "songs", {"a.mid": random_performance(60)})
    played = load_corpus(folder, None, tmp_path / "cache")
    form = load_corpus(folder, None, tmp_path / "cache", CANONICAL)
    again = load_corpus(folder, None, tmp_path / "cache")
    assert played.piece(0).pedal.any()
    assert not form.piece(0).pedal.any()
    np.testing.assert_array_equal(again.rows, played.rows)
    assert len(list((tmp_path / "cache").glob("*.json"))) == 2
