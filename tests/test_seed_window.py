"""The rolling seed window: bounded in notes and seconds, weighed, read anew in chunks."""

from __future__ import annotations

import numpy as np
from playing import improviser_of, packaged_model, rounding

from improv_core.heard import HeardNote
from improv_core.improviser import Improviser
from improv_core.improvising import MemorySettings
from improv_core.notes import Part
from improv_core.representation import start_steps
from improv_core.sampler import Sampling
from improv_core.seed_window import REBUILD_CHUNK, Remembered, SeedWindow


def note(at_s: float, part: Part = Part.PLAYER, turn: int | None = None) -> Remembered:
    return Remembered(start_steps(), HeardNote(part, 60, 64, at_s), turn)


def filled(window: SeedWindow, *times_s: float) -> SeedWindow:
    for at_s in times_s:
        window.add(note(at_s))
    return window


def onsets_s(window: SeedWindow) -> list[float]:
    return [heard.onset_s for heard in window.heard]


def test_the_oldest_notes_make_room() -> None:
    assert onsets_s(filled(SeedWindow(3), 1.0, 2.0, 3.0, 4.0, 5.0)) == [3.0, 4.0, 5.0]


def test_what_is_older_than_its_seconds_is_forgotten_with_the_next_note() -> None:
    assert onsets_s(filled(SeedWindow(100, 10.0), 1.0, 2.0, 11.5)) == [2.0, 11.5]
    assert onsets_s(filled(SeedWindow(100, 10.0), 1.0, 2.0, 60.0)) == [60.0]


def test_a_bound_that_is_changed_holds_from_the_next_note() -> None:
    window = filled(SeedWindow(100), *map(float, range(50)))
    window.notes = 10
    filled(window, 50.0)
    assert len(window) == 10


def test_a_release_gives_the_players_latest_note_of_the_key_its_length() -> None:
    window = filled(SeedWindow(10), 1.0, 2.0)
    window.add(note(2.5, Part.IMPROV, turn=1))
    window.release(60, 3.0)
    window.release(60, 9.0)
    assert [heard.duration_s for heard in window.heard] == [None, 1.0, None]


def test_improvs_turns_are_kept_or_left_out_whole_by_their_weight() -> None:
    def kept(weight: float) -> list[int]:
        window = SeedWindow(100, own_weight=weight, seed=3)
        return [turn for turn in range(200) if window._is_weighed_in(turn)]

    assert kept(0.0) == []
    assert kept(1.0) == list(range(200))
    assert 60 < len(kept(0.5)) < 140
    assert set(kept(0.25)) < set(kept(0.5))


def played(own_weight: float) -> Improviser:
    """Two turns of either."""
    memory = MemorySettings(window_notes=64, own_weight=own_weight)
    improviser = Improviser(packaged_model(), Sampling(), seed=1, memory=memory)
    for turn in (1, 2):
        begin_s = 10.0 * turn
        for i in range(4):
            improviser.press(60 + i, 70, begin_s + 0.2 * i)
            improviser.release(60 + i, begin_s + 0.2 * i + 0.1)
        improviser.begin_turn(turn, begin_s + 2.0)
        first = improviser.draw(begin_s + 2.0, begin_s + 2.5)
        improviser.close_turn({0: (first.onset_s, first.release_s)})
    improviser.press(80, 70, 30.0)
    return improviser


def output_after(improviser: Improviser, *, own: bool) -> np.ndarray:
    """What the model says after reading the window, with or without improv's notes."""
    model = packaged_model()
    _, state = model.advance(start_steps(), model.initial_state())
    for step, heard in zip(improviser.window, improviser.heard, strict=True):
        if own or heard.part is Part.PLAYER:
            projected, state = model.advance(step, state)
    return projected


def test_made_anew_the_state_has_read_improvs_notes_only_by_their_weight() -> None:
    for weight in (0.0, 1.0):
        improviser = played(weight)
        for _ in improviser.rebuild():
            pass
        expected = output_after(improviser, own=weight == 1.0)
        np.testing.assert_allclose(improviser.voice.projected, expected, atol=1e-4 + rounding(), rtol=0)
        other = output_after(improviser, own=weight == 0.0)
        assert np.abs(improviser.voice.projected - other).max() > 0.2


def test_what_is_played_while_it_is_read_anew_is_read_too() -> None:
    improviser = improviser_of(window_notes=128)
    for i in range(128):
        improviser.press(40 + i % 40, 70, 0.1 * i)
    anew = improviser.rebuild()
    next(anew)
    for i in range(128, 128 + REBUILD_CHUNK):
        improviser.press(40 + i % 40, 70, 0.1 * i)
    has_read_all = improviser.voice.projected.copy()
    for _ in anew:
        pass
    np.testing.assert_allclose(improviser.voice.projected, has_read_all, atol=1e-4 + rounding(), rtol=0)


def test_it_is_stale_until_it_has_been_read_anew_to_the_end() -> None:
    window = filled(SeedWindow(4 * REBUILD_CHUNK), *map(float, range(8 * REBUILD_CHUNK)))
    given_up = window.rebuild(packaged_model())
    next(given_up)
    assert window.is_stale
    for _ in window.rebuild(packaged_model()):
        pass
    assert not window.is_stale


def test_a_memory_of_other_bounds_is_heard_from_the_next_note() -> None:
    improviser = improviser_of(window_notes=64)
    for i in range(64):
        improviser.press(40 + i % 40, 70, 0.1 * i)
    improviser.memory = MemorySettings(window_notes=16)
    improviser.press(90, 70, 10.0)
    assert len(improviser.window) == 16


def test_another_weight_or_span_is_read_with_at_once() -> None:
    improviser = played(1.0)
    assert not improviser.outgrown
    improviser.memory = MemorySettings(window_notes=64, own_weight=0.0)
    assert improviser.outgrown
    for _ in improviser.rebuild():
        pass
    assert not improviser.outgrown
