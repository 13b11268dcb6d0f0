"""The player plays while improv's turn is open: the memory has both, in the order in which they sounded."""

from __future__ import annotations

import numpy as np
import pytest
from playing import improviser_of, packaged_model, rounding

from improv_core.improviser import Improviser
from improv_core.improvising import PlannedNote
from improv_core.notes import Part
from improv_core.representation import start_steps

PHRASE = ((60, 0.0, 0.3), (64, 0.4, 0.3), (67, 0.8, 0.3), (72, 1.2, 0.6))


def listening(**options: float) -> Improviser:
    """An improviser that has heard a phrase."""
    improviser = improviser_of(**options)
    for pitch, onset_s, duration_s in PHRASE:
        improviser.press(pitch, 70, onset_s)
        improviser.release(pitch, onset_s + duration_s)
    return improviser


def draw(improviser: Improviser, count: int, from_s: float) -> list[PlannedNote]:
    notes: list[PlannedNote] = []
    for _ in range(count):
        earliest_s = notes[-1].onset_s if notes else from_s
        notes.append(improviser.draw(earliest_s, earliest_s + 0.5))
    return notes


def as_planned(notes: list[PlannedNote]) -> dict[int, tuple[float, float]]:
    return {note.index: (note.onset_s, note.release_s) for note in notes}


def read_anew(improviser: Improviser) -> np.ndarray:
    """What the model says after reading the window from nothing."""
    model = packaged_model()
    _, state = model.advance(start_steps(), model.initial_state())
    for step in improviser.window:
        projected, state = model.advance(step, state)
    return projected


def interleaved(**options: float) -> tuple[Improviser, list[PlannedNote]]:
    """Three notes of improv's, one of the player's that is held, three more."""
    improviser = listening(**options)
    improviser.begin_turn(1, 2.0)
    first = draw(improviser, 3, 2.0)
    between_s = first[-1].onset_s + 0.05
    improviser.press(50, 80, between_s)
    second = draw(improviser, 3, between_s)
    return improviser, [*first, *second]


def test_the_notes_of_both_are_remembered_by_onset() -> None:
    improviser, notes = interleaved()
    improviser.close_turn(as_planned(notes))
    heard = improviser.heard
    assert [n.onset_s for n in heard] == sorted(n.onset_s for n in heard)
    assert [n.part for n in heard[4:]] == [Part.IMPROV] * 3 + [Part.PLAYER] + [Part.IMPROV] * 3
    assert heard[7].duration_s is None


def test_the_memory_is_that_of_one_who_read_it_all_in_order() -> None:
    improviser, notes = interleaved()
    improviser.close_turn(as_planned(notes))
    np.testing.assert_allclose(
        improviser.voice.projected, read_anew(improviser), atol=1e-5 + rounding(), rtol=0
    )


def test_what_the_player_plays_changes_what_comes() -> None:
    _, notes = interleaved()
    alone = listening()
    alone.begin_turn(1, 2.0)
    undisturbed = draw(alone, 6, 2.0)
    assert undisturbed[:3] == notes[:3]
    assert undisturbed[3:] != notes[3:]


def test_a_key_that_comes_before_notes_already_on_their_way_is_read_before_them() -> None:
    improviser = listening()
    improviser.begin_turn(1, 2.0)
    notes = draw(improviser, 3, 2.0)
    early_s = notes[0].onset_s + 0.001
    improviser.press(50, 80, early_s)
    improviser.release(50, early_s + 0.2)
    improviser.close_turn(as_planned(notes))
    onsets_s = [n.onset_s for n in improviser.heard]
    assert onsets_s == sorted(onsets_s)
    np.testing.assert_allclose(
        improviser.voice.projected, read_anew(improviser), atol=1e-5 + rounding(), rtol=0
    )


def test_of_a_turn_cut_short_only_what_sounded_is_remembered_and_all_that_the_player_played() -> None:
    improviser, notes = interleaved()
    improviser.close_turn(as_planned(notes[:2]))
    assert [n.part for n in improviser.heard[4:]] == [Part.IMPROV] * 2 + [Part.PLAYER]
    np.testing.assert_allclose(
        improviser.voice.projected, read_anew(improviser), atol=1e-5 + rounding(), rtol=0
    )


def test_notes_may_be_settled_one_by_one_with_the_same_result() -> None:
    at_once, notes = interleaved()
    at_once.close_turn(as_planned(notes))
    one_by_one, _ = interleaved()
    ended: dict[int, tuple[float, float]] = {}
    for note in notes[:4]:
        ended[note.index] = note.onset_s, note.release_s
        one_by_one.settle(ended)
    assert len(one_by_one.window) == 4 + 4 + 1
    one_by_one.close_turn(as_planned(notes))
    assert [n.pitch for n in one_by_one.heard] == [n.pitch for n in at_once.heard]
    np.testing.assert_array_equal(one_by_one.voice.projected, at_once.voice.projected)


def test_settling_stops_at_the_first_note_whose_end_is_not_known() -> None:
    improviser, notes = interleaved()
    ended = {n.index: (n.onset_s, n.release_s) for n in notes if n.index != 1}
    assert improviser.settle(ended) == 1
    assert len(improviser.window) == 4 + 1


def test_a_key_let_go_while_the_turn_is_open_is_up_for_every_note_that_comes_after() -> None:
    improviser, notes = interleaved()
    improviser.release(50, notes[-1].onset_s)
    (later,) = draw(improviser, 1, notes[-1].onset_s + 0.05)
    improviser.close_turn(as_planned([*notes, later]))
    assert improviser.window[-2].dense[0, 50]
    assert not improviser.window[-1].dense[0, 50]


def test_the_state_can_be_made_anew_in_the_middle_of_a_turn() -> None:
    improviser, notes = interleaved(window_notes=16)
    improviser.settle(as_planned(notes[:2]))
    projected = improviser.voice.projected.copy()
    for _ in improviser.rebuild():
        pass
    np.testing.assert_allclose(improviser.voice.projected, projected, atol=1e-4 + rounding(), rtol=0)
    improviser.close_turn(as_planned(notes))
    np.testing.assert_allclose(
        improviser.voice.projected, read_anew(improviser), atol=1e-4 + rounding(), rtol=0
    )


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_played_into_it_the_memory_is_that_of_one_who_read_what_sounded(seed: int) -> None:
    rng = np.random.default_rng(seed)
    improviser = listening()
    now_s, down = 2.0, set[int]()
    for turn in (1, 2):
        improviser.begin_turn(turn, now_s)
        sounded: dict[int, tuple[float, float]] = {}
        for _ in range(30):
            choice = rng.random()
            if choice < 0.6:
                note = improviser.draw(now_s, now_s + 0.4)
                now_s = max(now_s, note.onset_s)
                length_s = (note.release_s - note.onset_s) * float(rng.choice([1.0, 1.0, 0.3]))
                if rng.random() < 0.9:
                    sounded[note.index] = note.onset_s, note.onset_s + length_s
                else:
                    improviser.withdraw()
            elif choice < 0.85:
                pitch = int(rng.integers(36, 90))
                improviser.press(pitch, 70, now_s - float(rng.choice([0.0, 0.0, 0.03])))
                down.add(pitch)
            elif down:
                improviser.release(down.pop(), now_s)
            now_s += 0.02
        improviser.close_turn(sounded)
        while down:
            improviser.release(down.pop(), now_s)
    onsets_s = [n.onset_s for n in improviser.heard]
    assert onsets_s == sorted(onsets_s)
    np.testing.assert_allclose(
        improviser.voice.projected, read_anew(improviser), atol=1e-4 + 2 * rounding(), rtol=0
    )
