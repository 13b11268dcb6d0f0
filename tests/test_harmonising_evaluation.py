"""Voices that go with a melody, against chords that are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from playing import packaged_model

from improv_core.harmony import Harmoniser
from improv_core.heard import HeardNote
from improv_core.midi_files import Track, write_midi
from improv_core.notes import Note, Part, Performance
from improv_core.representation import Notes
from improv_core.representation.asking import ALONE
from improv_training.evaluation.harmonising.choosers import (
    agreement,
    annotated_key,
    by,
    diatonic,
    estimated_key,
    fixed,
)
from improv_training.evaluation.harmonising.moments import Moment, chord_tops, played
from improv_training.evaluation.harmonising.songs import (
    QUALITIES,
    SCALES,
    Song,
    classes_of,
    during,
    read_song,
    read_spans,
)

C_MAJOR = frozenset({0, 2, 4, 5, 7, 9, 11})


@pytest.fixture
def song(tmp_path: Path) -> Song:
    """Four notes over two chords, and a second tune."""
    tunes = {
        "MELODY": [(72, 0.0, 0.5), (74, 0.5, 0.5), (77, 1.0, 0.5), (76, 1.5, 0.5)],
        "PIANO": [(48, 0.0, 1.0), (55, 0.0, 1.0), (53, 1.0, 1.0), (57, 1.0, 1.0)],
        "BRIDGE": [(64, 0.0, 0.4)],
    }
    tracks = [
        Track(name, Performance.of(Note(p, 80, at_s, lasts_s) for p, at_s, lasts_s in notes))
        for name, notes in tunes.items()
    ]
    write_midi(tmp_path / "001.mid", tracks)
    (tmp_path / "chord_midi.txt").write_text("0.0\t1.0\tC:maj/3\n1.0\t1.4\tF:maj7\n1.4\t3.0\tN\n")
    (tmp_path / "key_audio.txt").write_text("0.0\t1.0\tG:min\n1.0\t9.0\tC:maj\n")
    return read_song(tmp_path, "001.mid")


def moment(*pitches: int) -> Moment:
    """After these notes, with nothing known but them."""
    heard = tuple(HeardNote(Part.PLAYER, pitch, 80, i / 2) for i, pitch in enumerate(pitches))
    return Moment(heard, frozenset(), np.zeros(1, np.float32), (), None, frozenset(), None)


# --- annotations ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "classes"),
    [
        ("C:maj", {0, 4, 7}),
        ("Bb:min", {10, 1, 5}),
        ("Eb:min7/b7", {3, 6, 10, 1}),
        ("C#:sus4(b7)", {1, 6, 8, 11}),
        ("Cb:maj", {11, 3, 6}),
        ("N", set()),
    ],
)
def test_a_label_names_the_pitch_classes_of_its_chord(label: str, classes: set[int]) -> None:
    assert classes_of(label, QUALITIES) == classes


def test_spans_leave_out_what_is_no_chord(tmp_path: Path) -> None:
    (tmp_path / "chords").write_text("0.0\t1.0\tN\n1.0\t2.5\tA:min\n")
    spans = read_spans(tmp_path / "chords", QUALITIES)
    assert [during(spans, at_s) for at_s in (0.5, 1.0, 2.4, 2.5)] == [None, {9, 0, 4}, {9, 0, 4}, None]


def test_a_song_has_its_longest_key(song: Song) -> None:
    assert song.key == classes_of("C:maj", SCALES) == C_MAJOR


# --- moments --------------------------------------------------------------------------------------


def test_each_note_of_the_melody_is_a_moment(song: Song) -> None:
    moments = [one for one, _ in played(packaged_model(), song, "melody", None)]
    assert [one.note.pitch for one in moments] == [72, 74, 77, 76]
    assert [one.held for one in moments] == [{72}, {74}, {77}, {76}]
    assert [one.chord for one in moments] == [{0, 4, 7}, {0, 4, 7}, {5, 9, 0, 4}, None]
    assert [one.sounding for one in moments] == [{0, 4, 7}, {0, 7}, {5, 9}, {5, 9}]
    assert [len(one.heard) for one in moments] == [1, 2, 3, 4]


def test_with_both_hands_the_piano_is_heard_and_held(song: Song) -> None:
    second = [one for one, _ in played(packaged_model(), song, "both", None)][1]
    assert second.held == {74, 48, 55}
    assert {note.pitch for note in second.heard} == {72, 48, 55, 74}


def test_voices_that_are_chosen_are_read_as_improvs_own(song: Song) -> None:
    alone = [one for one, _ in played(packaged_model(), song, "melody", None)]
    followed = list(played(packaged_model(), song, "melody", fixed(3)))
    assert [pitches for _, pitches in followed] == [[69], [71], [74], [73]]
    parts = [note.part for note in followed[1][0].heard]
    assert parts == [Part.PLAYER, Part.IMPROV, Part.PLAYER]
    assert [one.asked[-1] for one, _ in followed] == [ALONE, 69, 71, 74]
    np.testing.assert_array_equal(followed[0][0].projected, alone[0].projected)
    assert not np.array_equal(followed[1][0].projected, alone[1].projected)


def piece(*notes: tuple[int, int, int]) -> Notes:
    """Of (onset, pitch, duration), milliseconds."""
    onset_ms, pitch, duration_ms = (np.array(column) for column in zip(*notes, strict=True))
    same = np.zeros(len(pitch), dtype=np.int64)
    return Notes(np.diff(onset_ms, prepend=onset_ms[:1]), same, pitch, same + 64, duration_ms)


def test_the_top_of_a_chord_comes_before_what_is_under_it() -> None:
    notes = piece((0, 48, 2000), (500, 60, 100), (510, 64, 100), (520, 67, 100), (900, 72, 100))
    (found,) = chord_tops(packaged_model(), notes, most_notes=100)
    assert found.note.pitch == 67
    assert found.note.onset_s == 0.5
    assert found.held == {48, 67}
    assert found.sounding == {0, 4}
    assert [note.pitch for note in found.heard] == [48, 67]


def test_chords_under_a_held_key_and_bare_octaves_are_no_moments() -> None:
    notes = piece((0, 80, 2000), (500, 60, 100), (500, 64, 100), (3000, 48, 100), (3000, 60, 100))
    assert list(chord_tops(packaged_model(), notes, most_notes=100)) == []


# --- who chooses ----------------------------------------------------------------------------------


def test_fixed_intervals_follow_the_note() -> None:
    assert fixed(3, 8)(moment(72)) == [69, 64]


def test_thirds_and_sixths_of_a_key_are_so_many_steps_below() -> None:
    choose = diatonic(lambda _: C_MAJOR, 2, 5)
    assert [choose(moment(pitch)) for pitch in (72, 74, 65)] == [[69, 64], [71, 65], [62, 57]]


def test_the_key_is_estimated_from_what_was_heard() -> None:
    assert estimated_key(moment(60, 62, 64, 65, 67, 64, 60, 71, 72)) == C_MAJOR
    assert estimated_key(moment(62, 64, 66, 67, 69, 66, 62, 73, 74)) == {(one + 2) % 12 for one in C_MAJOR}


def test_a_key_that_is_not_annotated_is_an_error() -> None:
    with pytest.raises(ValueError, match="no key is annotated"):
        annotated_key(moment(60))


def test_improv_chooses_as_many_voices_as_it_is_asked_for(song: Song) -> None:
    chosen: list[Sequence[int]] = []
    for model in (None, packaged_model()):
        choose = by(Harmoniser(), model, 2)
        chosen += [choose(one) for one, _ in played(packaged_model(), song, "both", None)]
    assert [len(set(pitches)) for pitches in chosen] == [2] * 8


def test_agreement_is_the_share_of_pitch_classes() -> None:
    assert agreement([60, 64, 66], {0, 4, 7}) == pytest.approx(2 / 3)
