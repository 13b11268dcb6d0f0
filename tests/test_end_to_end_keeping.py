"""Sessions as processes leave them: stopped, interrupted, killed, and kept after the fact."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from improv_process import ImprovProcess, run_improv
from pythonosc.udp_client import SimpleUDPClient
from sound_checks import decoded_mp3
from udp_ports import free_port

from improv_core.midi_files import read_midi
from improv_daemon.journal import read_journal
from improv_daemon.sessions import SessionFolder
from improv_daemon.wire import Sounded

SOLO = ("--mode", "solo", "--no-sound", "--seed", "5", "-o", "ports.api=none")
RECORD = ("record", "kept", *SOLO)
WITHIN_S = 20.0
ALL = ["journal.jsonl", "session.mid", "session.mp3", "summary.json"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at as Linux shows them")


def wait_for(condition: Callable[[], bool]) -> bool:
    limit_s = time.monotonic() + WITHIN_S
    while not condition() and time.monotonic() < limit_s:
        time.sleep(0.02)
    return condition()


def the_session(folder: Path, *others: SessionFolder) -> SessionFolder:
    """The only one, but for others."""
    (path,) = {path.parent for path in (folder / "kept").glob("*/journal.jsonl")} - {
        one.path for one in others
    }
    return SessionFolder(path)


def names(session: SessionFolder) -> list[str]:
    return sorted(path.name for path in session.path.iterdir())


def sounded(session: SessionFolder) -> int:
    """How many notes of improv's are in the journal."""
    return sum(isinstance(entry.message, Sounded) for entry in read_journal(session.journal).entries)


def wait_until_it_sounds(improv: ImprovProcess, folder: Path) -> SessionFolder:
    """Wait until improv plays and there is a sound file that will grow."""
    improv.wait_until_playing()
    session = the_session(folder)
    assert wait_for(lambda: session.audio(".part.mp3").exists() and sounded(session) > 2)
    return session


def asks_until(said: str, improv: ImprovProcess, osc: SimpleUDPClient) -> bool:
    """Whether it has said this; if not, something is asked for once more."""
    if said not in improv.text:
        osc.send_message("/improv/keep", 1.0)
        time.sleep(0.1)
    return said in improv.text


def is_of_the_journal(session: SessionFolder) -> bool:
    """Whether MIDI file and sound hold all of it."""
    (improv,) = read_midi(session.midi)
    sound = decoded_mp3(session.audio(".mp3"))
    all_notes = len(improv.performance.notes) == sounded(session)
    return all_notes and abs(sound.duration_s - improv.performance.end_s - 3.0) < 0.2 and sound.rms > 0.003


def test_a_sitting_that_was_stopped_twice_is_finished_by_its_keeper_or_can_be_later(tmp_path: Path) -> None:
    with ImprovProcess(*RECORD, folder=tmp_path) as improv:
        session = wait_until_it_sounds(improv, tmp_path)
        improv.process.send_signal(signal.SIGINT)
        assert improv.stop()[0] in (0, 130)
        assert "Traceback" not in improv.text
    if "makes the rest" in improv.text:
        assert run_improv("sessions", "recover", "last", "--folder", "kept", folder=tmp_path).returncode == 0
    assert wait_for(session.summary.exists)
    assert names(session) == ALL
    assert is_of_the_journal(session)


def test_when_keepers_are_killed_improv_plays_on_and_the_files_are_made_at_the_end(tmp_path: Path) -> None:
    with ImprovProcess(*RECORD, folder=tmp_path) as improv:
        cut_short = wait_until_it_sounds(improv, tmp_path)
        os.kill(improv.keeper_pid(), signal.SIGKILL)
        improv.process.kill()
        improv.wait(10.0)
    assert names(cut_short) == ["journal.jsonl", "session.part.mp3"]
    with ImprovProcess(*RECORD, folder=tmp_path) as improv:
        improv.wait_until_playing()
        session = the_session(tmp_path, cut_short)
        os.kill(improv.keeper_pid(), signal.SIGKILL)
        assert wait_for(lambda: sounded(session) > 1)
        assert improv.stop(timeout_s=WITHIN_S)[0] == 0
    assert "Note: The process that made the files while you played has died; another one makes them." in (
        improv.text
    )
    for said, one in (("Kept", session), ("Recovered an earlier sitting in", cut_short)):
        assert f"{said} kept/{one.name}: session.mid and session.mp3 (0:" in improv.text
        assert names(one) == ALL
        assert is_of_the_journal(one)


def test_a_folder_that_is_removed_meanwhile_is_said_and_improv_plays_on(tmp_path: Path) -> None:
    with ImprovProcess(*RECORD, folder=tmp_path) as improv:
        improv.wait_until_playing()
        shutil.rmtree(the_session(tmp_path).path)
        improv.wait_for_text("was removed while you play: what you play from now on is not kept.")
        assert improv.stop(timeout_s=WITHIN_S)[0] == 0
    assert "Traceback" not in improv.text
    assert list((tmp_path / "kept").iterdir()) == []


def test_what_improv_play_has_played_is_kept_when_it_is_wanted_and_nothing_else(tmp_path: Path) -> None:
    port = free_port()
    options = ("-o", f"controls.osc_port={port}", "-o", "record.folder=kept")
    with (
        ImprovProcess("play", *SOLO, *options, folder=tmp_path) as improv,
        SimpleUDPClient("127.0.0.1", port) as osc,
    ):
        improv.wait_until_playing()
        assert not (tmp_path / "kept").exists()
        assert wait_for(lambda: asks_until("Kept the last ", improv, osc))
        assert improv.stop(timeout_s=WITHIN_S)[0] == 0
    session = the_session(tmp_path)
    assert f" in kept/{session.name}." in improv.text
    assert f"Kept kept/{session.name}: session.mid and session.mp3 (0:" in improv.text
    assert names(session) == ALL
    assert is_of_the_journal(session)
