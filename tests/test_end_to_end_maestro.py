"""A real human performance, played into improv on real ports by another process, and recorded."""

from __future__ import annotations

import subprocess

import pytest
from maestro import piece_of_the_test_split
from midi_checks import balance, distinct_velocities, notes_of, pedals_down, polyphony
from sittings import (
    Sitting,
    is_realtime,
    is_recorded,
    phrases_at_gaps,
    unanswered,
    undisturbed_sitting,
    yields_s,
)
from sound_checks import decoded_mp3, installed_soundfont

from improv_core.midi_files import read_midi, read_performance
from improv_core.notes import PEDAL_DOWN_FROM
from improv_daemon.rendering import TAIL_S

JACK_LIMIT_S = 150


@pytest.fixture(scope="module")
def sitting(jack_server: str, tmp_path_factory: pytest.TempPathFactory) -> Sitting:
    """The first three phrases of a test piece; the first answer is interrupted by the second phrase."""
    installed_soundfont()
    folder = tmp_path_factory.mktemp("sitting")
    piece = read_performance(piece_of_the_test_split(folder))
    return undisturbed_sitting(folder, phrases_at_gaps(piece)[:3], interrupt=frozenset({0}))


def test_every_phrase_of_a_real_performance_is_answered(sitting: Sitting) -> None:
    assert len(sitting.calls) == 3
    assert unanswered(sitting.calls, sitting.heard) == ()
    assert sitting.status == 0


def test_answers_to_it_are_polyphonic_varied_and_pedalled(sitting: Sitting) -> None:
    answers = notes_of(sitting.heard)
    assert polyphony(answers) >= 2
    assert distinct_velocities(answers) >= 8
    assert any(data[1] == 64 and data[2] >= PEDAL_DOWN_FROM for _, data in sitting.heard if data[0] == 0xB1)


def test_nothing_is_left_sounding_after_it(sitting: Sitting) -> None:
    found = balance(sitting.heard)
    assert (found.hanging, found.orphans, found.struck_twice) == ((), (), ())
    assert pedals_down(sitting.heard) == ()


def test_an_answer_to_it_stops_within_20_ms_of_the_players_return(sitting: Sitting) -> None:
    latencies_s = yields_s(sitting.sent, sitting.heard, sitting.stalls)
    assert latencies_s
    assert max(latencies_s) < 0.020


def test_its_recording_matches_what_was_sent_and_received_within_5_ms(
    sitting: Sitting, jack_process: subprocess.Popen[bytes]
) -> None:
    player, improv = read_midi(sitting.midi)
    realtime = is_realtime(jack_process.pid)
    assert is_recorded(sitting.sent, sitting, player.performance.notes, realtime=realtime)
    assert is_recorded(sitting.heard, sitting, improv.performance.notes, realtime=realtime)


def test_its_mp3_is_as_long_as_the_sitting_neither_silent_nor_clipped(sitting: Sitting) -> None:
    end_s = max(track.performance.end_s for track in read_midi(sitting.midi))
    sound = decoded_mp3(sitting.mp3)
    assert sound.duration_s == pytest.approx(end_s + TAIL_S, abs=0.1)
    assert 0.1 < sound.peak < 0.98
    assert sound.rms > 0.01
