"""What a musician may change of the rig while playing, and how the effect of each is measured."""

from __future__ import annotations

from live_measures import falls, most_at_once, rises
from live_rig_scenes import (
    after_four_taps,
    beside_the_grid_s,
    choosing_program,
    clicked_s,
    kept_after_a_switch,
    notes_after_a_switch,
    notes_after_a_switch_in_an_answer,
    players_turn_by_a_clock_s,
    pressing,
    remembered_after_a_switch,
    told_of_state,
    turning,
    voice,
    wait_after_a_switch_s,
)
from live_scenes import an_answer, notes_in_answer, players_turn_s, the_rest_of_an_answer
from live_setups import CHORDS, COUNTED, LONG, STEADY, TRADE, Control

RIG_CONTROLS: dict[str, Control] = {
    # --- voices: what the stage is told of them
    "voices.improv_program": Control(0, 12, voice("improv", "program"), rises(11), STEADY),
    "voices.player_program": Control(0, 12, voice("player", "program"), rises(11), STEADY),
    "voices.improv_pan": Control(0.0, 0.5, voice("improv", "pan"), rises(0.4), STEADY),
    "voices.player_pan": Control(0.0, -0.5, voice("player", "pan"), falls(0.4), STEADY),
    "voices.improv_volume": Control(0, 90, voice("improv", "volume"), rises(80), STEADY),
    "voices.player_volume": Control(0, 90, voice("player", "volume"), rises(80), STEADY),
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
    "controls.keep": Control("", "cc 65", kept_after_a_switch(65), rises(0.5), STEADY),
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
"""Of voices, time and controls."""
