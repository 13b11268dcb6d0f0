"""What a musician may change while playing, and for each how its effect is measured in the notes."""

from __future__ import annotations

import statistics

from live_measures import (
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
from live_rig_controls import RIG_CONTROLS
from live_scenes import (
    Counting,
    an_answer,
    beside_the_beat_s,
    candidates,
    companions,
    likeness_to_an_old_phrase,
    mean_pitch,
    nearest_to,
    notes_after_a_return,
    notes_in_answer,
    outside_the_latest_key,
    own_notes_read_again,
    pedal_moves,
    planned_ahead_s,
    players_turn_s,
    sent_ahead_s,
    silence_until_improv_speaks_s,
    the_rest_of_an_answer,
    together,
    wait_s,
)
from live_setups import (
    ANY_PITCH,
    AT_ONCE,
    CHORDS,
    FOND_OF_60,
    HELD,
    HIGH,
    KEY_BY_EAR,
    LONG,
    MIDDLE,
    QUICK,
    SHORT,
    SIX_NOTES,
    STEADY,
    STUBBORN,
    TRADE,
    Control,
    leaning,
)
from playing import model_that_plays, model_that_plays_what_is_asked, packaged_model

CONTROLS: dict[str, Control] = {
    "mode": Control("answer", "listen", notes_in_answer, falls(4), STEADY),
    "preset": Control("", "calm", an_answer(most_at_once), falls(4), CHORDS, LONG),
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
    **RIG_CONTROLS,
}
"""Every setting that may change while improv plays."""
