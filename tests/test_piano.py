"""The built-in piano sounds like one, by numbers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from improv_daemon.piano import Piano
from improv_daemon.piano.limiting import SoftLimiter
from improv_daemon.piano.room import Room, impulse_response
from improv_daemon.piano.strings import (
    BLOCK_FRAMES,
    Future,
    fundamental_hz,
    modes_of,
    step_of,
)

RATE = 48000
PEDAL, SOSTENUTO, SOFT = 64, 66, 67
Sound = NDArray[np.float32]


def dry(*messages: tuple[int, ...]) -> Piano:
    piano = Piano(RATE, 0.0)
    for message in messages:
        piano.send(0, message)
    return piano


def on(key: int, velocity: int = 80) -> tuple[int, ...]:
    return (0x90, key, velocity)


def off(key: int) -> tuple[int, ...]:
    return (0x80, key, 64)


def control(number: int, value: int) -> tuple[int, ...]:
    return (0xB0, number, value)


def rms(sound: Sound) -> float:
    return float(np.sqrt(np.mean(sound.astype(np.float64) ** 2)))


def seconds(piano: Piano, length_s: float) -> Sound:
    return piano.pull(round(length_s * RATE))


def loudest_hz(sound: Sound, below_hz: float = 20000) -> float:
    padded = 8 * len(sound)
    spectrum = np.abs(np.fft.rfft(sound.sum(axis=1) * np.hanning(len(sound)), padded))
    return float(np.argmax(spectrum[: round(below_hz * padded / RATE)]) * RATE / padded)


def centroid_hz(sound: Sound) -> float:
    spectrum = np.abs(np.fft.rfft(sound.sum(axis=1) * np.hanning(len(sound))))
    return float((spectrum * np.fft.rfftfreq(len(sound), 1 / RATE)).sum() / spectrum.sum())


def left_ringing(*messages: tuple[int, ...], key: int = 60) -> float:
    """How loud it still is half a second after the key was let go, beside how loud it was."""
    piano = dry(*messages, on(key))
    before = rms(seconds(piano, 0.3))
    piano.send(0, off(key))
    seconds(piano, 0.5)
    return rms(seconds(piano, 0.1)) / before


def test_nothing_played_is_silence() -> None:
    piano = Piano(RATE, 0.3)
    assert not seconds(piano, 0.1).any()
    assert piano.pull(0).shape == (0, 2)
    assert piano.description == "the built-in piano"


@pytest.mark.parametrize("key", [45, 60, 69, 84])
def test_keys_are_in_tune(key: int) -> None:
    piano = dry(on(key))
    seconds(piano, 0.1)
    found_hz = loudest_hz(seconds(piano, 0.4))
    partial = max(1, round(found_hz / fundamental_hz(key)))
    assert found_hz / partial == pytest.approx(440 * 2 ** ((key - 69) / 12), rel=0.004)


def test_harder_is_louder_and_brighter() -> None:
    sounds = [seconds(dry(on(60, velocity)), 0.5) for velocity in (20, 50, 80, 110)]
    for softer, louder in itertools.pairwise(sounds):
        assert rms(louder) > 1.5 * rms(softer)
        assert centroid_hz(louder) > 1.1 * centroid_hz(softer)


def test_high_keys_fade_sooner_than_low_ones() -> None:
    left: list[float] = []
    for key in (30, 56, 78, 100):
        # Single keys beat, each in its own way.
        piano = dry(*(on(beside) for beside in range(key, key + 6)))
        begun = rms(seconds(piano, 0.2))
        seconds(piano, 0.8)
        left.append(rms(seconds(piano, 0.2)) / begun)
    assert left == sorted(left, reverse=True)


def test_a_struck_string_fades_quickly_at_first_and_slowly_then() -> None:
    piano = dry(on(72))
    levels = [rms(seconds(piano, 1.0)) for _ in range(5)]
    assert levels[0] / levels[1] > 1.5 * levels[3] / levels[4]


def test_a_key_that_is_let_go_is_damped() -> None:
    assert left_ringing() < 0.001


def test_pedals_keep_the_dampers_off() -> None:
    assert left_ringing(control(PEDAL, 127)) > 0.2
    piano = dry(on(60), control(SOSTENUTO, 127), on(64))
    before = rms(seconds(piano, 0.3))
    piano.send(0, off(60))
    piano.send(0, off(64))
    seconds(piano, 0.5)
    assert rms(seconds(piano, 0.1)) / before > 0.05
    assert piano.voices <= 2
    piano.send(0, control(SOSTENUTO, 0))
    seconds(piano, 0.6)
    assert rms(seconds(piano, 0.1)) / before < 0.001


def test_half_a_pedal_lies_between() -> None:
    none, half, full = (left_ringing(control(PEDAL, value)) for value in (0, 70, 127))
    assert 3 * none < half < 0.8 * full


def test_the_highest_strings_have_no_dampers() -> None:
    assert left_ringing(key=96) > 0.02


def test_the_soft_pedal_makes_it_softer_and_darker() -> None:
    loud, soft = seconds(dry(on(60)), 0.3), seconds(dry(control(SOFT, 127), on(60)), 0.3)
    assert rms(soft) < 0.85 * rms(loud)
    assert centroid_hz(soft) < 0.95 * centroid_hz(loud)


def test_open_strings_ring_along() -> None:
    def an_octave_above(*messages: tuple[int, ...]) -> float:
        piano = dry(*messages, on(48, 100))
        seconds(piano, 1.0)
        piano.send(0, off(48))
        seconds(piano, 0.6)
        return rms(seconds(piano, 0.2))

    # The key an octave higher is held down in silence: its strings are open, but were not struck.
    held = an_octave_above(on(60, 1))
    assert held > 3 * an_octave_above()


def test_every_number_of_frames_gives_the_same_sound() -> None:
    def pulled(sizes: Sequence[int]) -> Sound:
        piano = Piano(RATE, 0.3)
        piano.send(0, on(60))
        return np.concatenate([piano.pull(size) for size in sizes])

    whole = pulled([BLOCK_FRAMES] * 10)
    odd = pulled([100] * 102 + [40])
    np.testing.assert_allclose(odd, whole, atol=2e-5)
    np.testing.assert_array_equal(pulled([BLOCK_FRAMES] * 10), whole)


def test_twenty_loud_notes_do_not_clip() -> None:
    piano = Piano(RATE, 1.0, gain=2.0)
    for key in range(30, 90, 3):
        piano.send(0, on(key, 127))
    sound = seconds(piano, 0.5)
    assert 0.5 < np.abs(sound).max() < 1.0
    assert np.abs(np.diff(sound, axis=0)).max() < 0.7


def test_both_sides_together_lose_nothing() -> None:
    sound = np.concatenate([seconds(dry(on(key)), 0.2) for key in (30, 60, 90)])
    assert rms(sound.mean(axis=1)) > 0.8 * rms(sound)


def test_low_keys_lie_left_and_high_ones_right() -> None:
    low, high = (seconds(dry(on(key)), 0.3) for key in (28, 100))
    assert rms(low[:, 0]) > 1.2 * rms(low[:, 1])
    assert rms(high[:, 1]) > 1.2 * rms(high[:, 0])


@pytest.mark.parametrize("number", [7, 11])
def test_volume_and_expression_go_by_the_square(number: int) -> None:
    loud, soft = (seconds(dry(control(number, value), on(60)), 0.2) for value in (100, 50))
    assert rms(soft) / rms(loud) == pytest.approx(0.25, rel=1e-3)


def test_pan_is_a_place() -> None:
    sound = seconds(dry(control(10, 0), on(60)), 0.2)
    assert rms(sound[:, 0]) > 1000 * rms(sound[:, 1])


def test_bending_moves_the_pitch_two_semitones() -> None:
    piano = dry(on(69))
    seconds(piano, 0.1)
    straight_hz = loudest_hz(seconds(piano, 0.4), below_hz=600)
    piano.send(0, (0xE0, 0x7F, 0x7F))
    assert loudest_hz(seconds(piano, 0.4), below_hz=600) / straight_hz == pytest.approx(
        2 ** (2 / 12), rel=5e-3
    )


@pytest.mark.parametrize("number", [120, 123])
def test_everything_can_be_silenced(number: int) -> None:
    piano = dry(*(on(key) for key in range(40, 60)))
    seconds(piano, 0.2)
    piano.send(0, control(number, 0))
    seconds(piano, 1.0)
    assert rms(seconds(piano, 0.1)) < 1e-5


def test_all_sound_off_ends_what_rings_along_under_the_pedal() -> None:
    piano = dry(control(PEDAL, 127), on(48), on(60))
    seconds(piano, 0.5)
    piano.send(0, control(120, 0))
    seconds(piano, 0.5)
    assert piano.voices == 0
    assert not seconds(piano, 0.1).any()


def test_what_rings_along_stays_softer_than_what_is_struck() -> None:
    def later(*messages: tuple[int, ...]) -> float:
        piano = dry(*messages, *(on(key, 90) for key in (40, 47, 52, 56, 60, 64)))
        seconds(piano, 2.0)
        return rms(seconds(piano, 1.0))

    assert 1.05 < later(control(PEDAL, 127)) / later() < 1.6


def test_all_becomes_silent_at_last_and_costs_nothing_then() -> None:
    piano = Piano(RATE, 0.5)
    piano.send(0, on(90))
    seconds(piano, 0.1)
    piano.send(0, off(90))
    seconds(piano, 12.0)
    assert piano.voices == 0
    assert not seconds(piano, 0.1).any()


def test_more_voices_than_there_may_be_take_the_softest() -> None:
    piano = dry(control(PEDAL, 127))
    for _ in range(3):
        for key in range(21, 109):
            piano.send(0, on(key))
        piano.pull(64)
    assert piano.voices == 96


def test_other_programs_play_the_piano() -> None:
    piano = dry((0xC0, 40), on(60))
    assert piano.other_programs == 1
    assert rms(seconds(piano, 0.1)) > 0


def test_clicks_have_a_channel_of_their_own() -> None:
    piano = Piano(RATE, 0.0, click_channel=9)
    piano.send(9, (0x90, 76, 127))
    assert rms(seconds(piano, 0.02)) > 0.005
    seconds(piano, 0.1)
    assert not seconds(piano, 0.1).any()
    assert piano.voices == 0


def test_any_message_and_channel_is_taken() -> None:
    piano = Piano(RATE, 0.3)
    for data in ((0xA0, 60, 50), (0xD0, 40), (0xC0, 3), on(0), on(127), control(121, 0), control(1, 64)):
        piano.send(300, data)
    sound = seconds(piano, 0.1)
    assert np.isfinite(sound).all()
    assert rms(sound) > 0


@pytest.mark.parametrize("rate", [8000, 44100, 96000])
def test_other_sample_rates_sound_as_loud(rate: int) -> None:
    piano = Piano(rate, 0.0)
    piano.send(0, on(48))
    assert rms(piano.pull(rate // 2)) == pytest.approx(rms(seconds(dry(on(48)), 0.5)), rel=0.1)


def test_refuses_what_it_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"8000\.\.192000, got 100"):
        Piano(100)
    with pytest.raises(ValueError, match=r"reverb must be in 0\.\.1, got 2"):
        Piano(RATE, 2)


def test_states_have_the_future_that_is_computed() -> None:
    turn = modes_of(60, RATE).turned()
    state = np.exp(1j * np.arange(len(turn))).astype(np.complex64)
    future = Future.of(turn)
    sound = future.sound(np.stack([state * future.powers[:2]] * 2), 100)
    expected = [(state * turn**frame).real.sum() for frame in range(100)]
    np.testing.assert_allclose(sound, [expected, expected], atol=1e-3)
    np.testing.assert_allclose(step_of(turn, 100), turn**100, atol=1e-6)
    np.testing.assert_allclose(future.powers[16], turn**BLOCK_FRAMES, atol=1e-6)


def test_the_room_answers_as_its_impulse_response_says() -> None:
    room = Room(RATE, 1.0)
    samples = np.zeros((2, 20000), np.float32)
    samples[:, 0] = 0.5
    direct = samples.copy()
    for at in range(0, 20000, 300):
        room.add_to(samples[:, at : at + 300])
    response = impulse_response(RATE)
    np.testing.assert_allclose((samples - direct)[:, 512:16000], response[:, : 16000 - 512], atol=1e-5)


def test_the_limiter_leaves_what_is_soft_alone() -> None:
    samples = np.linspace(-0.7, 0.7, 512, dtype=np.float32).reshape(2, 256)
    before = samples.copy()
    SoftLimiter(RATE).limit(samples)
    np.testing.assert_array_equal(samples, before)


def test_the_limiter_keeps_below_full_scale() -> None:
    limiter = SoftLimiter(RATE)
    for _ in range(3):
        samples = np.full((2, 256), 30.0, np.float32)
        limiter.limit(samples)
        assert 0.7 < np.abs(samples).max() < 1.0
