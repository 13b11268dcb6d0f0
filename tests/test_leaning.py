"""What bears on a note beside the model, and what comes of it in the notes."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playing import packaged_model

from improv_core.heard import HeardNote
from improv_core.improvising import PlannedNote
from improv_core.leaning import LOOP_TEMPERATURE, NO_LEANING, RECENT_NOTES, Leanings
from improv_core.loops import repeating
from improv_core.model import Heads
from improv_core.notes import CHORD_MS, Part
from improv_core.representation import ATTRIBUTE_NAMES, KEYS, PianoStream, start_steps, to_ms
from improv_core.representation.asking import FREE_DENSITY, FREE_LEFT, FREE_STYLE
from improv_core.sampler import Sampling, draw_note
from improv_core.scales import outside

NOTHING = Sampling(velocity_follow=0.0, loop_guard=False)
OSTINATO = (60, 64, 67, 72, 67, 64)
CADENCE = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7, 12))


def call_of(pitches: Sequence[int], *, velocity: int = 64, part: Part = Part.PLAYER) -> list[HeardNote]:
    return [HeardNote(part, pitch, velocity, 0.15 * i, 0.14) for i, pitch in enumerate(pitches)]


def cadence_on(tonic: int) -> list[HeardNote]:
    return call_of([48 + tonic + pitch for chord in 3 * CADENCE for pitch in chord])


def own_notes(
    pitches: Sequence[int], *, velocity: int = 64, every_s: float = 0.1, lasting_s: float = 0.08
) -> list[PlannedNote]:
    """A turn's notes, one after another."""
    onsets = [10 + every_s * i for i in range(len(pitches))]
    return [
        PlannedNote(1, i, pitch, velocity, 0, onset_s, onset_s + lasting_s)
        for i, (pitch, onset_s) in enumerate(zip(pitches, onsets, strict=True))
    ]


def answer(
    heard: Sequence[HeardNote],
    sampling: Sampling,
    count: int,
    *,
    seed: int = 1,
    heads: Heads | None = None,
    leanings: Leanings | None = None,
) -> list[PlannedNote]:
    """So many notes of the packaged model's after what was heard."""
    model, stream = packaged_model(), PianoStream()
    projected, state = model.advance(start_steps(), model.initial_state())
    for note in heard:
        step = stream.press(note.pitch, note.velocity, to_ms(note.onset_s))
        stream.release(note.pitch, to_ms(note.onset_s + (note.duration_s or 0)))
        projected, state = model.advance(step, state)
    chosen, own = leanings or Leanings(sampling, heard), list[PlannedNote]()
    for index in range(count):
        last_ms = stream.last_onset_ms or 0
        drawn = draw_note(
            heads or model.heads,
            projected,
            sampling,
            np.random.default_rng((seed, 1, index)),
            asked=(int(Part.IMPROV), FREE_STYLE, FREE_DENSITY, FREE_LEFT, stream.own_pitch(Part.IMPROV)),
            dt_ms=(0, 1500),
            chord={note.pitch for note in own if last_ms - to_ms(note.onset_s) < CHORD_MS},
            leaning=chosen.next(own),
        )
        at_ms = last_ms + drawn.dt_ms
        times_s = at_ms / 1000, (at_ms + drawn.duration_ms) / 1000
        own.append(PlannedNote(1, index, drawn.pitch, drawn.velocity, drawn.pedal, *times_s))
        step = stream.play(drawn.pitch, drawn.velocity, drawn.pedal, at_ms, drawn.duration_ms)
        projected, state = model.advance(step, state)
    return own


def test_where_nothing_is_set_nothing_bears_on_the_notes() -> None:
    leanings = Leanings(NOTHING, cadence_on(0))
    assert leanings.next([]) == NO_LEANING
    assert leanings.next(own_notes(OSTINATO * 5)) == NO_LEANING


@given(st.integers(0, 30), st.integers(0, 30))
@settings(max_examples=20, deadline=None)
def test_a_leaning_depends_on_the_turns_notes_not_on_what_was_asked_before(first: int, second: int) -> None:
    sampling = Sampling(scale="auto", velocity_follow=1.0, polyphony=2)
    heard, own = cadence_on(2), own_notes(OSTINATO * 5, velocity=90, lasting_s=0.4)
    used, fresh = Leanings(sampling, heard), Leanings(sampling, heard)
    used.next(own[:first])
    again, once = used.next(own[:second]), fresh.next(own[:second])
    assert again.pitch is not None
    assert once.pitch is not None
    assert np.array_equal(again.pitch, once.pitch)
    assert replace(again, pitch=None) == replace(once, pitch=None)


# --- scale ----------------------------------------------------------------------------------------


def shares_outside(scale: str, strict: bool) -> float:
    """Of 200 notes that the packaged model answers to a call in F sharp major."""
    own = answer(cadence_on(6), Sampling(scale=scale, scale_strict=strict), 200)
    return float(np.mean([outside("C major")[note.pitch] for note in own]))


