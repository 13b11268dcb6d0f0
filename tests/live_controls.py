"""What a musician may change while playing, and for each how its effect is measured in the notes."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from live_measures import (
    Shows,
    density,
    differs,
    falls,
    gaps_s,
    lasting_s,
    length_s,
    longest_run,
    loudness,
    most_at_once,
    of_pitch,
    outside,
    rises,
    share_of,
    spread,
)
from live_scenes import (
    Counting,
    Scene,
    after_four_taps,
    an_answer,
    beside_the_beat_s,
    beside_the_grid_s,
    candidates,
    choosing_program,
    clicked_s,
    companions,
    likeness_to_an_old_phrase,
    mean_pitch,
    nearest_to,
    notes_after_a_return,
    notes_after_a_switch,
    notes_after_a_switch_in_an_answer,
    notes_in_answer,
    outside_the_latest_key,
    own_notes_read_again,
    pedal_moves,
    planned_ahead_s,
    players_turn_by_a_clock_s,
    players_turn_s,
    pressing,
    remembered_after_a_switch,
    sent_ahead_s,
    silence_until_improv_speaks_s,
    the_rest_of_an_answer,
    together,
    told_of_state,
    turning,
    voice,
    wait_after_a_switch_s,
    wait_s,
)
from playing import model_that_plays, model_that_plays_what_is_asked, packaged_model

from improv_core.improvising import Improvising
from improv_core.model import Model
from improv_core.representation import ATTRIBUTE_NAMES, ATTRIBUTES
from improv_daemon.settings.rules import Value

SOON: Mapping[str, Value] = {
    "turn.by_model": False,
    "turn.silence_min_s": 0.5,
    "turn.silence_max_s": 10.0,
    "turn.silence_factor": 0.5,
    "turn.max_wait_s": 0.0,
    "answer.on_pulse": False,
    "answer.candidates": 1,
    "memory.recall": 0.0,
    "memory.follow": 0.0,
    "sampling.velocity_follow": 0.0,
}
"""An answer comes half a second after the last onset, and nothing bears on it but what is measured."""

LONG: Mapping[str, Value] = {"answer.length_min_s": 9.0}
SHORT: Mapping[str, Value] = {
    "answer.length_ratio": 0.1,
    "answer.length_min_s": 1.0,
}


@dataclass(frozen=True, slots=True)
class Control:
    """A setting that is changed while playing.

    Attributes:
        before: Its value to begin with.
        after: And from the middle on.
        scene: Plays with improv, and measures something in what it plays.
        shows: Whether what was measured before the change and after it differ as they should.
        model: Of improv.
        settings: Others, to begin with, over `SOON`.
    """

    before: Value
    after: Value
    scene: Scene
    shows: Shows
    model: Model | Improvising
    settings: Mapping[str, Value] = field(default_factory=dict)


def leaning(model: Model, nats: float, **values: int) -> Model:
    """The same with attributes of which one value is so much likelier than each other, which are alike."""
    leant = copy.copy(model)
    weights, biases = list(leant.heads.weights), list(leant.heads.biases)
    for name, value in values.items():
        i = ATTRIBUTE_NAMES.index(name)
        weights[i], biases[i] = np.zeros_like(weights[i]), np.zeros_like(biases[i])
        biases[i][int(ATTRIBUTES[i].binning.bins(np.int64(value)))] = nats
    leant.heads = replace(leant.heads, weights=tuple(weights), biases=tuple(biases))
    return leant


# --- the table --------------------------------------------------------------------------------------

STEADY = model_that_plays(dt=200, duration=150, pedal=0, velocity=64)
QUICK = leaning(model_that_plays(dt=100, duration=80, pedal=0, velocity=64), 0.0, pitch=60)
FOND_OF_60 = leaning(model_that_plays(dt=100, duration=80, pedal=0), 4.0, pitch=60)
STUBBORN = leaning(model_that_plays(dt=100, duration=80, pedal=0), 5.0, pitch=60)
ANY_PITCH = leaning(STEADY, 0.0, pitch=60)
AT_ONCE = model_that_plays(dt=800, duration=150, pedal=0)
HELD: Mapping[str, Value] = {"turn.held_min_s": 0.6, "turn.held_max_s": 10.0, "turn.held_factor": 0.5}
TRADE: Mapping[str, Value] = {"mode": "trade", "trade.bars": 1}
COUNTED: Mapping[str, Value] = {**TRADE, "time.tempo_bpm": 120.0, "controls.count_in": "cc 65"}
KEY_BY_EAR: Mapping[str, Value] = {
    "sampling.scale": "auto",
    "sampling.scale_strict": True,
    "turn.silence_min_s": 1.0,
    "answer.length_max_s": 3.0,
}
CHORDS = leaning(model_that_plays(dt=100, duration=900, pedal=0), 0.0, pitch=60)
SIX_NOTES = (60, 62, 64, 65, 67, 69)
HIGH, MIDDLE = (79, 81, 83), (60, 62, 64)

CONTROLS: dict[str, Control] = {
    "mode": Control("answer", "listen", notes_in_answer, falls(4), STEADY),
    "preset": Control("", "calm", an_answer(most_at_once), falls(4), CHORDS, LONG),
    # --- voices: what the stage is told of them
    "voices.improv_program": Control(0, 12, voice("improv", "program"), rises(11), STEADY),
    "voices.player_program": Control(0, 12, voice("player", "program"), rises(11), STEADY),
    "voices.improv_pan": Control(0.0, 0.5, voice("improv", "pan"), rises(0.4), STEADY),
    "voices.player_pan": Control(0.0, -0.5, voice("player", "pan"), falls(0.4), STEADY),
    "voices.improv_volume": Control(0, 90, voice("improv", "volume"), rises(80), STEADY),
    "voices.player_volume": Control(0, 90, voice("player", "volume"), rises(80), STEADY),
    # --- turn
    "turn.silence_min_s": Control(0.4, 1.5, wait_s(), rises(0.9), STEADY),
    "turn.silence_max_s": Control(
        9.0,
        1.2,
        wait_s(gap_s=1.0),
        falls(1.4),
        STEADY,
        {"turn.silence_min_s": 1.1, "turn.silence_factor": 3.0},
    ),
    "turn.silence_factor": Control(1.5, 4.0, wait_s(gap_s=0.4), rises(0.8), STEADY),
    "turn.held_min_s": Control(1.0, 2.5, wait_s(hold=True), rises(1.2), STEADY, HELD),
    "turn.held_max_s": Control(
        9.0,
        2.0,
        wait_s(gap_s=0.6, hold=True),
        falls(1.5),
        STEADY,
        {**HELD, "turn.silence_min_s": 0.7, "turn.held_min_s": 0.7, "turn.held_factor": 7.0},
    ),
    "turn.held_factor": Control(
        2.0, 6.0, wait_s(gap_s=0.5, hold=True), rises(1.5), STEADY, {**HELD, "turn.silence_min_s": 0.6}
    ),
    "turn.by_model": Control(
        False, True, wait_s(gap_s=0.4), falls(0.5), STEADY, {"turn.silence_factor": 3.0}
    ),
    "turn.max_wait_s": Control(
        0.0,
        0.5,
        wait_s(gap_s=0.6),
        rises(0.2),
        model_that_plays(dt=1200, duration=150, pedal=0),
        {"turn.silence_min_s": 0.7, "turn.silence_factor": 1.5},
    ),
    # --- answer
    "answer.length_ratio": Control(
        0.5, 3.0, an_answer(length_s, *SIX_NOTES), rises(2.0), STEADY, {"answer.length_min_s": 0.5}
    ),
    "answer.length_min_s": Control(0.5, 5.0, an_answer(length_s), rises(3.0), STEADY, SHORT),
    "answer.length_max_s": Control(
        8.0,
        1.0,
        an_answer(length_s),
        falls(3.0),
        STEADY,
        {"answer.length_ratio": 8.0, "answer.length_min_s": 0.5},
    ),
    "answer.lookahead_s": Control(
        0.1, 1.0, sent_ahead_s, rises(0.5), model_that_plays(dt=400, duration=150, pedal=0), LONG
    ),
    "answer.max_gap_s": Control(
        0.5,
        2.0,
        an_answer(lambda notes: max(gaps_s(notes))),
        rises(0.4),
        model_that_plays(dt=1000, duration=150, pedal=0),
        LONG,
    ),
    "answer.style": Control(
        "free",
        "pop",
        an_answer(of_pitch(statistics.mean)),
        differs,
        model_that_plays_what_is_asked("style", dt=200, duration=150, pedal=0),
    ),
    "answer.density_ratio": Control(
        0.25, 4.0, an_answer(density), rises(2.0), packaged_model(), {"answer.length_min_s": 8.0}
    ),
    "answer.on_pulse": Control(
        False,
        True,
        beside_the_beat_s,
        falls(0.1),
        AT_ONCE,
        {"turn.max_wait_s": 0.8, "turn.silence_min_s": 0.7},
    ),
    "answer.candidates": Control(1, 6, candidates, rises(4), Counting()),
    # --- yielding
    "yielding.how": Control("cut", "overlap", notes_after_a_return(), rises(1), STEADY, LONG),
    "yielding.min_velocity": Control(1, 60, notes_after_a_return(velocity=40), rises(1), STEADY, LONG),
    "yielding.lowest_key": Control(0, 50, notes_after_a_return(pitch=40), rises(1), STEADY, LONG),
    "yielding.highest_key": Control(127, 80, notes_after_a_return(pitch=90), rises(1), STEADY, LONG),
    # --- trade
    "trade.seconds": Control(2.0, 6.0, players_turn_s, rises(3.9), STEADY, TRADE),
    "trade.bars": Control(1, 3, players_turn_s, rises(3.9), STEADY, {**TRADE, "time.tempo_bpm": 120.0}),
    "time.beats_per_bar": Control(
        2, 8, players_turn_s, rises(2.9), STEADY, {**TRADE, "time.tempo_bpm": 120.0}
    ),
    "time.tempo_bpm": Control(60.0, 240.0, players_turn_s, falls(2.9), STEADY, TRADE),
    # --- time
    "time.follow_clock": Control(
        True,
        False,
        players_turn_by_a_clock_s(240.0),
        rises(2.0),
        STEADY,
        {**TRADE, "time.tempo_bpm": 60.0},
    ),
    "time.metronome": Control(
        False, True, clicked_s(players_turn_s), rises(2.0), STEADY, {**TRADE, "time.tempo_bpm": 120.0}
    ),
    "time.count_in_bars": Control(1, 3, clicked_s(pressing(65, players_turn_s)), rises(3.0), STEADY, COUNTED),
    "time.grid": Control(
        "off", "1/8", beside_the_grid_s(0.25), falls(0.03), STEADY, {**TRADE, "time.tempo_bpm": 120.0}
    ),
    "time.quantise": Control(
        0.0,
        1.0,
        beside_the_grid_s(0.25),
        falls(0.03),
        STEADY,
        {**TRADE, "time.tempo_bpm": 120.0, "time.grid": "1/8"},
    ),
    # --- duet
    "duet.role": Control(
        "support", "lead", together(mean_pitch, *MIDDLE), rises(20), ANY_PITCH, {"mode": "duet"}
    ),
    "duet.plan_s": Control(
        0.03, 0.5, together(planned_ahead_s, *HIGH), rises(0.08), ANY_PITCH, {"mode": "duet"}
    ),
    "duet.distance": Control(
        0, 18, together(nearest_to(*HIGH), *HIGH), rises(6), ANY_PITCH, {"mode": "duet"}
    ),
    # --- harmonise
    "harmonise.voices": Control(
        1,
        3,
        companions(lambda _, voices: len(voices)),
        rises(1.5),
        packaged_model(),
        {"mode": "harmonise"},
    ),
    "harmonise.side": Control(
        "below",
        "above",
        companions(lambda pitch, voices: statistics.mean(voices) - pitch),
        rises(4),
        packaged_model(),
        {"mode": "harmonise"},
    ),
    # --- sampling
    "sampling.temperature": Control(
        0.05, 3.0, the_rest_of_an_answer(share_of(60)), falls(0.6), FOND_OF_60, LONG
    ),
    "sampling.temperature_pitch": Control(
        0.05, 3.0, the_rest_of_an_answer(share_of(60)), falls(0.6), FOND_OF_60, LONG
    ),
    "sampling.temperature_dt": Control(
        0.05,
        3.0,
        the_rest_of_an_answer(lambda notes: spread(gaps_s(notes))),
        rises(0.4),
        leaning(STEADY, 4.0, dt=200),
        LONG,
    ),
    "sampling.temperature_pedal": Control(
        0.05, 3.0, pedal_moves, rises(4), leaning(QUICK, 2.0, pedal=0), LONG
    ),
    "sampling.temperature_velocity": Control(
        0.05,
        3.0,
        the_rest_of_an_answer(lambda notes: spread([note.velocity // 4 for note in notes])),
        rises(0.4),
        leaning(QUICK, 4.0, velocity=64),
        LONG,
    ),
    "sampling.temperature_duration": Control(
        0.05,
        3.0,
        the_rest_of_an_answer(lambda notes: spread(lasting_s(notes))),
        rises(0.4),
        leaning(QUICK, 4.0, duration=200),
        LONG,
    ),
    "sampling.guidance": Control(
        0.0,
        2.5,
        the_rest_of_an_answer(of_pitch(statistics.mean)),
        differs,
        model_that_plays_what_is_asked("style", dt=200, duration=150, pedal=0),
        {**LONG, "answer.style": "pop"},
    ),
    "sampling.min_p": Control(0.0, 0.9, the_rest_of_an_answer(share_of(60)), rises(0.4), FOND_OF_60, LONG),
    "sampling.top_p": Control(1.0, 0.05, the_rest_of_an_answer(share_of(60)), rises(0.4), FOND_OF_60, LONG),
    "sampling.lowest_pitch": Control(21, 80, the_rest_of_an_answer(of_pitch(min)), rises(40), QUICK, LONG),
    "sampling.highest_pitch": Control(108, 50, the_rest_of_an_answer(of_pitch(max)), falls(40), QUICK, LONG),
    "sampling.scale": Control("off", "C major", the_rest_of_an_answer(outside), falls(0.15), QUICK, LONG),
    "sampling.scale_strict": Control(
        False,
        True,
        the_rest_of_an_answer(outside),
        falls(0.02),
        QUICK,
        {**LONG, "sampling.scale": "C major"},
    ),
    "sampling.velocity_follow": Control(
        0.0,
        1.0,
        an_answer(loudness, velocity=20),
        falls(50),
        model_that_plays(dt=200, duration=150, pedal=0, velocity=100),
    ),
    "sampling.polyphony": Control(
        0,
        2,
        the_rest_of_an_answer(most_at_once),
        falls(2),
        CHORDS,
        LONG,
    ),
    "sampling.loop_guard": Control(
        False, True, the_rest_of_an_answer(longest_run), falls(10), STUBBORN, LONG
    ),
    # --- memory
    "memory.window_notes": Control(
        512,
        16,
        outside_the_latest_key,
        falls(0.2),
        QUICK,
        KEY_BY_EAR,
    ),
    "memory.window_s": Control(
        600.0,
        5.0,
        outside_the_latest_key,
        falls(0.2),
        QUICK,
        KEY_BY_EAR,
    ),
    "memory.own_weight": Control(1.0, 0.0, own_notes_read_again, falls(10), STEADY),
    "memory.follow": Control(
        0.0,
        0.5,
        an_answer(share_of(60), 60, 60, 60, 60, calls=2),
        rises(0.2),
        QUICK,
        {"answer.length_min_s": 4.0, "memory.own_weight": 0.0},
    ),
    "memory.recall": Control(
        0.0, 1.0, likeness_to_an_old_phrase, rises(0.4), ANY_PITCH, {"answer.length_min_s": 3.0}
    ),
    "memory.initiative": Control(
        False, True, silence_until_improv_speaks_s, falls(60), STEADY, {"memory.initiative_after_s": 10.0}
    ),
    "memory.initiative_after_s": Control(
        60.0, 10.0, silence_until_improv_speaks_s, falls(40), STEADY, {"memory.initiative": True}
    ),
    # --- controls
    "controls.hand_over": Control(
        "", "cc 67", wait_after_a_switch_s(67), falls(0.5), STEADY, {"turn.silence_min_s": 1.0}
    ),
    "controls.next_mode": Control(
        "", "cc 66", pressing(66, notes_in_answer), rises(4), STEADY, {"mode": "listen"}
    ),
    "controls.next_preset": Control(
        "", "cc 66", pressing(66, an_answer(most_at_once)), falls(4), CHORDS, LONG
    ),
    "controls.knobs": Control(
        "",
        "cc 20 sampling.polyphony 1..4",
        turning(20, 0, the_rest_of_an_answer(most_at_once)),
        falls(4),
        CHORDS,
        LONG,
    ),
    "controls.presets_by_program": Control(
        False, True, choosing_program(1, an_answer(most_at_once)), falls(4), CHORDS, LONG
    ),
    "controls.state_turn": Control(0, 20, told_of_state(20), rises(1), STEADY),
    "controls.state_mode": Control(0, 21, told_of_state(21), rises(1), STEADY),
    "controls.count_in": Control(
        "",
        "cc 65",
        clicked_s(pressing(65, players_turn_s)),
        rises(1.0),
        STEADY,
        {**TRADE, "time.tempo_bpm": 120.0},
    ),
    "controls.panic": Control("", "cc 65", notes_after_a_switch_in_an_answer(65), falls(3), STEADY, LONG),
    "controls.mute": Control("", "cc 65", pressing(65, notes_in_answer), falls(4), STEADY),
    "controls.again": Control("", "cc 65", notes_after_a_switch(65), rises(4), STEADY),
    "controls.another": Control("", "cc 65", notes_after_a_switch(65), rises(4), STEADY),
    "controls.loop": Control("", "cc 65", notes_after_a_switch(65, seconds=20.0), rises(20), STEADY),
    "controls.undo": Control("", "cc 65", remembered_after_a_switch(65), falls(3), STEADY),
    "controls.tap": Control(
        "",
        "cc 65",
        after_four_taps(65, players_turn_s),
        falls(2.5),
        STEADY,
        {**TRADE, "time.tempo_bpm": 60.0},
    ),
}
"""Every setting that may change while improv plays."""
