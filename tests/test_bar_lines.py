"""A sitting's bar lines in its MIDI file stay with the song's."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from clock_signals import CONTINUE, START, STOP, Sequencer, steady

from improv_core.bar_lines import SONG_START, beats_before, conductor
from improv_core.song_beats import SongBeats, song_beats
from improv_core.tempo_map import Conductor, TempoMap

TICKS = 960
JITTER_S = 0.002
MUST_S = 0.005


def conducted(daw: Sequencer) -> Conductor:
    found = conductor(song_beats(daw.messages, daw.beats_per_bar), TICKS)
    assert found is not None
    return found


def bar_lines_s(time: Conductor, until_s: float) -> list[float]:
    """Every bar line of a file, as a program that reads it draws them."""
    tempo_map, lines = TempoMap(TICKS, time.tempos), []
    for (tick, numerator, denominator), (end, _, _) in pairwise([*time.signatures, (1 << 62, 4, 4)]):
        at = tick
        while at < end and tempo_map.seconds(at) < until_s:
            lines.append(tempo_map.seconds(at))
            at += numerator * 4 * TICKS // denominator
    return lines


def furthest_s(daw: Sequencer) -> float:
    """How far the song's bar lines are from the nearest of the file, at the most."""
    lines = bar_lines_s(conducted(daw), daw.at_s + 5.0)
    return max(min(abs(line - bar_s) for line in lines) for bar_s in daw.bars_s)


def test_a_song_from_the_beginning_on_needs_one_tempo() -> None:
    daw = Sequencer(at_s=0.0)
    daw.say(START)
    daw.play(0.0, 400.0, steady(120))
    assert conducted(daw) == Conductor(
        ((0, 500_000), (256 * TICKS, 500_000)), ((0, 4, 4),), ((0, SONG_START),)
    )


def test_before_the_song_whole_bars_pass_that_are_a_little_shorter_or_longer() -> None:
    daw = Sequencer(at_s=5.0)
    daw.say(START)
    daw.play(0.0, 32.0, steady(120))
    assert conducted(daw) == Conductor(
        ((0, 416_667), (12 * TICKS, 500_000)), ((0, 4, 4),), ((12 * TICKS, SONG_START),)
    )


def test_a_song_that_begins_at_once_has_a_short_bar_before_it() -> None:
    daw = Sequencer(at_s=0.75)
    daw.say(START)
    daw.play(0.0, 32.0, steady(120))
    assert conducted(daw) == Conductor(((0, 500_000),), ((0, 3, 8), (1440, 4, 4)), ((1440, SONG_START),))


def test_a_loop_of_whole_bars_leaves_tempo_and_bars_as_they_are() -> None:
    daw = Sequencer(at_s=0.0)
    daw.say(START)
    daw.play(0.0, 16.0, steady(120))
    for _ in range(3):
        daw.locate(8.0)
        daw.play(8.0, 16.0, steady(120))
    assert conducted(daw) == Conductor(((0, 500_000),), ((0, 4, 4),), ((0, SONG_START),))


def test_a_jump_within_a_bar_makes_that_bar_as_short_as_it_was() -> None:
    daw = Sequencer(at_s=0.0)
    daw.say(START)
    daw.play(0.0, 17.5, steady(120))
    daw.locate(0.0)
    daw.play(0.0, 16.0, steady(120))
    assert conducted(daw) == Conductor(
        ((0, 500_000),),
        ((0, 4, 4), (16 * TICKS, 3, 8), (16 * TICKS + 1440, 4, 4)),
        ((0, SONG_START), (16 * TICKS + 1440, SONG_START)),
    )


def played_on(daw: Sequencer) -> None:
    daw.play(0.0, 160.0, steady(97))


def stopped_and_continued(daw: Sequencer) -> None:
    daw.play(0.0, 35.5, steady(120))
    daw.say(STOP)
    daw.at_s += 7.3
    daw.say(CONTINUE)
    daw.play(35.5, 80.0, steady(120))


def started_again_at_once(daw: Sequencer) -> None:
    daw.play(0.0, 18.0, steady(120))
    daw.say(STOP)
    daw.at_s += 0.7
    daw.say(START)
    daw.play(0.0, 40.0, steady(97))


def looped(daw: Sequencer) -> None:
    for _ in range(6):
        daw.locate(0.0)
        daw.play(0.0, 16.0, steady(120))


def jumped_into_a_bar(daw: Sequencer) -> None:
    daw.play(0.0, 21.0, steady(120))
    daw.locate(2.5)
    daw.play(2.5, 40.0, steady(120))


def grew_faster(daw: Sequencer) -> None:
    daw.play(0.0, 100.0, lambda beat: 100 + 0.8 * beat)


def leapt_in_tempo(daw: Sequencer) -> None:
    daw.play(0.0, 100.0, lambda beat: 60 if beat < 30 else 200 if beat < 62 else 70)


@pytest.mark.parametrize(
    "plays",
    [
        *(played_on, stopped_and_continued, started_again_at_once, looped),
        *(jumped_into_a_bar, grew_faster, leapt_in_tempo),
    ],
)
@pytest.mark.parametrize("beats_per_bar", [3, 4])
def test_bar_lines_stay_with_a_clock_that_has_jitter_and_loses_pulses(
    plays: Callable[[Sequencer], None], beats_per_bar: int
) -> None:
    daw = Sequencer(at_s=3.1, jitter_s=JITTER_S, lost=0.01, beats_per_bar=beats_per_bar)
    daw.say(START)
    plays(daw)
    assert furthest_s(daw) < MUST_S


def test_a_clock_that_jitters_round_one_tempo_is_a_few_straight_lines() -> None:
    daw = Sequencer(at_s=3.0, jitter_s=JITTER_S)
    daw.say(START)
    daw.play(0.0, 600.0, steady(120))
    tempos = [60e6 / us for _, us in conducted(daw).tempos][1:]
    assert len(tempos) <= 5
    assert tempos == pytest.approx([120.0] * len(tempos), rel=5e-4)


def test_no_song_is_no_conductor_nor_is_one_that_ends_before_its_first_bar_line() -> None:
    assert conductor((), TICKS) is None
    assert conductor([SongBeats(((1.0, 0.05), (2.0, 0.55)), 4)], TICKS) is None


@pytest.mark.parametrize(
    ("first_s", "natural", "offset", "beats"),
    [
        (7.0, 14.0, 0.0, 16.0),  # a little faster
        (1.0, 1.7, 0.0, 4.0),  # less than a bar, which is then as fast as that
        (0.9, 0.9, 3.0, 3.0),
        (1.0, 5.5, 2.0, 2.0),  # six were too fast, and so there are two
        (0.7, 1.0, 0.0, None),
    ],
)
def test_before_a_song_whole_bars_pass_at_a_tempo_that_programs_know(
    first_s: float, natural: float, offset: float, beats: float | None
) -> None:
    assert beats_before(first_s, natural, offset, 4.0) == beats


def test_a_song_in_another_metre_begins_bars_of_its_own() -> None:
    four = SongBeats(tuple((float(beat), beat * 0.5) for beat in range(9)), 4)
    three = SongBeats(tuple((float(beat), 4.5 + beat * 0.5) for beat in range(7)), 3)
    found = conductor([four, three], TICKS)
    assert found is not None
    assert found.signatures == ((0, 4, 4), (8 * TICKS, 1, 4), (9 * TICKS, 3, 4))
    assert found.tempos == ((0, 500_000),)