def test_in_a_strict_scale_no_note_of_200_lies_outside_in_a_loose_one_few_do() -> None:
    free, loose, strict = (
        shares_outside(*told) for told in (("off", True), ("C major", False), ("C major", True))
    )
    assert strict == 0
    assert 0 < loose < 0.5 * free


def test_a_pitch_outside_a_loose_scale_costs_two_nats() -> None:
    pitch = Leanings(replace(NOTHING, scale="D minor"), []).next([]).pitch
    assert pitch is not None
    assert set(pitch[[62, 64, 65, 67, 69, 70, 72]]) == {0.0}
    assert set(pitch[[61, 63, 66, 68, 71]]) == {-2.0}


def test_auto_is_the_scale_of_what_the_player_plays() -> None:
    heard = cadence_on(4) + call_of([60, 65, 70] * 20, part=Part.IMPROV)
    assert Leanings(replace(NOTHING, scale="auto"), heard).scale == "E major"


def test_auto_is_no_scale_while_too_little_was_heard() -> None:
    leanings = Leanings(replace(NOTHING, scale="auto", scale_strict=True), call_of([60, 64, 67]))
    assert leanings.scale is None
    assert leanings.next([]) == NO_LEANING


def test_another_scale_counts_from_the_next_note_on() -> None:
    leanings = Leanings(replace(NOTHING, scale="C major", scale_strict=True), cadence_on(0))
    before = leanings.next([]).pitch
    leanings.sampling = replace(NOTHING, scale="F# major", scale_strict=True)
    after = leanings.next([]).pitch
    assert before is not None
    assert after is not None
    assert np.isneginf(before[66])
    assert after[66] == 0
    leanings.sampling = NOTHING
    assert leanings.next([]).pitch is None


def test_a_register_is_added_to_the_scale() -> None:
    register = np.where(np.arange(KEYS) < 60, -5.0, 0.0)
    leanings = Leanings(replace(NOTHING, scale="C major"), [], register=register)
    pitch = leanings.next([]).pitch
    assert pitch is not None
    assert pitch[[48, 49, 60, 61]].tolist() == [-5.0, -7.0, 0.0, -2.0]
    assert register[49] == -5.0


# --- velocity -------------------------------------------------------------------------------------


def heads_of_one_loudness(mean: float, deviation: float = 10.0) -> Heads:
    """The packaged heads, but velocities are distributed alike whatever was played."""
    heads, i = packaged_model().heads, ATTRIBUTE_NAMES.index("velocity")
    weights, biases = list(heads.weights), list(heads.biases)
    velocities = 4 * np.arange(32) + 2
    weights[i] = np.zeros_like(weights[i])
    biases[i] = (-0.5 * ((velocities - mean) / deviation) ** 2).astype(np.float32)
    return replace(heads, weights=tuple(weights), biases=tuple(biases))


@pytest.mark.parametrize(("strength", "expected"), [(0.0, 50), (0.5, 65), (1.0, 80)])
def test_velocities_move_towards_the_players_by_the_strength(strength: float, expected: float) -> None:
    call = call_of(OSTINATO * 4, velocity=80)
    own = answer(call, Sampling(velocity_follow=strength), 300, heads=heads_of_one_loudness(50))
    assert np.mean([note.velocity for note in own]) == pytest.approx(expected, abs=2)


def test_to_follow_a_velocity_leaves_how_much_velocities_differ() -> None:
    call, heads = call_of(OSTINATO * 4, velocity=80), heads_of_one_loudness(50)
    spread = [
        np.std([note.velocity for note in answer(call, Sampling(velocity_follow=f), 300, heads=heads)])
        for f in (0.0, 1.0)
    ]
    assert spread[1] == pytest.approx(spread[0], rel=0.1)


def test_the_packaged_model_plays_softly_after_a_soft_call_and_loudly_after_a_loud_one() -> None:
    for velocity in (35, 95):
        own = answer(call_of(OSTINATO * 4, velocity=velocity), Sampling(velocity_follow=1.0), 60)
        assert np.mean([note.velocity for note in own]) == pytest.approx(velocity, abs=2)


def test_only_the_players_latest_notes_are_followed() -> None:
    heard = [
        *call_of([60] * 50, velocity=20),
        *call_of([60] * RECENT_NOTES, velocity=90),
        *call_of([60] * 9, velocity=120, part=Part.IMPROV),
    ]
    leaning = Leanings(replace(NOTHING, velocity_follow=0.7), heard).next([])
    assert (leaning.velocity, leaning.velocity_follow) == (90, 0.7)


def test_where_nobody_has_played_no_velocity_is_followed() -> None:
    leaning = Leanings(replace(NOTHING, velocity_follow=1.0), call_of([60], part=Part.IMPROV)).next([])
    assert leaning.velocity is None


# --- polyphony ------------------------------------------------------------------------------------


