"""The improviser of every representation but ``piano``: it reads the window and borrows what it lacks."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable

import numpy as np
import pytest
from playing import Room, partner_of
from window_models import RandomModel, learned, representations

from improv_core.improvising import Ask, MemorySettings, PlannedNote
from improv_core.notes import Note, Performance
from improv_core.representation import Frames, Symbols, encode, joined
from improv_core.representation.events import OFF, SHIFT, VELOCITY, WORDS
from improv_core.representation.habits import NO_HABIT
from improv_core.sampler import Sampling
from improv_core.window_improviser import WindowImproviser
from improv_core.window_turn import DRAWN_AT_ONCE, LONGEST_READ, READ_AT_ONCE
from improv_daemon.partner import AnswerEnded, CallHeard, Notice

ALL = representations()
PHRASE = (
    (60, 0.0, 0.40, 50),
    (64, 0.37, 0.31, 61),
    (67, 1.0, 0.42, 72),
    (71, 1.02, 0.43, 73),
    (72, 1.5, 0.9, 84),
    (65, 1.93, 0.25, 95),
)
"""(pitch, onset_s, duration_s, velocity); the third and fourth note are a chord."""

every_kind = pytest.mark.parametrize("kind", ALL)


def improviser_of(
    kind: str = "events",
    *,
    model: RandomModel | None = None,
    seed: int = 1,
    window_notes: int = 64,
    sampling: Sampling | None = None,
) -> WindowImproviser:
    """One that has heard nothing."""
    chosen = model or RandomModel(ALL[kind])
    return WindowImproviser(
        chosen, chosen.representation, sampling or Sampling(), seed=seed, memory=MemorySettings(window_notes)
    )


def having_heard(
    improviser: WindowImproviser, phrase: Iterable[tuple[int, float, float, int]] = PHRASE
) -> WindowImproviser:
    events = [(onset_s, 1, pitch, velocity) for pitch, onset_s, _, velocity in phrase]
    events += [(onset_s + duration_s, 0, pitch, 0) for pitch, onset_s, duration_s, _ in phrase]
    for at_s, down, pitch, velocity in sorted(events):
        if down:
            improviser.press(pitch, velocity, at_s)
        else:
            improviser.release(pitch, at_s)
    return improviser


def drawn(improviser: WindowImproviser, count: int, begin_s: float = 3.0) -> list[PlannedNote]:
    """Notes as a partner draws them: the first soon, each other within a gap."""
    notes = [improviser.draw(begin_s + 0.01, begin_s + 0.81)]
    while len(notes) < count:
        notes.append(improviser.draw(notes[-1].onset_s, notes[-1].onset_s + 1.5))
    return notes


def answering(
    kind: str, count: int, *, seed: int = 1, turn: int = 1
) -> tuple[WindowImproviser, list[PlannedNote]]:
    improviser = having_heard(improviser_of(kind, seed=seed))
    improviser.begin_turn(turn, 3.0)
    return improviser, drawn(improviser, count)


def as_planned(notes: Iterable[PlannedNote]) -> dict[int, tuple[float, float]]:
    return {note.index: (note.onset_s, note.release_s) for note in notes}


def faces(notes: Iterable[PlannedNote]) -> list[tuple[int, int, float, float]]:
    return [(n.pitch, n.velocity, n.onset_s, n.release_s) for n in notes]


# --- drawing --------------------------------------------------------------------------------------


@every_kind
def test_planned_notes_are_numbered_and_in_order_and_within_their_bounds(kind: str) -> None:
    _, notes = answering(kind, 60)
    assert [(note.turn, note.index) for note in notes] == [(1, i) for i in range(60)]
    assert 3.01 <= notes[0].onset_s <= 3.81
    for before, note in itertools.pairwise(notes):
        assert before.onset_s <= note.onset_s <= before.onset_s + 1.5
    for note in notes:
        assert 0.001 <= note.release_s - note.onset_s <= 60
        assert 21 <= note.pitch <= 108
        assert 1 <= note.velocity <= 127
        assert note.pedal in {0, 1}


@every_kind
def test_no_pitch_is_struck_twice_at_one_time(kind: str) -> None:
    _, notes = answering(kind, 120)
    struck = [(note.onset_s, note.pitch) for note in notes]
    assert len(set(struck)) == len(struck)


@every_kind
@pytest.mark.parametrize(("lowest_pitch", "highest_pitch"), [(60, 72), (100, 108), (60, 60)])
def test_only_pitches_in_range_are_drawn(kind: str, lowest_pitch: int, highest_pitch: int) -> None:
    sampling = Sampling(lowest_pitch=lowest_pitch, highest_pitch=highest_pitch)
    improviser = having_heard(improviser_of(kind, sampling=sampling))
    improviser.begin_turn(1, 3.0)
    assert all(lowest_pitch <= note.pitch <= highest_pitch for note in drawn(improviser, 40))


@every_kind
def test_equal_seeds_answer_alike_and_other_seeds_or_turns_otherwise(kind: str) -> None:
    notes = faces(answering(kind, 12)[1])
    assert faces(answering(kind, 12)[1]) == notes
    assert faces(answering(kind, 12, seed=2)[1]) != notes
    assert faces(answering(kind, 12, turn=2)[1]) != notes


@every_kind
def test_what_is_asked_of_a_model_that_knows_nothing_of_it_changes_nothing(kind: str) -> None:
    improviser = having_heard(improviser_of(kind))
    improviser.begin_turn(1, 3.0, Ask(style="pop", notes_per_s=16.0, length_s=0.5))
    assert faces(drawn(improviser, 12)) == faces(answering(kind, 12)[1])


@every_kind
def test_what_was_played_decides_what_is_drawn(kind: str) -> None:
    other = having_heard(improviser_of(kind), [(p + 1, o, d, v) for p, o, d, v in PHRASE])
    other.begin_turn(1, 3.0)
    assert faces(drawn(other, 20)) != faces(answering(kind, 20)[1])


@every_kind
def test_a_note_that_must_come_later_or_earlier_takes_those_after_it_along(kind: str) -> None:
    one, other = (having_heard(improviser_of(kind)) for _ in range(2))
    for improviser in (one, other):
        improviser.begin_turn(1, 3.0)
    soon = [one.draw(3.0, 3.0), *(one.draw(0.0, 1e9) for _ in range(9))]
    late = [other.draw(8.0, 8.0), *(other.draw(0.0, 1e9) for _ in range(9))]
    assert [n.onset_s + 5 for n in soon] == pytest.approx([n.onset_s for n in late])
    assert [n.release_s + 5 for n in soon] == pytest.approx([n.release_s for n in late])


@every_kind
def test_withdrawing_a_note_leaves_the_plan_as_it_was_before_it(kind: str) -> None:
    improviser, notes = answering(kind, 6)
    for _ in range(3):
        improviser.withdraw()
    again = [improviser.draw(notes[i - 1].onset_s, notes[i - 1].onset_s + 1.5) for i in (3, 4, 5)]
    assert again == notes[3:]
    improviser.withdraw()
    squeezed = improviser.draw(notes[4].onset_s, notes[4].onset_s)
    improviser.withdraw()
    assert squeezed.onset_s == notes[4].onset_s
    assert improviser.draw(notes[4].onset_s, notes[4].onset_s + 1.5) == notes[5]


@pytest.mark.parametrize("kind", ["symbols", "normal-order"])
def test_chords_of_symbols_arrive_whole(kind: str) -> None:
    model = RandomModel(learned(Symbols("pitches" if kind == "symbols" else "normal-order", 1)))
    improviser = having_heard(improviser_of(model=model))
    improviser.begin_turn(1, 3.0)
    notes = drawn(improviser, 60)
    chords = [list(group) for _, group in itertools.groupby(notes, lambda note: note.onset_s)]
    assert max(len(chord) for chord in chords) >= 3
    assert all(chord == sorted(chord, key=lambda note: note.pitch) for chord in chords)
    assert all(len({(n.velocity, n.release_s) for n in chord}) == 1 for chord in chords)


@pytest.mark.parametrize("kind", ["events", "frames"])
def test_a_chord_whose_notes_end_at_different_times_arrives_whole_too(kind: str) -> None:
    favourites = {END: -4.0} if kind == "frames" else dict.fromkeys(range(SHIFT, VELOCITY), -4.0)
    improviser = having_heard(improviser_of(model=RandomModel(ALL[kind]).preferring(favourites)))
    improviser.begin_turn(1, 3.0)
    notes = drawn(improviser, 60)
    groups = [list(group) for _, group in itertools.groupby(notes, lambda note: note.onset_s)]
    assert max(len({round(n.release_s, 3) for n in group}) for group in groups) >= 2
    onsets = [group[0].onset_s for group in groups]
    assert onsets == sorted(set(onsets))


END = Frames.attributes[0].binning.size - 1


def test_without_an_open_turn_nothing_can_be_drawn() -> None:
    improviser, _ = answering("events", 1)
    improviser.close_turn({})
    for act in (lambda: improviser.draw(0.0, 1.0), improviser.prepare, improviser.withdraw):
        with pytest.raises(RuntimeError, match="no turn is open"):
            act()


@every_kind
def test_an_answer_without_a_call_is_possible(kind: str) -> None:
    improviser = improviser_of(kind)
    improviser.begin_turn(1, 10.0)
    notes = drawn(improviser, 10, begin_s=10.0)
    assert 10.01 <= notes[0].onset_s <= 10.81


# --- what the model lacks -------------------------------------------------------------------------

INTERVALS_MS = (370, 630, 20, 480, 430)
NOTES_OF_THE_PLAYER = {(61, 310), (72, 420), (73, 430), (84, 900), (95, 250)}
"""(velocity, duration_ms) of all but the first."""


def intervals_ms(notes: Iterable[PlannedNote]) -> list[int]:
    return [round(1000 * (b.onset_s - a.onset_s)) for a, b in itertools.pairwise(notes)]


def test_a_model_of_pitch_alone_plays_in_the_players_rhythm_and_touch() -> None:
    _, notes = answering("pitch", 11)
    assert intervals_ms(notes) == [*INTERVALS_MS[1:], *INTERVALS_MS, INTERVALS_MS[0]]
    touch = [(n.velocity, round(1000 * (n.release_s - n.onset_s))) for n in notes]
    assert touch[:5] == [(61, 310), (72, 420), (73, 430), (84, 900), (95, 250)]
    assert touch[5:10] == touch[:5]


def test_a_model_of_symbols_plays_in_the_rhythm_of_the_players_onsets() -> None:
    _, notes = answering("symbols", 40)
    onsets = [next(group) for _, group in itertools.groupby(notes, lambda note: note.onset_s)]
    assert intervals_ms(onsets)[:8] == [630, 500, 430, 370, 630, 500, 430, 370]
    touch = [(n.velocity, round(1000 * (n.release_s - n.onset_s))) for n in onsets]
    assert touch[:4] == [(61, 310), (72, 420), (84, 900), (95, 250)]


@pytest.mark.parametrize("kind", ["pitch-step-duration", "frames"])
def test_models_without_loudness_take_the_players(kind: str) -> None:
    _, notes = answering(kind, 40)
    assert {note.velocity for note in notes} <= {velocity for _, _, _, velocity in PHRASE[1:]}
    assert len({note.velocity for note in notes}) >= 4


@pytest.mark.parametrize("kind", ["pitch", "pitch-step-duration", "symbols", "normal-order", "frames"])
def test_models_without_pedal_take_the_players(kind: str) -> None:
    improviser = improviser_of(kind)
    improviser.move_pedal(127)
    having_heard(improviser).begin_turn(1, 3.0)
    assert {note.pedal for note in drawn(improviser, 20)} == {1}
    assert {note.pedal for note in answering(kind, 20)[1]} == {0}


def test_without_a_call_there_is_a_habit_too() -> None:
    improviser = improviser_of("pitch")
    improviser.begin_turn(1, 10.0)
    notes = drawn(improviser, 5, begin_s=10.0)
    assert intervals_ms(notes) == [NO_HABIT.dt_ms] * 4
    assert {note.velocity for note in notes} == {NO_HABIT.velocity}


def test_improvs_own_notes_are_no_habit_of_the_players() -> None:
    improviser, notes = answering("pitch", 11)
    improviser.close_turn(as_planned(notes))
    for velocity, onset_s in ((40, 20.0), (41, 20.3)):
        improviser.press(60, velocity, onset_s)
        improviser.release(60, onset_s + 0.2)
    improviser.begin_turn(2, 21.0)
    velocities = [note.velocity for note in drawn(improviser, 12, begin_s=21.0)]
    assert velocities == [61, 72, 73, 84, 95, 41] * 2  # there was a pause before 40


# --- the window -----------------------------------------------------------------------------------


def heard_by(improviser: WindowImproviser, model: RandomModel) -> int:
    """How many steps a turn begins with."""
    model.read = 0
    improviser.begin_turn(1, 100.0)
    while len(improviser._open_turn._unread):
        improviser.prepare()
    return model.read


def scale(count: int) -> list[tuple[int, float, float, int]]:
    return [(40 + i % 40, 0.1 * i, 0.05, 64) for i in range(count)]


def test_the_model_reads_the_window_from_the_start_as_it_was_trained_to() -> None:
    model = RandomModel(ALL["events"])
    improviser = having_heard(improviser_of(model=model))
    improviser.begin_turn(1, 3.0)
    improviser.draw(3.0, 4.0)
    notes = encode(Performance.of(Note(p, v, o, d) for p, o, d, v in PHRASE))
    whole = joined([model.representation.start(), model.representation.rows(notes, np.zeros(6, int)).read])
    twin = improviser_of(model=model)
    having_heard(twin).begin_turn(1, 3.0)
    read = twin._open_turn._unread
    np.testing.assert_array_equal(read.columns, whole.columns)


def test_a_model_of_short_sequences_reads_no_more_than_it_was_trained_on() -> None:
    model = RandomModel(ALL["pitch"], window=25)
    improviser = having_heard(improviser_of(model=model, window_notes=512), scale(200))
    assert heard_by(improviser, model) == 25
    assert heard_by(having_heard(improviser_of(model=model), scale(10)), model) == 11


@every_kind
@pytest.mark.parametrize("window", [1, 2, 25, 50])
def test_nor_does_it_ever_while_it_draws(kind: str, window: int) -> None:
    model = RandomModel(ALL[kind], window=window)
    improviser = having_heard(improviser_of(model=model))
    improviser.begin_turn(1, 3.0)
    drawn(improviser, 200)
    assert model.longest == window


def test_when_it_begins_again_it_reads_the_latest_half_of_its_window() -> None:
    model = RandomModel(ALL["pitch"], window=20)
    improviser = having_heard(improviser_of(model=model), scale(40))
    improviser.begin_turn(1, 5.0)
    notes = drawn(improviser, 1, 5.0)
    read = improviser._open_turn._unread.columns[:, 0].tolist()
    assert read == [*(pitch for pitch, *_ in scale(40)[-9:]), notes[0].pitch]
    before = model.read
    drawn(improviser, 10, 6.0)
    assert model.read - before == 10 + 10
    assert improviser._open_turn._unread.columns.shape == (0, 1)
    drawn(improviser, 1, 7.0)
    assert len(improviser._open_turn._unread) == 10


def test_a_model_that_carries_its_state_on_reads_at_most_512_steps() -> None:
    model = RandomModel(ALL["events"])
    assert heard_by(having_heard(improviser_of(model=model, window_notes=512), scale(400)), model) == 512
    assert LONGEST_READ == 512


def test_the_window_holds_the_latest_notes_only() -> None:
    model = RandomModel(ALL["pitch"])
    assert heard_by(having_heard(improviser_of(model=model, window_notes=16), scale(100)), model) == 17
    one = having_heard(improviser_of("pitch", window_notes=16), scale(100))
    other = having_heard(improviser_of("pitch", window_notes=16), scale(100)[-16:])
    for improviser in (one, other):
        improviser.begin_turn(1, 12.0)
    assert faces(drawn(one, 20, 12.0)) == faces(drawn(other, 20, 12.0))


@every_kind
def test_a_pause_of_hours_is_read_as_one_of_two_seconds(kind: str) -> None:
    answers = []
    for pause_s in (2.0, 7200.0):
        begin_s = 1.95 + pause_s  # the last note of the phrase has ended 2.4 s after its beginning
        improviser = having_heard(having_heard(improviser_of(kind)), [(62, begin_s + 0.45, 0.3, 70)])
        improviser.begin_turn(1, begin_s + 1)
        read = improviser._open_turn._unread
        answers.append((read.columns.tolist(), read.dense.tolist()))
    assert answers[0] == answers[1]


def test_of_the_largest_window_no_more_is_kept_than_is_read() -> None:
    improviser = having_heard(improviser_of("pitch", window_notes=8192), scale(600))
    assert len(improviser._window) == LONGEST_READ


def test_a_single_chord_is_not_answered_with_a_cluster() -> None:
    improviser = having_heard(improviser_of("pitch"), [(60 + 4 * i, 0.01 * i, 0.5, 64) for i in range(3)])
    improviser.begin_turn(1, 3.0)
    assert intervals_ms(drawn(improviser, 7)) == [10, 10, NO_HABIT.dt_ms, 10, 10, NO_HABIT.dt_ms]


def test_nothing_is_carried_from_turn_to_turn_but_the_notes() -> None:
    improviser, notes = answering("events", 20)
    improviser.close_turn({})
    improviser.begin_turn(1, 3.0)
    assert drawn(improviser, 20) == notes
    assert not improviser.outgrown
    assert list(improviser.rebuild()) == []


# --- the end of a turn ----------------------------------------------------------------------------


@every_kind
def test_what_has_sounded_joins_the_window_as_it_sounded(kind: str) -> None:
    improviser, notes = answering(kind, 8)
    cut_s = notes[5].onset_s + 0.1
    twin = having_heard(improviser_of(kind))
    twin.begin_turn(1, 3.0)
    for one, planned in ((improviser, notes), (twin, drawn(twin, 20))):
        one.close_turn({n.index: (n.onset_s, min(n.release_s, cut_s)) for n in planned[:6]})
    for one in (improviser, twin):
        one.press(62, 64, 20.0)
        one.release(62, 20.5)
        one.begin_turn(2, 21.0)
    assert faces(drawn(improviser, 12, 21.0)) == faces(drawn(twin, 12, 21.0))


def test_cut_notes_are_read_with_the_duration_they_had_and_those_that_never_sounded_are_forgotten() -> None:
    improviser, notes = answering("pitch-step-duration", 8)
    improviser.close_turn({n.index: (n.onset_s, n.onset_s + 0.123) for n in notes[:3]})
    improviser.begin_turn(2, 30.0)
    read = improviser._open_turn._unread.dense
    assert len(read) == 1 + len(PHRASE) + 3
    assert read[-3:, 2].tolist() == pytest.approx([0.123] * 3)


def test_an_answer_is_heard_as_what_came_before_the_next_call() -> None:
    improviser, notes = answering("pitch", 4)
    improviser.close_turn(as_planned(notes))
    improviser.press(99, 64, 30.0)
    improviser.begin_turn(2, 31.0)
    read = improviser._open_turn._unread.columns[:, 0].tolist()
    assert read == [128, *(p for p, *_ in PHRASE), *(note.pitch for note in notes), 99]


def test_closing_when_no_turn_is_open_changes_nothing() -> None:
    improviser = having_heard(improviser_of("pitch"))
    improviser.close_turn({0: (1.0, 2.0)})
    improviser.begin_turn(1, 3.0)
    assert faces(drawn(improviser, 9)) == faces(answering("pitch", 9)[1])


# --- what the player does meanwhile ---------------------------------------------------------------


def last_words(improviser: WindowImproviser, now_s: float) -> list[int]:
    improviser.begin_turn(1, now_s)
    return improviser._open_turn._unread.columns[:, 0].tolist()


def test_a_key_that_is_still_down_at_the_hand_over_is_read_as_ending_there() -> None:
    improviser = improviser_of("events")
    improviser.press(60, 64, 0.0)
    improviser.press(64, 64, 0.5)
    improviser.release(64, 0.7)
    shifts = [SHIFT + 49, SHIFT + 19, SHIFT + 29]  # 500, 200 and 300 ms
    read = last_words(improviser, 1.0)
    assert read == [WORDS, VELOCITY + 16, 60, shifts[0], 64, shifts[1], OFF + 64, shifts[2], OFF + 60]


def test_a_key_that_is_let_go_during_an_answer_is_read_afterwards_with_the_length_it_had() -> None:
    improviser = improviser_of("pitch-step-duration")
    improviser.press(60, 64, 0.0)
    improviser.begin_turn(1, 1.0)
    assert improviser._open_turn._unread.dense[1, 2] == pytest.approx(1.0)
    improviser.release(60, 1.2)
    improviser.close_turn({})
    improviser.begin_turn(2, 5.0)
    assert improviser._open_turn._unread.dense[1, 2] == pytest.approx(1.2)


def test_a_key_stamped_before_the_latest_onset_counts_as_simultaneous() -> None:
    improviser = improviser_of("events")
    improviser.press(60, 64, 1.0)
    improviser.press(64, 64, 0.97)
    improviser.release(64, 1.1)
    improviser.release(60, 1.1)
    assert last_words(improviser, 2.0)[:4] == [WORDS, VELOCITY + 16, 60, 64]


def test_a_key_that_is_struck_again_ends_its_earlier_note() -> None:
    improviser = improviser_of("events")
    improviser.press(60, 64, 0.0)
    improviser.press(60, 64, 0.5)
    improviser.release(60, 0.7)
    improviser.release(60, 0.9)
    shifts = [SHIFT + 49, SHIFT + 19]
    words = [60, shifts[0], OFF + 60, 60, shifts[1], OFF + 60]
    assert last_words(improviser, 2.0) == [WORDS, VELOCITY + 16, *words]


def test_the_players_pedal_lengthens_what_is_read() -> None:
    improviser = improviser_of("events")
    improviser.move_pedal(127)
    improviser.press(60, 64, 0.0)
    improviser.release(60, 0.1)
    improviser.move_pedal(63)
    improviser.press(64, 64, 0.5)
    improviser.release(64, 0.6)
    shifts = [SHIFT + 49, SHIFT + 9]
    words = [60, shifts[0], OFF + 60, 64, shifts[1], OFF + 64]
    assert last_words(improviser, 2.0) == [WORDS, VELOCITY + 16, *words]


# --- little at a time -----------------------------------------------------------------------------


@every_kind
def test_a_few_steps_are_taken_at_once_and_the_notes_are_the_same(kind: str) -> None:
    model = RandomModel(ALL[kind])
    improviser = having_heard(improviser_of(model=model, window_notes=512), scale(300))
    improviser.begin_turn(1, 31.0)
    notes, read_at_once, drawn_at_once = list[PlannedNote](), 0, 0
    while len(notes) < 30:
        before, reading = model.read, len(improviser._open_turn._unread) > 0
        ready = improviser.prepare()
        assert not ready or model.read == before
        if reading:
            read_at_once = max(read_at_once, model.read - before)
        else:
            drawn_at_once = max(drawn_at_once, model.read - before)
        if ready:
            before = model.read
            earliest_s = notes[-1].onset_s if notes else 31.01
            notes.append(improviser.draw(earliest_s, earliest_s + 1.5))
            assert model.read == before
    assert read_at_once == READ_AT_ONCE == 16
    assert drawn_at_once <= DRAWN_AT_ONCE == 4
    twin = having_heard(improviser_of(kind, window_notes=512), scale(300))
    twin.begin_turn(1, 31.0)
    first = twin.draw(31.01, 32.51)
    at_once = [first]
    while len(at_once) < 30:
        at_once.append(twin.draw(at_once[-1].onset_s, at_once[-1].onset_s + 1.5))
    assert at_once == notes


def test_every_kind_takes_part() -> None:
    assert {representation.kind for representation in ALL.values()} == {
        "notes",
        "symbols",
        "events",
        "frames",
    }


# --- at a partner's hands -------------------------------------------------------------------------


@every_kind
def test_a_player_who_never_lets_improv_finish_is_never_left_with_a_hanging_note(kind: str) -> None:
    notices, chance = list[Notice](), random.Random(9)
    room = Room(partner_of(notices=notices, improviser=improviser_of(kind, window_notes=128)))
    for _ in range(40):
        room.play(0xB0, 64, chance.choice((0, 127)))
        room.call(*(chance.randrange(48, 84) for _ in range(chance.randrange(1, 5))))
        room.run_for(chance.uniform(0.2, 3.0))
    room.run_for(30.0)
    assert room.performer.silent
    down = set[int]()
    for _, (status, pitch, *_rest) in room.sent:
        if status & 0xF0 == 0x90:
            assert pitch not in down
            down.add(pitch)
        elif status & 0xF0 == 0x80:
            down.remove(pitch)
    assert down == set()
    ends = [notice.yielded for notice in notices if isinstance(notice, AnswerEnded)]
    assert len(ends) == sum(isinstance(notice, CallHeard) for notice in notices)
    assert any(ends)  # some answers were cut short, or this would show nothing
    assert ends[-1] is False
