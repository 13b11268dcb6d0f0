"""Where the bars of one of the two begin and end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_improviser import ScriptedImproviser

from improv_core.bars import TempoSource
from improv_core.turns import TurnBounds, TurnTaker
from improv_daemon.partner.ears import Ears
from improv_daemon.partner.stretch import Measure, Stretch
from improv_daemon.wire import Played

TWO = Measure(bars=2)
SET = Measure(bars=2, tempo_bpm=120.0)
ONSET = (0x90, 60, 64)


def ears() -> Ears:
    return Ears(ScriptedImproviser(), TurnTaker(TurnBounds()))


def ticking(until_s: float, beat_s: float = 0.5, one: Ears | None = None, from_s: float = 0.0) -> Ears:
    """A clock has ticked since then, and ticks on."""
    one = one or ears()
    for i in range(round((until_s - from_s) / beat_s * 24) + 1):
        one.keep_time(Played((0xF8,), from_s + i * beat_s / 24, "clock"))
    return one


def test_by_a_clock_the_bar_of_the_first_note_is_the_first() -> None:
    stretch = Stretch.first(ticking(3.0), TWO, 3.0, 3.0)
    assert stretch.source is TempoSource.CLOCK
    assert (stretch.start_s, stretch.end_s) == pytest.approx((2.0, 6.0))


@pytest.mark.parametrize(("onset_s", "start_s"), [(3.74, 2.0), (3.76, 4.0), (3.999, 4.0), (4.0, 4.0)])
def test_from_an_eighth_before_a_bar_line_on_a_note_belongs_to_the_next_bar(
    onset_s: float, start_s: float
) -> None:
    assert Stretch.first(ticking(3.7), TWO, onset_s, onset_s).start_s == pytest.approx(start_s)


def test_without_bars_of_their_own_it_begins_with_the_note() -> None:
    for trade, end_s in ((SET, 7.3), (TWO, 7.3), (Measure(seconds=5.0), 8.3)):
        stretch = Stretch.first(ears(), trade, 3.3, 3.3)
        assert (stretch.start_s, stretch.end_s) == pytest.approx((3.3, end_s))


def test_only_bars_want_a_tempo() -> None:
    assert Stretch.first(ears(), TWO, 1.0, 1.0).is_without_tempo
    assert not Stretch.first(ears(), SET, 1.0, 1.0).is_without_tempo
    assert not Stretch.first(ears(), Measure(seconds=5.0), 1.0, 1.0).is_without_tempo


def test_the_next_one_is_the_others_and_begins_where_this_one_ends() -> None:
    mine = Stretch.first(ears(), SET, 1.0, 1.0).next(SET, 4.9)
    assert mine.is_improvs
    assert (mine.start_s, mine.end_s) == pytest.approx((5.0, 9.0))
    assert not mine.next(SET, 9.0).is_improvs


def test_the_pulse_of_the_player_is_kept_through_improvs_bars() -> None:
    one = ears()
    stretch = Stretch.first(one, TWO, 0.0, 0.0)
    assert stretch.is_without_tempo
    for i in range(8):
        one.take(Played(ONSET, i * 0.64, "keyboard"))
        stretch.follow(i * 0.64)
    assert stretch.source is TempoSource.PLAYED
    assert stretch.end_s == pytest.approx(5.12, abs=0.02)
    mine = stretch.next(TWO, 5.1)
    assert mine.source is TempoSource.PLAYED
    assert mine.end_s - mine.start_s == pytest.approx(5.12, abs=0.02)
    theirs = mine.next(TWO, 60.0)  # long after which nothing is known of their pulse
    assert theirs.end_s - theirs.start_s == pytest.approx(5.12, abs=0.02)


def test_a_jump_of_the_song_leaves_as_many_bars() -> None:
    one = ticking(3.0)
    stretch = Stretch.first(one, Measure(bars=4), 0.5, 3.0)
    one.keep_time(Played((0xF2, 64, 0), 3.01, "clock"))  # to the fifth bar, from beat 6
    ticking(3.5, one=one, from_s=3.0 + 0.5 / 24)
    stretch.follow(3.5)
    line = stretch.bars.bar_of(stretch.end_s)
    assert stretch.end_s == pytest.approx(stretch.bars.start_s(line))
    assert 7.0 <= stretch.end_s <= 9.0


def test_when_the_clock_has_stopped_it_is_the_last_until_it_goes_on() -> None:
    one = ticking(1.0)
    stretch = Stretch.first(one, TWO, 0.0, 1.0)
    one.keep_time(Played((0xFC,), 1.0, "clock"))
    stretch.follow(1.01)
    assert stretch.is_last
    assert stretch.end_s == pytest.approx(4.0)
    one.keep_time(Played((0xFB,), 1.02, "clock"))
    ticking(1.3, one=one, from_s=1.0 + 0.5 / 24)
    stretch.follow(1.3)
    assert not stretch.is_last


def test_to_end_soon_is_with_the_next_bar_line_and_never_later() -> None:
    stretch = Stretch.first(ears(), Measure(bars=4, tempo_bpm=120.0), 1.0, 1.0)
    stretch.end_soon(3.5)
    assert stretch.end_s == pytest.approx(5.0)
    stretch.end_soon(5.5)
    assert stretch.end_s == pytest.approx(5.0)
    stretch.follow(4.0)
    assert stretch.end_s == pytest.approx(5.0)


def test_without_a_tempo_to_end_soon_is_just_then() -> None:
    for trade in (TWO, Measure(seconds=10.0)):
        stretch = Stretch.first(ears(), trade, 1.0, 1.0)
        stretch.end_soon(2.2)
        assert stretch.end_s == pytest.approx(2.2)


def test_what_is_counted_in_and_has_not_begun_can_end_soon() -> None:
    stretch = Stretch(ears(), TWO, 10.0, 1.0)
    stretch.end_soon(2.2)
    assert stretch.end_s == pytest.approx(2.2)


def test_who_has_missed_the_bar_line_begins_with_the_next_half_beat() -> None:
    mine = Stretch.first(ears(), SET, 1.0, 1.0).next(SET, 4.9)
    assert mine.entry_s(4.94) == pytest.approx(5.0)
    assert mine.entry_s(5.02) == pytest.approx(5.0)
    assert mine.entry_s(5.1) == pytest.approx(5.25)


def test_the_pick_up_is_the_last_eighth() -> None:
    assert Stretch.first(ears(), Measure(bars=1, tempo_bpm=60.0), 1.0, 1.0).pick_up_s == pytest.approx(4.5)
    assert Stretch.first(ears(), Measure(seconds=3.0), 1.0, 1.0).pick_up_s == pytest.approx(3.75)


@given(
    st.lists(
        st.one_of(st.floats(0.25, 1.2), st.integers(0, 500), st.sampled_from((0xFA, 0xFB, 0xFC))), max_size=12
    ),
    st.integers(1, 4),
    st.integers(1, 5),
)
def test_whatever_the_clock_does_it_ends_on_a_bar_line_and_does_not_last_for_ever(
    moves: list[float | int], bars: int, beats: int
) -> None:
    one, now_s, beat_s, trade = ears(), 0.0, 0.5, Measure(bars=bars, beats_per_bar=beats)
    stretch = Stretch.first(one, trade, 0.0, 0.0)
    for move in moves:
        if isinstance(move, float):
            beat_s = move
        elif move in (0xFA, 0xFB, 0xFC):
            one.keep_time(Played((move,), now_s, "clock"))
        else:
            one.keep_time(Played((0xF2, move & 0x7F, move >> 7), now_s, "clock"))
        for _ in range(13):
            now_s += beat_s / 24
            one.keep_time(Played((0xF8,), now_s, "clock"))
            stretch.follow(now_s)
            place = (stretch.end_s - stretch.bars.start_s(0)) / stretch.bars.length_s
            assert place == pytest.approx(round(place), abs=1e-6)
            assert stretch.end_s - now_s <= (bars + 1) * stretch.bars.length_s + 1e-6
