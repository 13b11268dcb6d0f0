"""Answers that are thought of before the player has stopped."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playing import Room, improviser_of, model_that_plays, partner_of

from improv_core.closing import Closing
from improv_core.improviser import Improviser
from improv_core.improvising import Ask, PlannedNote
from improv_daemon.wire import Cue, PlayNote

LENGTH_S = 3.0
ASK = Ask(length_s=LENGTH_S)


def listening(seed: int = 1) -> Improviser:
    improviser = improviser_of(seed=seed)
    for i, pitch in enumerate((60, 64, 67, 72)):
        improviser.press(pitch, 70, 0.3 * i)
        improviser.release(pitch, 0.3 * i + 0.25)
    return improviser


def rehearsed(count: int, seed: int = 1) -> Improviser:
    improviser = listening(seed)
    for _ in improviser.rehearse(1, ASK, count=count, first_s=(1.5, 2.3), max_gap_s=1.5):
        pass
    return improviser


def answer(improviser: Improviser, at_s: float = 1.5) -> list[PlannedNote]:
    """A whole answer, as the partner draws it."""
    improviser.begin_turn(1, at_s, ASK)
    closing, notes = Closing(LENGTH_S, 1.5), list[PlannedNote]()
    earliest_s, latest_s = at_s, at_s + 0.8
    while True:
        note = improviser.draw(earliest_s, latest_s)
        if not closing.takes(note.onset_s):
            improviser.withdraw()
            return notes
        notes.append(note)
        earliest_s, latest_s = note.onset_s, note.onset_s + closing.gap_s


def candidates(improviser: Improviser) -> tuple[tuple[PlannedNote, ...], ...]:
    assert improviser._rehearsal is not None
    return improviser._rehearsal.answers


def test_one_answer_thought_of_beforehand_is_that_which_would_be_drawn() -> None:
    assert answer(rehearsed(1)) == answer(listening())


def test_several_answers_differ_and_one_of_them_is_played() -> None:
    improviser = rehearsed(4)
    thought_of = candidates(improviser)
    assert len({tuple(n.pitch for n in one) for one in thought_of}) == 4
    assert tuple(answer(improviser)) in thought_of


def test_each_candidate_ends_by_itself() -> None:
    for one in candidates(rehearsed(4)):
        assert LENGTH_S - 1.5 < one[-1].onset_s - one[0].onset_s <= LENGTH_S + 0.75


def test_a_key_drops_what_was_thought_of() -> None:
    improviser = rehearsed(2)
    improviser.press(62, 70, 1.45)
    improviser.release(62, 1.49)
    fresh = listening()
    fresh.press(62, 70, 1.45)
    fresh.release(62, 1.49)
    assert answer(improviser) == answer(fresh)


def test_thinking_leaves_the_memory_as_it_was() -> None:
    improviser, fresh = rehearsed(4), listening()
    assert (improviser.voice.projected == fresh.voice.projected).all()
    assert len(improviser.window) == len(fresh.window)


def test_an_answer_that_begins_at_another_time_is_the_same_only_later() -> None:
    on_time, early = answer(rehearsed(3)), answer(rehearsed(3), at_s=1.3)
    assert [n.pitch for n in early] == [n.pitch for n in on_time]
    shift_s = on_time[0].onset_s - early[0].onset_s
    gaps = zip(early, on_time, strict=True)
    assert all(abs(b.onset_s - a.onset_s - shift_s) < 1e-9 for a, b in gaps)


@pytest.mark.parametrize(
    "ask", [replace(ASK, style="pop"), replace(ASK, notes_per_s=2.0)], ids=["style", "density"]
)
def test_what_was_thought_of_is_not_played_where_something_else_is_asked_by_now(ask: Ask) -> None:
    thought_of, fresh = rehearsed(4), listening()
    thought_of.begin_turn(1, 1.5, ask)
    fresh.begin_turn(1, 1.5, ask)
    assert thought_of.draw(1.5, 2.3) == fresh.draw(1.5, 2.3)


def test_what_was_thought_of_is_played_where_only_the_length_is_another_by_now() -> None:
    longer = rehearsed(1)
    longer.begin_turn(1, 1.5, replace(ASK, length_s=LENGTH_S + 1.0))
    assert longer.draw(1.5, 2.3) == answer(rehearsed(1))[0]


def test_what_is_not_thought_to_the_end_is_drawn_to_its_end() -> None:
    improviser = listening()
    thinking = improviser.rehearse(1, ASK, count=2, first_s=(1.5, 2.3), max_gap_s=1.5)
    for _ in range(3):
        next(thinking)
    begun = candidates(improviser)
    notes = answer(improviser)
    assert tuple(notes[:3]) in [one[:3] for one in begun]
    assert len(notes) > 3


def test_while_the_player_is_silent_improv_thinks_of_its_answer_before_the_turn_is_over() -> None:
    room = Room(partner_of(improviser=improviser_of(), candidates=4))
    room.call(60, 64, 67)
    deadline_s = room.partner._policy._deadline_s()
    room.run_for(deadline_s - room.now_s - 0.001)
    assert not room.commands
    thought_of = {tuple(n.pitch for n in one) for one in candidates(room.improviser)}
    assert len(thought_of) == 4
    room.run_for(10.0)
    played = tuple(c.pitch for _, c in room.commands if isinstance(c, PlayNote))
    assert played in thought_of


def test_a_hand_over_by_hand_is_answered_at_once() -> None:
    room = Room(partner_of(model_that_plays(dt=900, duration=100)))
    room.call(60, 64, 67, gap_s=0.2, duration_s=0.1)
    room.press(72)
    handed_over_s = room.now_s
    room.wish(Cue("hand_over"))
    room.run_for(0.01)
    assert [at_s for at_s, _ in room.onsets] == [handed_over_s]


def test_a_hand_over_without_a_call_is_no_answer() -> None:
    room = Room(partner_of())
    room.wish(Cue("hand_over"))
    room.run_for(5.0)
    assert room.onsets == []
