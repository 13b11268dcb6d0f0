"""Sessions at real ports."""

from __future__ import annotations

from pathlib import Path

import pytest
from improv_process import ImprovProcess
from jack_player import JackPlayer, Timed
from kept_sessions import recorded_session, session_folder
from midi_checks import balance, pedals_down

from improv_daemon.journal import performances, read_journal

pytestmark = pytest.mark.usefixtures("jack_server")

OUTPUTS = ("--no-sound", "--set", "ports.api=jack")
CONNECTED_AFTER_S = "1.5"
PLAYED_WITHIN_S = 40.0
LONG_ENOUGH_S = 3.5
TOLERANCE_S = 0.02


def onsets(messages: list[Timed], channel: int) -> list[tuple[int, float]]:
    """Pitch and time of each note-on of a channel."""
    return [(data[1], at_s) for at_s, data in messages if data[0] == 0x90 | channel and data[2] > 0]


def test_a_session_is_played_again_at_its_pace_to_real_ports(tmp_path: Path) -> None:
    folder = recorded_session(session_folder(tmp_path / "sessions"), calls=1, within_s=LONG_ENOUGH_S)
    player, improv = performances(read_journal(folder.journal))
    again = ("sessions", "replay", "last", *OUTPUTS, "--after", CONNECTED_AFTER_S)
    with ImprovProcess(*again, folder=tmp_path) as process, JackPlayer() as listener:
        listener.connect()
        status = process.wait(timeout_s=PLAYED_WITHIN_S)
        heard = list(listener.heard)
    assert status == 0
    assert "Told the same again, improv does the same to the bit: " in process.text
    assert (balance(heard).hanging, pedals_down(heard)) == ((), ())
    start_s = onsets(heard, 0)[0][1] - player.notes[0].onset_s
    for channel, performance in ((0, player), (1, improv)):
        pairs = list(zip(onsets(heard, channel), performance.notes, strict=True))
        assert [pitch for (pitch, _), _ in pairs] == [note.pitch for _, note in pairs]
        errors_s = [abs(at_s - start_s - note.onset_s) for (_, at_s), note in pairs]
        assert sorted(errors_s)[len(errors_s) // 2] < TOLERANCE_S


def test_a_replay_that_is_stopped_leaves_no_note_sounding(tmp_path: Path) -> None:
    recorded_session(session_folder(tmp_path / "sessions"), calls=1, within_s=LONG_ENOUGH_S)
    again = ("sessions", "replay", "last", *OUTPUTS, "--after", CONNECTED_AFTER_S)
    with ImprovProcess(*again, folder=tmp_path) as process, JackPlayer() as listener:
        listener.connect()
        assert listener.wait_for(lambda: len(onsets(listener.heard, 0)) >= 3, PLAYED_WITHIN_S)
        status, _ = process.stop(timeout_s=10.0)
        listener.wait_for(lambda: not balance(listener.heard).hanging, 1.0)
        heard = list(listener.heard)
    assert status == 130
    assert "Stopped." in process.text
    assert (balance(heard).hanging, pedals_down(heard)) == ((), ())
