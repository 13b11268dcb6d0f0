"""A performance becomes the same steps whether it arrives live or is read from a file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improv_core.notes import ControlChange, Note, Part, Performance
from improv_core.representation import (
    ATTRIBUTES,
    KEYS,
    STYLES,
    Notes,
    Piano,
    PianoStream,
    Pulse,
    Setting,
    Steps,
    Wishes,
    encode,
    steps,
    targets,
    to_ms,
)
from improv_core.representation.asking import (
    ALONE,
    ASKED,
    FREE_DENSITY,
    FREE_LEFT,
    FREE_STYLE,
    NO_PERIOD,
    NO_PHASE,
)
from improv_core.representation.binning import Grid, binning_from_spec
from improv_core.representation.piano import COLUMNS, DT, DURATION, HELD, keys_down

PEDAL, RELEASE, ONSET = range(3)
OWN = [column.name for column in ASKED].index("own")


@st.composite
def performances(draw: st.DrawFn) -> Performance:
    """Notes on a millisecond clock with chords, re-struck keys and pedal."""
    count = draw(st.integers(1, 25))
    notes, onset_ms = [], draw(st.integers(0, 3000))
    for _ in range(count):
        onset_ms += draw(st.sampled_from([0, 0, 1, 7, 15, 120, 500, 11_000]))
        pitch = draw(st.integers(55, 62))
        duration_ms = draw(st.sampled_from([0, 1, 4, 30, 90, 700, 25_000]))
        notes.append(Note(pitch, draw(st.integers(1, 127)), onset_ms / 1000, duration_ms / 1000))
    pedal = [
        ControlChange(64, draw(st.integers(0, 127)), draw(st.integers(0, 5000)) / 1000)
        for _ in range(draw(st.integers(0, 6)))
    ]
    return Performance.of(notes, pedal)


def as_events(performance: Performance, parts: list[Part]) -> list[tuple[int, int, int]]:
    """(at_ms, kind, index) of every event of the encoded notes, in the order of arrival."""
    notes = encode(performance)
    first_ms = to_ms(performance.notes[0].onset_s)
    onset_ms = first_ms + np.cumsum(notes.dt_ms)
    events = [(int(onset_ms[i]), ONSET, i) for i in range(len(notes))]
    events += [
        (int(onset_ms[i] + notes.duration_ms[i]), RELEASE, i)
        for i in range(len(notes))
        if parts[i] == Part.PLAYER
    ]
    events += [(to_ms(change.at_s), PEDAL, i) for i, change in enumerate(performance.pedal)]
    return sorted(events)


def stream(
    performance: Performance, parts: list[Part], style: str | None = None, pulse: Pulse | None = None
) -> Steps:
    """Every step of a performance that arrives one event at a time."""
    notes, live = encode(performance), PianoStream()
    live.style, live.pulse = style, pulse
    collected: list[Steps] = []
    for at_ms, kind, i in as_events(performance, parts):
        if kind == PEDAL:
            live.move_pedal(performance.pedal[i].value)
        elif kind == RELEASE:
            live.release(int(notes.pitch[i]), at_ms)
        elif parts[i] == Part.PLAYER:
            collected.append(live.press(int(notes.pitch[i]), int(notes.velocity[i]), at_ms))
        else:
            if i and parts[i - 1] == Part.PLAYER:
                again = live.hand_over(at_ms)
                assert again is not None
                collected[-1] = again
            numbers = (notes.pitch[i], notes.velocity[i], notes.pedal[i], at_ms, notes.duration_ms[i])
            collected.append(live.play(*(int(number) for number in numbers)))
    return Steps(
        np.concatenate([one.columns for one in collected]), np.concatenate([one.dense for one in collected])
    )


@given(performances(), st.data())
def test_streaming_a_performance_gives_the_steps_of_encoding_it(
    performance: Performance, data: st.DataObject
) -> None:
    count = len(encode(performance))
    parts = data.draw(st.lists(st.sampled_from(Part), min_size=count, max_size=count))
    live = stream(performance, parts)
    whole = steps(encode(performance), np.array(parts))
    np.testing.assert_array_equal(live.columns, whole.columns)
    np.testing.assert_array_equal(live.dense, whole.dense)


@st.composite
def pulses(draw: st.DrawFn) -> Pulse:
    """Any beat, also one that no table has."""
    return Pulse(draw(st.floats(-1e5, 1e5)), draw(st.floats(20, 5000)))


def set_in(performance: Performance, style: str | None, pulse: Pulse | None) -> Notes:
    """The notes as a file of them would be read of which the style and the beats are known."""
    notes = encode(performance)
    onset_ms = to_ms(performance.notes[0].onset_s) + notes.onset_ms
    ticks = [0 if pulse is None else pulse.ticks(at_ms) for at_ms in onset_ms.tolist()]
    beat_ms = np.full(len(notes), 0 if pulse is None else round(pulse.beat_ms))
    setting = Setting(np.zeros(len(notes), dtype=np.int64), np.array(ticks), beat_ms, style)
    return replace(notes, setting=setting)


@given(performances(), st.sampled_from([None, *STYLES]), st.none() | pulses(), st.data())
def test_streaming_with_a_style_and_a_pulse_gives_the_steps_of_a_file_of_which_they_are_known(
    performance: Performance, style: str | None, pulse: Pulse | None, data: st.DataObject
) -> None:
    notes = set_in(performance, style, pulse)
    parts = data.draw(st.lists(st.sampled_from(Part), min_size=len(notes), max_size=len(notes)))
    live = stream(performance, parts, style, pulse)
    whole = steps(notes, np.array(parts))
    np.testing.assert_array_equal(live.columns, whole.columns)
    np.testing.assert_array_equal(live.dense, whole.dense)


def test_hands_that_play_at_once_read_as_they_do_from_a_file() -> None:
    performance = Performance.of(
        [Note(48 + 12 * (i % 2) + i % 5, 64, 0.2 * (i // 2), 0.35 + 0.1 * (i % 3)) for i in range(24)]
    )
    pulse = Pulse(origin_ms=50.0, beat_ms=400.0)
    notes = set_in(performance, "pop", pulse)
    for improv in (0, 1):
        parts = [Part(int(i % 2 == improv)) for i in range(24)]
        live, whole = stream(performance, parts, "pop", pulse), steps(notes, np.array(parts))
        np.testing.assert_array_equal(live.columns, whole.columns)
        np.testing.assert_array_equal(live.dense, whole.dense)
        assert set(live.columns[:, 5].tolist()) == {0, 1}


def test_style_phase_and_period_are_read_where_they_are_known() -> None:
    performance = Performance.of([Note(60, 64, onset_s, 0.1) for onset_s in (1.0, 1.25, 1.5)])
    known = steps(set_in(performance, "roll era", Pulse(1000.0, 500.0)), np.ones(3, dtype=np.int64))
    assert known.columns[:, 8:].tolist() == [[1, 0, 12], [1, 12, 12], [1, 0, 12]]
    nothing = steps(encode(performance), np.ones(3, dtype=np.int64))
    assert nothing.columns[:, 8:].tolist() == [[FREE_STYLE, NO_PHASE, NO_PERIOD]] * 3
    np.testing.assert_array_equal(nothing.columns[:, :8], known.columns[:, :8])


def test_a_stream_and_its_twin_keep_style_and_pulse_each_for_itself() -> None:
    one = PianoStream()
    one.style, one.pulse = "pop", Pulse(0.0, 500.0)
    twin = one.copy()
    assert (twin.style, twin.pulse) == ("pop", Pulse(0.0, 500.0))
    twin.style, twin.pulse = "classical", None
    assert one.press(60, 64, 250).columns[0, 8:].tolist() == [2, 12, 12]
    assert twin.press(60, 64, 250).columns[0, 8:].tolist() == [0, NO_PHASE, NO_PERIOD]


def test_what_is_asked_goes_to_the_heads_beside_who_plays_and_the_style() -> None:
    performance = Performance.of([Note(60, 64, onset_s, 0.1) for onset_s in (0.0, 0.5)])
    part, wishes = np.array([0, 1]), Wishes(np.array([3, FREE_DENSITY]), np.array([FREE_LEFT, 7]))
    pop = set_in(performance, "pop", None)
    assert Piano().rows(pop, part, wishes).asked.tolist() == [
        *([0, 2, 3, FREE_LEFT, ALONE], [1, 2, FREE_DENSITY, 7, ALONE])
    ]
    assert Piano().rows(pop, part).asked.tolist() == [
        [who, 2, FREE_DENSITY, FREE_LEFT, ALONE] for who in (0, 1)
    ]
    nothing = Piano().rows(encode(performance), part).asked
    assert nothing.tolist() == [[who, FREE_STYLE, FREE_DENSITY, FREE_LEFT, ALONE] for who in (0, 1)]


def test_the_heads_are_told_the_own_pitch_of_who_plays_where_both_do() -> None:
    notes = encode(Performance.of([Note(60 + i, 64, 0.1 * i, 0.1) for i in range(5)]))
    own = Piano().rows(notes, np.array([0, 1, 1, 0, 1])).asked[:, OWN]
    assert own.tolist() == [ALONE, ALONE, 61, 60, 62]


@st.composite
def stretches(draw: st.DrawFn) -> list[tuple[Part, int]]:
    """Part and pitch of each note: short exchanges, and stretches in which one of the two is silent."""
    runs = draw(st.lists(st.tuples(st.sampled_from(Part), st.integers(1, 14)), max_size=8))
    parts = [part for part, length in runs for _ in range(length)]
    return [(part, draw(st.integers(0, KEYS - 1))) for part in parts]


def sound(live: PianoStream, part: Part, pitch: int, at_ms: int) -> None:
    if part == Part.PLAYER:
        live.press(pitch, 64, at_ms)
    else:
        live.hand_over(at_ms)  # reads the latest note again, which is no further note
        live.play(pitch, 64, 0, at_ms, 50)


@given(stretches(), st.data())
def test_streaming_tells_the_own_pitch_that_a_file_of_the_same_notes_does(
    played: list[tuple[Part, int]], data: st.DataObject
) -> None:
    performance = Performance.of([Note(pitch, 64, 0.1 * i, 0.05) for i, (_, pitch) in enumerate(played)])
    part = np.array([part for part, _ in played], dtype=np.int64)
    expected = Piano().rows(encode(performance), part).asked[:, OWN].tolist()
    live, told = PianoStream(), []
    for i, (part, pitch) in enumerate(played):
        told.append(live.own_pitch(part))
        twin = live.copy()
        assert [twin.own_pitch(who) for who in Part] == [live.own_pitch(who) for who in Part]
        goes_on, stays = (live, twin) if data.draw(st.booleans()) else (twin, live)
        before = [stays.own_pitch(who) for who in Part]
        sound(goes_on, part, pitch, 100 * i)
        assert [stays.own_pitch(who) for who in Part] == before
        live = goes_on
    assert told == expected


@given(performances())
def test_every_column_stays_inside_its_table(performance: Performance) -> None:
    notes = encode(performance)
    for known in (notes, set_in(performance, "jazz line", Pulse(123.4, 567.8))):
        columns = steps(known, np.zeros(len(notes), dtype=np.int64)).columns
        assert (columns >= 0).all()
        assert (columns < np.array([size for _, size in COLUMNS])).all()


@given(performances())
def test_a_key_that_is_struck_again_ends_its_earlier_note(performance: Performance) -> None:
    notes = encode(performance)
    onset_ms = np.cumsum(notes.dt_ms)
    for pitch in set(notes.pitch.tolist()):
        mine = notes.pitch == pitch
        assert (onset_ms[mine][1:] >= (onset_ms + notes.duration_ms)[mine][:-1]).all()


def test_the_players_note_is_held_at_its_onset_and_improvs_duration_is_known() -> None:
    performance = Performance.of([Note(60, 64, 0.0, 0.5), Note(64, 64, 1.0, 0.5)])
    columns = steps(encode(performance), np.array([Part.PLAYER, Part.IMPROV])).columns
    assert columns[:, 4].tolist() == [HELD, int(DURATION.bins(np.int64(500)))]


def test_keys_read_at_the_hand_over_are_those_still_down_then() -> None:
    performance = Performance.of([Note(60, 64, 0.0, 5.0), Note(64, 64, 1.0, 0.5), Note(67, 64, 3.0, 1.0)])
    notes = encode(performance)
    read = steps(notes, np.array([Part.PLAYER, Part.PLAYER, Part.IMPROV])).dense
    assert np.flatnonzero(read[1]).tolist() == [60]
    assert np.flatnonzero(keys_down(notes)[1]).tolist() == [60, 64]


def test_pedal_is_read_at_the_onset_and_events_of_one_millisecond_count_pedal_first() -> None:
    pedal = [ControlChange(64, 127, 1.0), ControlChange(64, 63, 2.0)]
    notes = encode(Performance.of([Note(60, 64, t, 0.1) for t in (0.5, 1.0, 1.5, 2.0)], pedal))
    assert notes.pedal.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("grid", [DT, DURATION], ids=["dt", "duration"])
def test_a_time_drawn_from_a_class_falls_into_that_class(grid: Grid) -> None:
    for index in range(grid.size):
        for uniform in (0.0, 0.5, 0.999_999):
            assert grid.bins(np.int64(grid.value(index, uniform))) == index


def test_dt_is_exact_to_10_ms_up_to_250_ms_and_reaches_10_s() -> None:
    assert DT.bins(np.arange(0, 260, 10)).tolist() == list(range(26))
    assert DT.bins(np.array([10_000, 99_000])).tolist() == [95, 95]
    assert DT.size == 96
    assert DURATION.size == 128


def test_binnings_survive_their_description() -> None:
    for attribute in ATTRIBUTES:
        again = binning_from_spec(attribute.binning.spec())
        assert again.spec() == attribute.binning.spec()
        values = np.arange(0, 3000, 7)
        np.testing.assert_array_equal(again.bins(values), attribute.binning.bins(values))


def test_targets_are_the_classes_in_the_order_of_the_attributes() -> None:
    notes = encode(Performance.of([Note(60, 64, 0.0, 0.1), Note(72, 100, 0.2, 0.05)]))
    assert targets(notes).tolist() == [[0, 0, 60, 16, 9], [20, 0, 72, 25, 4]]
