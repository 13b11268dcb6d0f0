"""Voices under and over a note: what fits the chord and the model, led smoothly, released by nobody here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playing import packaged_model

from improv_core.harmony import REACH, Harmoniser, Weighing, mates
from improv_core.heard import HeardNote
from improv_core.model import Heads
from improv_core.notes import Part
from improv_core.representation import KEYS, start_steps
from improv_core.representation.asking import ALONE, FREE_DENSITY, FREE_LEFT, FREE_STYLE

ASKED = (int(Part.IMPROV), FREE_STYLE, FREE_DENSITY, FREE_LEFT, ALONE)
C_MAJOR, F_MAJOR = (48, 52, 55), (53, 57, 60)
NO_MODEL = np.zeros(0, dtype=np.float32)


def heads_that_like(*pitches: int) -> Heads:
    """The packaged heads, whose pitch head always says these."""
    heads = packaged_model().heads
    weights, biases = list(heads.weights), list(heads.biases)
    weights[2] = np.zeros_like(weights[2])
    biases[2] = np.full(KEYS, -12, dtype=np.float32)
    biases[2][list(pitches)] = 0
    return replace(heads, weights=tuple(weights), biases=tuple(biases))


def chosen(
    pitch: int,
    chord: tuple[int, ...] = (),
    *,
    by: Harmoniser | None = None,
    at_s: float = 1.0,
    velocity: int = 80,
    heads: Heads | None = None,
    voices: int = 1,
    side: str = "below",
    lowest: int = 21,
    highest: int = 108,
    scale_bias: np.ndarray | None = None,
) -> tuple[tuple[int, int], ...]:
    """What goes with a note over a chord that has just been struck and is held."""
    heard = [HeardNote(Part.PLAYER, key, 64, at_s - 0.2) for key in chord]
    return (by or Harmoniser()).choose(
        pitch,
        velocity,
        at_s,
        heads=heads,
        projected=NO_MODEL if heads is None else np.zeros(heads.weights[0].shape[1], dtype=np.float32),
        asked=ASKED,
        held={pitch, *chord},
        heard=[*heard, HeardNote(Part.PLAYER, pitch, velocity, at_s)],
        voices=voices,
        side=side,
        lowest=lowest,
        highest=highest,
        scale_bias=scale_bias,
    )


def pitches(voices: tuple[tuple[int, int], ...]) -> list[int]:
    return [pitch for pitch, _ in voices]


# --- what is chosen -------------------------------------------------------------------------------


def test_the_left_hand_steers() -> None:
    assert pitches(chosen(72, C_MAJOR)) == [67]
    assert pitches(chosen(72, F_MAJOR)) == [69]


@pytest.mark.parametrize("semitones", range(-5, 7))
def test_it_harmonises_alike_in_every_key(semitones: int) -> None:
    moved = tuple(key + semitones for key in F_MAJOR)
    assert pitches(chosen(72 + semitones, moved)) == [69 + semitones]


def test_the_model_decides_between_notes_of_the_chord() -> None:
    assert pitches(chosen(72, C_MAJOR, heads=heads_that_like(64))) == [64]
    assert pitches(chosen(72, C_MAJOR, heads=heads_that_like(67))) == [67]


def test_a_model_that_likes_only_the_octave_leaves_it_to_the_chord() -> None:
    assert pitches(chosen(72, C_MAJOR, heads=heads_that_like(36))) == pitches(chosen(72, C_MAJOR))


def test_voices_are_of_different_pitch_classes_of_the_chord() -> None:
    assert {pitch % 12 for pitch in pitches(chosen(72, F_MAJOR, voices=2))} == {5, 9}


def test_what_is_held_is_not_doubled() -> None:
    assert not {69, 65} & set(pitches(chosen(72, (65, 69), voices=4)))


def test_no_second_voice_is_a_semitone_or_a_minor_ninth_from_what_sounds() -> None:
    for pitch in range(60, 84):
        sounding = {pitch, *C_MAJOR}
        for place, voice in enumerate(pitches(chosen(pitch, C_MAJOR, voices=4))):
            harsh = {abs(voice - other) for other in sounding} & {1, 13}
            assert place == 0 or not harsh
            sounding.add(voice)


def test_a_scale_forbids_what_it_has_not() -> None:
    bias = np.zeros(KEYS)
    bias[67::-12] = -np.inf
    assert pitches(chosen(72, C_MAJOR, scale_bias=bias)) == [64]


def test_voices_move_to_the_nearest_note_that_is_as_good() -> None:
    smooth = Harmoniser(Weighing(motion=1.0))
    first = pitches(chosen(72, C_MAJOR, by=smooth, at_s=1.0, heads=heads_that_like(64)))
    assert first == [64]
    assert pitches(chosen(72, C_MAJOR, by=smooth, at_s=1.5)) == [64]
    assert pitches(chosen(72, C_MAJOR, by=smooth, at_s=60.0)) == [67]


def test_the_same_notes_get_the_same_voices() -> None:
    once, again = Harmoniser(), Harmoniser()
    for pitch, chord in ((72, C_MAJOR), (74, C_MAJOR), (76, F_MAJOR)):
        assert chosen(pitch, chord, by=once, voices=3) == chosen(pitch, chord, by=again, voices=3)


# --- where and how loud ---------------------------------------------------------------------------


def test_both_sides_take_turns_beginning_below() -> None:
    first, second, third = pitches(chosen(72, C_MAJOR, voices=3, side="both"))
    assert first < 72 < second
    assert third < 72


def test_it_is_a_little_softer_than_the_player() -> None:
    assert [velocity for _, velocity in chosen(72, C_MAJOR, velocity=100, voices=2)] == [85, 85]
    assert [velocity for _, velocity in chosen(72, C_MAJOR, velocity=1)] == [1]


def test_where_there_is_no_room_there_is_no_voice() -> None:
    assert chosen(40, voices=4, lowest=40) == ()
    assert pitches(chosen(40, voices=4, lowest=37)) == [37]
    assert chosen(0, lowest=0) == ()
    assert chosen(127, side="above", highest=127) == ()


@settings(max_examples=200, deadline=None)
@given(
    pitch=st.integers(0, 127),
    chord=st.sets(st.integers(0, 127), max_size=8),
    voices=st.integers(1, 4),
    side=st.sampled_from(["below", "above", "both"]),
    span=st.tuples(st.integers(0, 127), st.integers(0, 127)).map(sorted),
    velocity=st.integers(1, 127),
)
def test_voices_are_within_reach_side_and_range(
    pitch: int, chord: set[int], voices: int, side: str, span: list[int], velocity: int
) -> None:
    lowest, highest = span
    found = chosen(
        pitch,
        tuple(chord),
        velocity=velocity,
        voices=voices,
        side=side,
        lowest=lowest,
        highest=highest,
    )
    assert len(found) <= voices
    assert len(set(pitches(found))) == len(found)
    for other, loudness in found:
        assert lowest <= other <= highest
        assert other not in chord
        assert 1 <= abs(other - pitch) <= REACH
        assert side == "both" or (other < pitch) == (side == "below")
        assert 1 <= loudness <= velocity


# --- what the model is asked ----------------------------------------------------------------------


def test_mates_are_the_pitches_of_a_note_that_sounds_with_the_latest() -> None:
    model = packaged_model()
    projected, _ = model.advance(start_steps(), model.initial_state())
    likely = mates(model.heads, projected, ASKED)
    z = model.heads.begin(projected, ASKED)
    pedal = int(np.argmax(model.heads.outputs(1, z, [0])))
    logits = model.heads.outputs(2, z, [0, pedal]).astype(np.float64)
    assert likely.sum() == pytest.approx(1)
    assert np.log(likely) - np.log(likely[60]) == pytest.approx(logits - logits[60], abs=1e-4)
