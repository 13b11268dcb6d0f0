"""A whole sitting on real ports: played by another process, answered, recorded."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from improv_process import ImprovProcess, run_improv
from jack_player import JackPlayer
from midi_checks import balance, distinct_velocities, notes_of, pedals_down, polyphony
from performance_fixture import human_performance
from sittings import (
    IMPROV_CHANNEL,
    JACK,
    Sitting,
    converse,
    is_realtime,
    is_recorded,
    phrase_of,
    unanswered,
    undisturbed_sitting,
    yields_s,
)
from sound_checks import decoded_mp3, installed_soundfont

from improv_core.midi_files import read_midi
from improv_core.notes import PEDAL_DOWN_FROM, Performance
from improv_daemon.rendering import TAIL_S

JACK_LIMIT_S = 150


def human_phrases(*numbers: int) -> list[Performance]:
    human = human_performance()
    return [
        phrase_of(human.performance, human.phrase_starts_s[n] - 0.1, human.phrase_ends_s[n] + 0.1)
        for n in numbers
    ]


@pytest.fixture(scope="module")
def sitting(jack_server: str, tmp_path_factory: pytest.TempPathFactory) -> Sitting:
    """Two phrases and a held chord, each answered; the first answer is interrupted."""
    installed_soundfont()
    folder = tmp_path_factory.mktemp("sitting")
    phrases = human_phrases(0, 1, 6)
    return undisturbed_sitting(folder, phrases, "--seed", "7", interrupt=frozenset({0}))


def test_improv_says_where_it_listens_and_plays_and_how_to_stop(sitting: Sitting) -> None:
    opening = sitting.text.splitlines()[:3]
    assert opening == [
        'improv listens to "improv in".',
        'It plays to "improv out".',
        "Model default, mode answer. Ctrl-C stops.",
    ]


def test_every_call_is_answered(sitting: Sitting) -> None:
    assert len(sitting.calls) == 3
    assert unanswered(sitting.calls, sitting.heard) == ()


def test_answers_are_polyphonic_and_vary_in_velocity(sitting: Sitting) -> None:
    answers = notes_of(sitting.heard)
    assert polyphony(answers) >= 2
    assert distinct_velocities(answers) >= 8


def test_answers_are_pedalled(sitting: Sitting) -> None:
    values = [data[2] for _, data in sitting.heard if data[:2] == (0xB0 | IMPROV_CHANNEL, 64)]
    assert max(values) >= PEDAL_DOWN_FROM
    assert values[-1] == 0


def test_answers_are_on_a_channel_of_their_own(sitting: Sitting) -> None:
    assert {data[0] & 0x0F for _, data in sitting.heard} == {IMPROV_CHANNEL}


def test_every_note_on_has_its_note_off_and_the_pedal_ends_up(sitting: Sitting) -> None:
    found = balance(sitting.heard)
    assert (found.hanging, found.orphans, found.struck_twice) == ((), (), ())
    assert pedals_down(sitting.heard) == ()


def test_an_answer_stops_within_20_ms_of_the_players_return(sitting: Sitting) -> None:
    latencies_s = yields_s(sitting.sent, sitting.heard, sitting.stalls)
    assert latencies_s
    assert max(latencies_s) < 0.020


def test_ctrl_c_ends_the_sitting_with_status_0(sitting: Sitting) -> None:
    assert sitting.status == 0
    assert "Traceback" not in sitting.text
    kept = Path("kept", sitting.midi.parent.name)
    assert f"Kept {kept}: session.mid and session.mp3 (" in sitting.text


def test_the_journal_of_the_sitting_is_whole(sitting: Sitting) -> None:
    assert (sitting.journal.damaged, sitting.journal.torn, sitting.journal.lost) == (0, False, 0)


def test_the_two_tracks_match_what_was_sent_and_received_within_5_ms(
    sitting: Sitting, jack_process: subprocess.Popen[bytes]
) -> None:
    player, improv = read_midi(sitting.midi)
    assert (player.name, improv.name) == ("player", "improv")
    realtime = is_realtime(jack_process.pid)
    assert is_recorded(sitting.sent, sitting, player.performance.notes, realtime=realtime)
    assert is_recorded(sitting.heard, sitting, improv.performance.notes, realtime=realtime)


def test_the_mp3_is_as_long_as_the_sitting_neither_silent_nor_clipped(sitting: Sitting) -> None:
    tracks = read_midi(sitting.midi)
    end_s = max(track.performance.end_s for track in tracks)
    sound = decoded_mp3(sitting.mp3)
    assert sound.duration_s == pytest.approx(end_s + TAIL_S, abs=0.1)
    assert sound.rms > 0.01
    assert 0.1 < sound.peak < 0.98
    first_s = min(note.onset_s for track in tracks for note in track.performance.notes)
    assert sound.first_above(0.01) == pytest.approx(first_s, abs=0.06)


@pytest.mark.usefixtures("jack_server")
def test_play_ends_with_status_0_within_a_second_of_ctrl_c_even_in_the_middle_of_an_answer(
    tmp_path: Path,
) -> None:
    with ImprovProcess("play", *JACK, folder=tmp_path) as improv, JackPlayer() as player:
        improv.wait_until_playing()
        player.connect()
        (phrase,) = human_phrases(0)
        converse(player, [phrase_of(phrase, 0.0, 2.0)], interrupt=frozenset({0}))
        assert balance(player.heard).hanging
        status, took_s = improv.stop(signal.SIGINT)
        assert player.wait_for(lambda: not balance(player.heard).hanging, 1.0)
    assert status == 0
    assert took_s < 1.0
    assert pedals_down(player.heard) == ()


@pytest.mark.usefixtures("jack_server")
def test_ports_of_other_programs_are_listed_and_a_missing_one_is_told_of_with_the_list(
    tmp_path: Path,
) -> None:
    wanted = ("-o", "ports.input=piano out, organ")
    with ImprovProcess("play", *JACK, "-o", "ports.name=Stage Piano", folder=tmp_path) as piano:
        piano.wait_until_playing()
        listed = run_improv("ports", "-o", "ports.api=jack", *wanted, folder=tmp_path)
        with ImprovProcess("play", *JACK, *wanted, folder=tmp_path) as improv:
            improv.wait_for_text('There is no MIDI input called "organ" (there are: ')
            improv.wait_until_playing()
            assert improv.stop()[0] == 0
        assert piano.stop()[0] == 0
    inputs, _, outputs = listed.stdout.partition("Outputs (--out):\n")
    assert listed.returncode == 0
    assert ":Stage Piano out   <- improv listens to it\n" in inputs
    assert ":Stage Piano in\n" in outputs
    assert 'There is no MIDI input called "organ" (there are: ' in outputs
    assert ':Stage Piano out"); it is taken up when it appears.' in improv.text
