"""A foot controller on real ports: each of its switches does what it says, and leaves nothing sounding."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from improv_process import ImprovProcess
from jack_player import JackPlayer, Timed
from midi_checks import balance
from sittings import JACK

SWITCHES = {"panic": 20, "mute": 21, "again": 22, "another": 23, "loop": 24, "undo": 25}
CONTROLS = [part for cue, number in SWITCHES.items() for part in ("-o", f"controls.{cue}=cc {number}")]
SHORT = ("-o", "answer.length_min_s=1", "-o", "answer.length_max_s=1")
PHRASE = ((60, 0.0), (64, 0.15), (67, 0.3), (72, 0.45))
ANSWER_WITHIN_S = 6.0
QUIET_S = 0.5
LISTENED_S = 1.5


class Stage:
    """The player's hands and foot, and what comes back."""

    def __init__(self, player: JackPlayer) -> None:
        self._player = player
        self._since_s = 0.0

    def phrase(self) -> None:
        start_s = time.monotonic() + 0.02
        notes: list[Timed] = []
        for pitch, at_s in PHRASE:
            notes += [(start_s + at_s, (0x90, pitch, 70)), (start_s + at_s + 0.1, (0x80, pitch, 0))]
        self._player.play(notes)
        self._since_s = start_s + PHRASE[-1][1]
        self._player.wait_until(self._since_s)

    def step_on(self, cue: str) -> None:
        self._since_s = time.monotonic()
        number = SWITCHES[cue]
        self._player.play([(self._since_s, (0xB0, number, 127)), (self._since_s + 0.05, (0xB0, number, 0))])

    def struck(self) -> list[int]:
        """improv's pitches since the player did something last."""
        return [data[1] for at_s, data in self._player.heard if at_s > self._since_s and is_note_on(data)]

    def begins(self, notes: int = 1, within_s: float = ANSWER_WITHIN_S) -> bool:
        return self._player.wait_for(lambda: len(self.struck()) >= notes, within_s)

    def to_its_end(self) -> list[int]:
        """All of what begins now."""
        assert self.begins()
        assert self._player.wait_for_quiet(self._since_s, QUIET_S, 20.0)
        assert not balance(self._player.heard).hanging
        return self.struck()


def is_note_on(data: tuple[int, ...]) -> bool:
    return data[0] & 0xF0 == 0x90 and data[2] > 0


@pytest.mark.usefixtures("jack_server")
def test_every_switch_of_a_foot_controller_does_what_it_says(tmp_path: Path) -> None:
    options = (*JACK, "--seed", "7", *SHORT, *CONTROLS)
    with ImprovProcess("play", *options, folder=tmp_path) as improv, JackPlayer() as player:
        improv.wait_until_playing()
        player.connect()
        stage = Stage(player)
        stage.step_on("again")
        improv.wait_for_text("I have played nothing yet that I could play again.")
        stage.phrase()
        answer = stage.to_its_end()
        stage.step_on("again")
        assert stage.to_its_end() == answer
        stage.step_on("another")
        other = stage.to_its_end()
        assert other != answer
        stage.step_on("loop")
        assert stage.begins(2 * len(other) + 1, 20.0)
        assert stage.struck()[: 2 * len(other)] == 2 * other
        stage.step_on("loop")
        player.wait_for_quiet(time.monotonic(), QUIET_S, 20.0)
        stage.step_on("mute")
        stage.phrase()
        assert not stage.begins(within_s=LISTENED_S)
        stage.step_on("mute")
        stage.phrase()
        assert stage.begins()
        stage.step_on("undo")
        improv.wait_for_text("The last turn is forgotten.")
        assert player.wait_for(lambda: not balance(player.heard).hanging, 1.0)
        stage.phrase()
        assert stage.begins()
        stage.step_on("panic")
        assert player.wait_for(lambda: not balance(player.heard).hanging, 1.0)
        assert not stage.begins(within_s=LISTENED_S)
        assert improv.stop(signal.SIGINT)[0] == 0
        assert not balance(player.heard).hanging
    assert "Traceback" not in improv.text
