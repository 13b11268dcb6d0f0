"""Where the beats of a song were, once all of its clock is known."""

from __future__ import annotations

import pytest
from clock_signals import CONTINUE, START, STOP, Sequencer, steady
from hypothesis import given, settings
from hypothesis import strategies as st

from improv_core.clock import MidiClock
from improv_core.song_beats import SongBeats, song_beats


def songs_of(sequencer: Sequencer) -> tuple[SongBeats, ...]:
    return song_beats(sequencer.messages, sequencer.beats_per_bar)


def test_a_song_is_its_whole_beats_and_its_ends() -> None:
    daw = Sequencer(at_s=1.0)
    daw.say(START)
    daw.play(0.0, 3.5, steady(120))
    (song,) = songs_of(daw)
    assert song.beats_per_bar == 4
    assert [beat for beat, _ in song.knots] == [0.0, 1.0, 2.0, 3.0, 3.5 - 1 / 24]
    assert [at_s for _, at_s in song.knots] == pytest.approx([1.0, 1.5, 2.0, 2.5, 2.75 - 1 / 48], abs=1e-9)


def test_a_clock_without_a_start_is_a_song_from_its_first_pulse() -> None:
    daw = Sequencer(at_s=0.25)
    daw.play(0.0, 2.0, steady(60))
    (song,) = songs_of(daw)
    assert song.knots[0] == (0.0, pytest.approx(0.25, abs=1e-9))


def test_each_time_that_it_goes_on_is_a_song_at_its_place() -> None:
    daw = Sequencer(at_s=0.0)
    daw.say(START)
    daw.play(0.0, 2.0, steady(120))
    daw.say(STOP)
    daw.at_s += 3.0
    daw.say(CONTINUE)
    daw.play(2.0, 4.0, steady(120))
    daw.locate(1.5)
    daw.play(1.5, 3.0, steady(120))
    assert [song.knots[0] for song in songs_of(daw)] == [
        (0.0, pytest.approx(0.0, abs=1e-9)),
        (2.0, pytest.approx(4.0, abs=1e-9)),
        (1.5, pytest.approx(5.0, abs=1e-9)),
    ]


def test_a_touch_of_the_play_button_is_no_song() -> None:
    daw = Sequencer(at_s=0.0)
    daw.say(START)
    daw.play(0.0, 0.4, steady(120))
    daw.say(STOP)
    assert songs_of(daw) == ()
    assert song_beats([((0x90, 60, 64), 1.0, "keys"), ((), 2.0, "keys"), ((0xFE,), 3.0, "daw")], 4) == ()


@pytest.mark.parametrize("bpm", [60, 120, 200])
def test_a_beat_is_placed_within_a_millisecond_of_a_clock_with_jitter(bpm: float) -> None:
    daw = Sequencer(at_s=1.0, jitter_s=0.002, lost=0.02)
    daw.say(START)
    daw.play(0.0, 64.0, steady(bpm))
    (song,) = songs_of(daw)
    errors_s = [abs(at_s - 1.0 - beat * 60 / bpm) for beat, at_s in song.knots]
    assert len(song.knots) == 65
    assert max(errors_s) < 0.001


def test_where_the_tempo_leaps_the_beats_before_and_after_stay_where_they_are() -> None:
    daw = Sequencer(at_s=0.0, jitter_s=0.001)
    daw.say(START)
    daw.play(0.0, 32.0, lambda beat: 200 if beat >= 16 else 60)
    (song,) = songs_of(daw)
    due_s = [beat if beat <= 16 else 16 + (beat - 16) * 0.3 for beat, _ in song.knots]
    assert [at_s for _, at_s in song.knots] == pytest.approx(due_s, abs=0.001)


_actions = st.lists(
    st.tuples(st.sampled_from(("start", "stop", "continue", "locate", "wait", "play")), st.integers(0, 12)),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(actions=_actions)
def test_the_song_is_where_the_clock_that_is_heard_live_has_it(actions: list[tuple[str, int]]) -> None:
    daw, number = Sequencer(at_s=1.0), 0
    goes_on: bool | None = None  # nobody has said
    for action, amount in [*actions, ("continue", 0), ("play", 8)]:
        match action:
            case "start":
                daw.say(START)
                number, goes_on = 0, True
            case "stop":
                daw.say(STOP)
                goes_on = False
            case "continue" if not goes_on:
                daw.say(CONTINUE)
                goes_on = True
            case "locate":
                daw.locate(number := amount)
                goes_on = bool(goes_on)
            case "wait" if not goes_on:
                daw.at_s += amount / 8
            case "play" if goes_on is not False:
                goes_on = True
                daw.play(number, number + 2 + amount, steady(120))
                number += 2 + amount
    clock = MidiClock()
    for message in daw.messages:
        clock.message(*message)
    song = songs_of(daw)[-1]
    assert clock.pulse is not None
    beats = [(at_s - clock.pulse.origin_ms / 1e3) * 1e3 / clock.pulse.beat_ms for _, at_s in song.knots]
    assert beats == pytest.approx([beat for beat, _ in song.knots], abs=0.02)


def test_another_clock_does_not_disturb_the_one_that_is_followed() -> None:
    daw, other = Sequencer(at_s=0.0), Sequencer(at_s=0.3)
    daw.say(START)
    daw.play(0.0, 8.0, steady(120))
    other.play(0.0, 8.0, steady(97))
    others = [(data, at_s, "drum machine") for data, at_s, _ in other.messages if at_s < daw.at_s]
    both = sorted([*daw.messages, *others], key=lambda message: message[1])
    assert song_beats(both, 4) == songs_of(daw)


def test_a_part_of_a_song_is_what_lies_between_two_moments() -> None:
    song = SongBeats(((0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 4.0)), 4)
    assert song.cut(1.5, 4.0) == SongBeats(((1.0, 2.0), (2.0, 3.0)), 4)
    assert song.cut(1.5, 3.0) is None


def test_pulses_that_were_late_all_at_once_are_not_taken_for_lost() -> None:
    daw = Sequencer(at_s=1.0)
    daw.say(START)
    daw.play(0.0, 16.0, steady(120))
    stands_s, goes_on_s = 3.005, 3.1
    late = [
        (data, goes_on_s + 0.0005 * place if stands_s < at_s < goes_on_s else at_s, source)
        for place, (data, at_s, source) in enumerate(daw.messages, start=-100)
    ]
    late.sort(key=lambda message: message[1])
    (song,) = song_beats(late, 4)
    assert song.knots[-1] == (16.0 - 1 / 24, pytest.approx(9.0 - 1 / 48, abs=1e-6))
