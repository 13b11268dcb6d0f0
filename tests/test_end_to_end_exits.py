"""Every way out of a sitting on real ports: nothing is left sounding, nothing hangs, nothing is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import require
from improv_process import ImprovProcess
from jack_player import JackPlayer
from midi_checks import balance, notes_of, pedals_down
from performance_fixture import human_performance
from sittings import IMPROV_CHANNEL, JACK, RETURN_WITHIN_S, elapsed_s, phrase_of, play_until, yields_s

from improv_core.midi_files import read_midi
from improv_core.notes import Performance
from improv_daemon.journal import Journal, read_journal
from improv_daemon.wire import Sounded

pytestmark = pytest.mark.usefixtures("jack_server")

JACK_LIMIT_S = 150
PLAY = ("play", *JACK, "--seed", "11")
RECORD = ("record", "kept", *JACK, "--seed", "11", "-o", "record.audio=off")
SILENT_WITHIN_S = 0.2


@pytest.fixture
def player() -> Iterator[JackPlayer]:
    with JackPlayer() as hands:
        yield hands


def short_phrases() -> list[Performance]:
    """The beginnings of the phrases of the human-like performance."""
    human = human_performance()
    return [phrase_of(human.performance, s - 0.1, s + 2.2) for s in human.phrase_starts_s[:6]]


def play_until_notes_sound_and_the_pedal_is_down(improv: ImprovProcess, player: JackPlayer) -> None:
    improv.wait_until_playing()
    player.connect()
    sounding = play_until(player, short_phrases())
    assert sounding, "no answer had a note sounding and the pedal down at once"


def the_journal(folder: Path) -> Journal:
    (path,) = (folder / "kept").glob("*/journal.jsonl")
    return read_journal(path)


def is_silent(player: JackPlayer) -> bool:
    return not balance(player.heard).hanging and not pedals_down(player.heard)


def has_journalled_an_answer(folder: Path) -> bool:
    return any(isinstance(entry.message, Sounded) for entry in the_journal(folder).entries)


def test_sigkill_of_the_mind_is_silence_at_a_listener_within_200_ms(
    player: JackPlayer, tmp_path: Path
) -> None:
    with ImprovProcess(*PLAY, folder=tmp_path) as improv:
        play_until_notes_sound_and_the_pedal_is_down(improv, player)
        assert pedals_down(player.heard) == (IMPROV_CHANNEL,)
        killed_s = time.monotonic()
        improv.process.kill()
        assert player.wait_for(lambda: is_silent(player), 2.0)
    assert elapsed_s(killed_s, player.heard[-1][0], player.stalls) < SILENT_WITHIN_S
    assert not [
        at_s for at_s, data in player.heard if data[0] & 0xF0 == 0x90 and at_s > killed_s + SILENT_WITHIN_S
    ]
    assert balance(player.heard).orphans == ()


def test_a_sitting_whose_mind_was_killed_is_finished_by_its_keeper(
    player: JackPlayer, tmp_path: Path
) -> None:
    with ImprovProcess(*RECORD, folder=tmp_path) as improv:
        play_until_notes_sound_and_the_pedal_is_down(improv, player)
        # A listener may hear the first note before the mind is told that it sounds.
        assert player.wait_for(lambda: has_journalled_an_answer(tmp_path), 2.0)
        improv.process.kill()
        assert player.wait_for(lambda: is_silent(player), 2.0)
    journal = the_journal(tmp_path)
    assert (journal.damaged, journal.lost) == (0, 0)
    assert player.wait_for(lambda: journal.path.with_name("summary.json").exists(), 10.0)
    played, answered = read_midi(journal.path.with_name("session.mid"))
    assert len(played.performance.notes) == len(notes_of(player.sent))
    assert len(answered.performance.notes) == sum(isinstance(e.message, Sounded) for e in journal.entries)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_with_status_0_and_nothing_sounds(
    player: JackPlayer, tmp_path: Path, how: signal.Signals
) -> None:
    with ImprovProcess(*PLAY, folder=tmp_path) as improv:
        play_until_notes_sound_and_the_pedal_is_down(improv, player)
        status, took_s = improv.stop(how)
        assert player.wait_for(lambda: is_silent(player), 1.0)
    assert status == 0
    assert took_s < 1.0
    assert "Traceback" not in improv.text


def test_ctrl_c_twice_ends_it_at_once_and_nothing_hangs(player: JackPlayer, tmp_path: Path) -> None:
    with ImprovProcess(*PLAY, folder=tmp_path) as improv:
        play_until_notes_sound_and_the_pedal_is_down(improv, player)
        stage = improv.stage_pid()
        improv.process.send_signal(signal.SIGINT)
        status, took_s = improv.stop()
        assert player.wait_for(lambda: is_silent(player), 1.0)
    assert status in (0, 130)
    assert took_s < 1.0
    assert "Traceback" not in improv.text
    assert player.wait_for(lambda: not Path(f"/proc/{stage}").exists(), 2.0)


def test_a_fault_in_the_mind_is_said_plainly_and_leaves_nothing_sounding(
    player: JackPlayer, tmp_path: Path
) -> None:
    program = (str(Path(__file__).with_name("failing_mind.py")),)
    with ImprovProcess(*RECORD, folder=tmp_path, program=program) as improv:
        improv.wait_until_playing()
        player.connect()
        play_until(player, short_phrases()[:1], wanted_pedal=False)
        status = improv.wait(10)
        assert player.wait_for(lambda: is_silent(player), 1.0)
    assert status == 1
    assert "improv has met an error of its own and stops" in improv.text
    assert "Traceback" not in improv.text
    (log,) = (tmp_path / "home").rglob("error-*.txt")
    assert str(log) in improv.text
    assert "a fault of the test's making" in log.read_text(encoding="utf-8")
    journal = the_journal(tmp_path)
    assert (journal.damaged, journal.torn, journal.lost) == (0, False, 0)
    assert journal.path.with_name("session.mid").is_file()


def test_the_players_return_silences_notes_and_pedal_within_20_ms(player: JackPlayer, tmp_path: Path) -> None:
    with ImprovProcess(*PLAY, folder=tmp_path) as improv:
        play_until_notes_sound_and_the_pedal_is_down(improv, player)
        player.play([(time.monotonic(), (0x90, 60, 80))])
        player.wait_until(time.monotonic() + RETURN_WITHIN_S)
        player.play([(time.monotonic(), (0x80, 60, 0))])
        latencies_s = yields_s(player.sent, player.heard, player.stalls)
        assert improv.stop()[0] == 0
    assert latencies_s[-1] < 0.020


def test_improv_with_its_output_in_its_own_input_does_not_answer_itself(
    player: JackPlayer, tmp_path: Path
) -> None:
    require(shutil.which("jack_connect"), "no jack_connect: apt install jackd2")
    with ImprovProcess(*PLAY, "-o", "answer.length_max_s=1.5", folder=tmp_path) as improv:
        improv.wait_until_playing()
        player.connect()
        ports = subprocess.run(["jack_lsp"], capture_output=True, text=True, check=True).stdout.split("\n")
        (out,) = [name for name in ports if name.endswith(":improv out")]
        (in_,) = [name for name in ports if name.endswith(":improv in")]
        subprocess.run(["jack_connect", out, in_], check=True)
        play_until(player, short_phrases()[:1], wanted_pedal=False)
        last_sent_s = player.sent[-1][0]
        assert player.wait_for_quiet(last_sent_s, 3.0, 20.0)
        assert improv.stop()[0] == 0
        text = improv.text
    assert text.count("you  ") == 1, "improv heard itself as the player"
    assert "yielded" not in text


# The last one: a JACK server minds it for a while when a client is killed in the middle of a cycle.
def test_sigkill_of_the_stage_ends_the_mind_with_a_plain_message_and_a_whole_journal(
    player: JackPlayer, tmp_path: Path
) -> None:
    with ImprovProcess(*RECORD, folder=tmp_path) as improv:
        play_until_notes_sound_and_the_pedal_is_down(improv, player)
        assert player.wait_for(lambda: has_journalled_an_answer(tmp_path), 2.0)
        os.kill(improv.stage_pid(), signal.SIGKILL)
        status = improv.wait(10)
    assert status == 1
    assert "The stage process, which holds the MIDI ports, has ended" in improv.text
    assert "Traceback" not in improv.text
    journal = the_journal(tmp_path)
    assert (journal.damaged, journal.torn, journal.lost) == (0, False, 0)
    played, answered = read_midi(journal.path.with_name("session.mid"))
    assert len(played.performance.notes) == len(notes_of(player.sent))
    assert answered.performance.notes