def most_at_a_time(notes: Sequence[PlannedNote]) -> int:
    """Keys that are down, those of a chord for as long as it lasts."""
    until_ms, most = dict[int, int](), 0
    for note in notes:
        at_ms = to_ms(note.onset_s)
        until_ms[note.pitch] = max(to_ms(note.release_s), at_ms + CHORD_MS)
        most = max(most, sum(at_ms < until for until in until_ms.values()))
    return most


@functools.cache
def chordal_call() -> tuple[HeardNote, ...]:
    """Chords of four notes, held until the next."""
    return tuple(
        HeardNote(Part.PLAYER, 48 + tonic + above, 64, 0.6 * i, 0.58)
        for i, tonic in enumerate((0, 5, 7, 0) * 4)
        for above in (0, 4, 7, 12)
    )


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_no_more_keys_are_down_at_a_time_than_the_cap(most: int) -> None:
    own = answer(chordal_call(), Sampling(polyphony=most), 120)
    assert most_at_a_time(own) == most


def test_without_a_cap_more_keys_are_down() -> None:
    assert most_at_a_time(answer(chordal_call(), Sampling(), 120)) > 5


@pytest.mark.parametrize(
    ("most", "earliest_ms"),
    [(0, 0), (1, 500), (2, 400), (3, 300), (4, 0)],
)
def test_a_note_waits_until_fewer_keys_are_down(most: int, earliest_ms: int) -> None:
    own = own_notes([60, 64, 67], every_s=0.1, lasting_s=0.5)
    assert Leanings(replace(NOTHING, polyphony=most), []).next(own).earliest_ms == earliest_ms


def test_notes_of_a_chord_that_are_let_go_at_once_fill_it_nevertheless() -> None:
    own = own_notes([60, 64], every_s=0.005, lasting_s=0.005)
    assert Leanings(replace(NOTHING, polyphony=2), []).next(own).earliest_ms == CHORD_MS - 5


def test_a_key_that_is_struck_again_is_one_key() -> None:
    own = own_notes([60, 60, 60], every_s=0.1, lasting_s=0.5)
    assert Leanings(replace(NOTHING, polyphony=2), []).next(own).earliest_ms == 0


def test_what_rings_on_from_before_the_turn_counts() -> None:
    heard = [
        HeardNote(Part.IMPROV, 60, 64, 1.0, 5.0),
        HeardNote(Part.IMPROV, 64, 64, 1.0, None),
        HeardNote(Part.PLAYER, 67, 64, 2.0, 9.0),
    ]
    assert Leanings(replace(NOTHING, polyphony=1), heard).next([]).earliest_ms == 4000
    assert Leanings(replace(NOTHING, polyphony=2), heard).next([]).earliest_ms == 0


# --- loops ----------------------------------------------------------------------------------------


def looped_share(notes: Sequence[PlannedNote]) -> float:
    """Of notes that carry on a repetition of eight or more."""
    played = [(notes[0].pitch, 0)]
    played += [(note.pitch, to_ms(note.onset_s - before.onset_s)) for before, note in pairwise(notes)]
    return float(np.mean([played[i][0] in repeating(played[:i]) for i in range(16, len(played))]))


def test_a_model_that_goes_round_and_round_leaves_the_loop() -> None:
    """After an ostinato, more surely than it has learned: then loops come by themselves."""
    guarded, unguarded = (
        np.mean(
            [
                looped_share(answer(call_of(OSTINATO * 16), replace(wish, temperature=0.7), 144, seed=seed))
                for seed in (1, 2, 3)
            ]
        )
        for wish in (Sampling(), Sampling(loop_guard=False))
    )
    assert unguarded > 0.2
    assert guarded < unguarded / 3


def test_what_carries_a_loop_on_costs_two_nats_for_every_eight_notes_of_it() -> None:
    leanings = Leanings(replace(NOTHING, loop_guard=True), [])
    for rounds, nats in ((2, 0.0), (3, -2.0), (4, -4.0), (10, -12.0)):
        leaning = leanings.next(own_notes(OSTINATO * rounds))
        if nats == 0:
            assert leaning == NO_LEANING
            continue
        assert leaning.pitch is not None
        assert leaning.pitch_temperature == LOOP_TEMPERATURE
        assert np.flatnonzero(leaning.pitch).tolist() == [60]
        assert leaning.pitch[60] == nats


def test_what_improv_played_before_the_turn_counts_the_players_notes_do_not() -> None:
    own = own_notes(OSTINATO)
    for part, is_loop in ((Part.IMPROV, True), (Part.PLAYER, False)):
        heard = [HeardNote(part, pitch, 64, 10 - 0.1 * (18 - i), 0.1) for i, pitch in enumerate(OSTINATO * 3)]
        leaning = Leanings(replace(NOTHING, loop_guard=True), heard).next(own)
        assert (leaning.pitch is not None) is is_loop
