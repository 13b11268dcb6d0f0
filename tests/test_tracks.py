from __future__ import annotations

import numpy as np
import pytest

from improv_core.errors import MidiFileError
from improv_training.corpora.corpus import Tracks
from improv_training.corpora.fast_midi import Voice
from improv_training.corpora.tracks import chosen_rows, skyline


def voice(
    name: str,
    pitches: list[int],
    *,
    program: int = 0,
    channel: int = 0,
    at_a_time: int = 1,
    held_s: float = 0.5,
) -> Voice:
    """Notes twice a second, so many at a time."""
    onset_s = np.array([0.5 * (i // at_a_time) for i in range(len(pitches))])
    return Voice(
        name,
        program,
        channel,
        onset_s,
        onset_s + held_s,
        np.array(pitches),
        np.full(len(pitches), 64),
        np.zeros(0),
        np.zeros(0, dtype=np.int64),
    )


POP = (
    voice("MELODY", [72, 74, 76], program=0, channel=0),
    voice("BRIDGE", [79, 81], program=0, channel=1),
    voice("PIANO", [48, 52, 55, 50, 53, 57], program=0, channel=2, at_a_time=3),
)
BAND = (
    voice("", [84, 86, 88, 89], program=73, channel=0),  # a flute
    voice("", [60, 64, 67, 62, 65, 69], program=1, channel=1, at_a_time=3),
    voice("", [36, 38, 40], program=33, channel=2),  # a bass
    voice("", [100] * 9, program=0, channel=9),  # drums
)


def pitches(voices: tuple[Voice, ...], tracks: Tracks) -> list[int]:
    return [row[2] for row in chosen_rows(voices, tracks, "file.mid").tolist()]


def test_all_is_every_voice_but_the_drums() -> None:
    assert sorted(pitches(BAND, "all")) == [36, 38, 40, 60, 62, 64, 65, 67, 69, 84, 86, 88, 89]


def test_piano_is_what_is_called_so() -> None:
    assert pitches(POP, "piano") == [48, 52, 55, 50, 53, 57]


def test_piano_is_also_what_is_beside_it_on_a_piano_and_called_nothing_else() -> None:
    hands = (voice("Piano right", [72, 74]), voice("Fuga 3", [60, 62]), voice("Pedale", [36]))
    assert sorted(pitches(hands, "piano")) == [36, 60, 62, 72, 74]
    assert pitches((*hands[:1], voice("Flute", [90], program=73)), "piano") == [72, 74]


def test_piano_is_what_has_a_program_of_a_piano_where_nothing_is_called_so() -> None:
    assert pitches(BAND, "piano") == [60, 64, 67, 62, 65, 69]


def test_a_file_without_a_piano_says_so() -> None:
    with pytest.raises(
        MidiFileError, match=r"^file\.mid holds no piano; --tracks all reads every instrument\.$"
    ):
        chosen_rows(BAND[2:], "piano", "file.mid")


def test_melody_is_what_is_called_so_though_another_is_higher() -> None:
    assert pitches(POP, "melody") == [72, 74, 76]


@pytest.mark.parametrize("name", ["Melody", "Vocals", "Solo voice", "Lead", "LEAD guitar", "melodie"])
def test_a_melody_has_many_names(name: str) -> None:
    assert pitches((voice("Flute", [90, 91]), voice(name, [70, 71])), "melody") == [70, 71]


def test_melody_is_the_highest_of_those_that_play_one_note_at_a_time_where_nothing_is_called_so() -> None:
    chords = voice("", [90, 94, 97], at_a_time=3)
    assert pitches((chords, *BAND), "melody") == [84, 86, 88, 89]


def test_a_left_hand_that_plays_one_note_at_a_time_is_no_melody() -> None:
    right = voice("Piano right", [72, 76, 79, 74, 77, 81], at_a_time=3)
    left = voice("Piano left", [48, 50])
    assert pitches((right, left), "melody") == [79, 81]


def test_a_voice_of_a_few_notes_is_no_melody() -> None:
    bell = voice("", [100], program=14)
    melody = voice("", list(range(60, 72)), program=40)
    assert pitches((bell, melody), "melody") == list(range(60, 72))


def test_a_piano_alone_has_its_upper_line_for_a_melody() -> None:
    assert pitches((BAND[1],), "melody") == [67, 69]


def test_drums_alone_are_no_notes() -> None:
    with pytest.raises(MidiFileError, match=r"^file\.mid holds no notes\.$"):
        chosen_rows(BAND[3:], "all", "file.mid")


def test_a_voice_called_player_among_others_is_no_session() -> None:
    assert pitches((voice("player", [60]), voice("Bass", [40])), "all") == [40, 60]


def test_of_a_session_with_several_keyboards_all_of_the_players_are_read() -> None:
    session = (voice("player, upper", [72]), voice("player, lower, channel 2", [48]), voice("improv", [60]))
    assert pitches(session, "all") == [48, 72]


# --- the upper line: dt_ms, pedal, pitch, velocity, duration_ms -------------------------------------


def line(*rows: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    """(dt_ms, pitch, duration_ms) of the skyline of such."""
    columns = np.array([(dt, 0, pitch, 64, duration) for dt, pitch, duration in rows], dtype=np.int32)
    return [(row[0], row[2], row[4]) for row in skyline(columns).tolist()]


def test_of_a_chord_the_highest_stays_though_it_comes_a_little_late() -> None:
    assert line((0, 48, 400), (10, 72, 390), (10, 60, 380)) == [(0, 72, 390)]


def test_what_is_struck_under_a_higher_note_that_lasts_goes() -> None:
    assert line((0, 72, 1000), (250, 60, 200), (250, 64, 200), (500, 74, 500)) == [
        (0, 72, 1000),
        (1000, 74, 500),
    ]


def test_a_falling_line_played_legato_stays() -> None:
    assert line((0, 72, 300), (250, 71, 300), (250, 69, 250)) == [
        (0, 72, 250),
        (250, 71, 250),
        (250, 69, 250),
    ]


def test_each_note_ends_where_the_next_begins() -> None:
    assert line((0, 60, 2000), (500, 64, 2000), (500, 67, 700)) == [
        (0, 60, 500),
        (500, 64, 500),
        (500, 67, 700),
    ]
