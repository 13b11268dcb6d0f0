"""Settings reach the parts that play."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playing import Room, model_of, model_that_plays, packaged_model
from scripted_improviser import ScriptedImproviser
from window_models import representations

from improv_core.errors import ConfigError, ModelFileError
from improv_core.improviser import Improviser
from improv_core.improvising import Ask, MemorySettings
from improv_core.representation import STYLES, Frames, Piano, Symbols
from improv_core.representation.asking import FREE_STYLE
from improv_core.sampler import Sampling as SamplingOfTheImproviser
from improv_core.turns import TurnBounds
from improv_core.window_improviser import WindowImproviser
from improv_daemon.building import improviser_of, partner_of, stage_config_of
from improv_daemon.partner import AnswerEnded, CallHeard, Notice, memory_of, sampling_of
from improv_daemon.partner.notices import Drawn
from improv_daemon.partner.partner import bounds_of
from improv_daemon.settings import Answer, Memory, Ports, Sampling, Settings, Sound, Turn
from improv_daemon.stage.config import StageConfig


def test_the_range_and_the_window_are_the_improvisers() -> None:
    settings = Settings(sampling=Sampling(lowest_pitch=60, highest_pitch=62), memory=Memory(window_notes=16))
    improviser = improviser_of(settings, model_that_plays(dt=200), seed=3)
    assert isinstance(improviser, Improviser)
    improviser.begin_turn(1, 0.0)
    notes = [improviser.draw(0.2 * i, 0.2 * i + 1) for i in range(30)]
    improviser.close_turn({note.index: (note.onset_s, note.release_s) for note in notes})
    assert {note.pitch for note in notes} <= {60, 61, 62}
    assert len(improviser.window) == 16


def test_a_model_of_another_representation_gets_an_improviser_that_reads_the_window_anew() -> None:
    settings = Settings(memory=Memory(window_notes=16))
    assert isinstance(improviser_of(settings, packaged_model(), seed=3), Improviser)
    for representation in representations().values():
        improviser = improviser_of(settings, model_of(representation, preset="x"), seed=3)
        assert isinstance(improviser, WindowImproviser)
        for i in range(20):
            improviser.press(60, 64, 0.2 * i)
            improviser.release(60, 0.2 * i + 0.1)
        assert len(improviser._window) == 16


def test_a_model_without_a_vocabulary_is_refused() -> None:
    model = model_of(Symbols("pitches", 5), preset="symbols")
    with pytest.raises(
        ModelFileError, match=r"^The model 'default' has learned no symbol, .*; train it on more\.$"
    ):
        improviser_of(Settings(), model, seed=3)


def test_a_range_without_a_key_of_the_piano_is_refused_where_the_model_knows_no_other() -> None:
    model = model_of(Frames(), preset="frames")
    for lowest_pitch, highest_pitch in ((0, 20), (109, 127)):
        settings = Settings(sampling=Sampling(lowest_pitch=lowest_pitch, highest_pitch=highest_pitch))
        with pytest.raises(ConfigError, match=r"plays the keys of a piano \(21 to 108\), none of which"):
            improviser_of(settings, model, seed=3)
    one_key = Settings(sampling=Sampling(lowest_pitch=0, highest_pitch=21))
    assert isinstance(improviser_of(one_key, model, seed=3), WindowImproviser)


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
    call, answer = (notice for notice in notices if not isinstance(notice, Drawn))
    assert isinstance(call, CallHeard)
    assert isinstance(answer, AnswerEnded)
    assert 4.8 <= answer.length_s <= 5.1


@pytest.mark.parametrize(("style", "read_as"), [("pop", STYLES.index("pop")), ("free", FREE_STYLE)])
def test_the_first_call_is_read_in_the_style_that_is_set_as_the_later_ones_are(
    style: str, read_as: int
) -> None:
    improviser = improviser_of(Settings(answer=Answer(style=style)), packaged_model(), 1)
    assert isinstance(improviser, Improviser)
    Room(partner_of(Settings(answer=Answer(style=style)), improviser, lambda notice: None)).call(60, 64, 67)
    column = [column.name for column in Piano.columns].index("style")
    assert [int(step.columns[0, column]) for step in improviser.window[:3]] == [read_as] * 3


def test_style_and_density_are_asked_of_each_answer() -> None:
    settings = Settings(answer=Answer(style="pop", density_ratio=2.0, length_min_s=3.0))
    improviser = ScriptedImproviser(0.5, endless=True)
    room = Room(partner_of(settings, improviser, lambda notice: None))
    room.call(60, 64, 67, 72, 76)
    room.run_for(8.0)
    room.call(60)
    room.run_for(8.0)
    dense, one_note = improviser.asks
    assert dense == Ask("pop", pytest.approx(8.0), 3.0)
    assert one_note == Ask("pop", None, 3.0)


def test_the_defaults_of_settings_and_of_the_parts_are_the_same() -> None:
    assert bounds_of(Settings()) == TurnBounds()
    assert sampling_of(Settings()) == SamplingOfTheImproviser()
    assert memory_of(Settings()) == MemorySettings(512, window_s=600.0, own_weight=0.5, follow=0.2)
    assert stage_config_of(Settings()) == StageConfig()


def test_ports_and_sound_reach_the_stage() -> None:
    settings = Settings(
        ports=Ports(name="duo", input="keys", output="synth", virtual=False, channel=5),
        sound=Sound(
            enabled="off",
            voice="piano",
            soundfont="a.sf2",
            driver="jack",
            gain=0.7,
            reverb=0.1,
            player=False,
        ),
    )
    expected = replace(
        StageConfig(name="duo", input="keys", output="synth", virtual=False, channel=5),
        sound="off",
        voice="piano",
        soundfont="a.sf2",
        driver="jack",
        gain=0.7,
        reverb=0.1,
        sound_player=False,
    )
    assert stage_config_of(settings) == expected
