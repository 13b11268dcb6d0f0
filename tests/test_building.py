"""Settings reach the parts that play."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

from playing import Room, model_that_plays

from improv_core.turns import TurnBounds
from improv_daemon.building import improviser_of, partner_of, stage_config_of
from improv_daemon.partner import AnswerEnded, CallHeard, Notice
from improv_daemon.settings import Answer, Memory, Ports, Sampling, Settings, Sound, Turn
from improv_daemon.stage.config import StageConfig


def test_the_range_and_the_window_are_the_improvisers() -> None:
    settings = Settings(sampling=Sampling(lowest_pitch=60, highest_pitch=62), memory=Memory(window_notes=16))
    improviser = improviser_of(settings, model_that_plays(dt=200), seed=3)
    improviser.begin_turn(1, 0.0)
    notes = [improviser.draw(0.2 * i, 0.2 * i + 1) for i in range(30)]
    improviser.close_turn({note.index: (note.onset_s, note.release_s) for note in notes})
    assert {note.pitch for note in notes} <= {60, 61, 62}
    assert len(improviser.window) == 16


def test_the_bounds_of_turn_and_answer_are_the_partners() -> None:
    settings = Settings(
        turn=Turn(silence_min_s=2.0, silence_max_s=2.0), answer=Answer(length_min_s=5.0, length_max_s=5.0)
    )
    notices: list[Notice] = []
    model = model_that_plays(dt=100, duration=50)
    room = Room(partner_of(settings, improviser_of(settings, model, seed=3), notices.append))
    room.call(60)
    room.run_for(1.7)
    assert notices == []
    room.run_for(12.0)
    call, answer = notices
    assert isinstance(call, CallHeard)
    assert isinstance(answer, AnswerEnded)
    assert 4.8 <= answer.length_s <= 5.1


def test_the_defaults_of_settings_and_of_the_parts_are_the_same() -> None:
    turn = dataclasses.asdict(Turn())
    del turn["max_wait_s"]
    assert TurnBounds(**turn) == TurnBounds()
    assert stage_config_of(Settings()) == StageConfig()


def test_ports_and_sound_reach_the_stage() -> None:
    settings = Settings(
        ports=Ports(name="duo", input="keys", output="synth", virtual=False, channel=5),
        sound=Sound(enabled="off", soundfont="a.sf2", driver="jack", gain=0.7, player=False),
    )
    expected = replace(
        StageConfig(name="duo", input="keys", output="synth", virtual=False, channel=5),
        sound="off",
        soundfont="a.sf2",
        driver="jack",
        gain=0.7,
        sound_player=False,
    )
    assert stage_config_of(settings) == expected
