"""What is undone was never heard: state, window, cache and phrases are those of a sitting without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playing import packaged_model
from window_models import RandomModel, representations

from improv_core.exchanges import EXCHANGES_KEPT, Forgotten
from improv_core.heard import HeardNote
from improv_core.improviser import Improviser
from improv_core.improvising import Improvising, MemorySettings, PlannedNote
from improv_core.live_cache import SPARE, LiveCache
from improv_core.notes import Part
from improv_core.recall import PhraseStore
from improv_core.sampler import Sampling
from improv_core.window_improviser import WindowImproviser

FIRST, SECOND = (60, 64, 67, 72), (50, 51, 58, 54, 53)
WINDOW = 12
"""Notes of the window: what is undone has pushed others out of it."""


def improviser_of(seed: int = 1, *, window_notes: int = WINDOW, follow: float = 0.4) -> Improviser:
    memory = MemorySettings(window_notes=window_notes, follow=follow)
    return Improviser(packaged_model(), Sampling(), seed=seed, memory=memory)


def window_improviser_of() -> WindowImproviser:
    model = RandomModel(representations()["events"])
    return WindowImproviser(
        model, model.representation, Sampling(), seed=1, memory=MemorySettings(window_notes=WINDOW)
    )


ALL: tuple[Callable[[], Improvising], ...] = (improviser_of, window_improviser_of)
every_kind = pytest.mark.parametrize("make", ALL, ids=["piano", "events"])


def call(improviser: Improvising, pitches: tuple[int, ...], at_s: float) -> None:
    """One note after the other, a quarter of a second each."""
    for place, pitch in enumerate(pitches):
        improviser.press(pitch, 60 + place, at_s + 0.25 * place)
        improviser.release(pitch, at_s + 0.25 * place + 0.2)


def drawn(improviser: Improvising, turn: int, at_s: float, count: int = 6) -> list[PlannedNote]:
    """A turn with so many notes, all of which sound as planned."""
    improviser.begin_turn(turn, at_s)
    notes = [improviser.draw(at_s, at_s + 60.0) for _ in range(count)]
    improviser.close_turn({note.index: (note.onset_s, note.release_s) for note in notes})
    return notes


def all_of(improviser: Improviser) -> dict[str, Any]:
    """Everything that what comes next depends on."""
    voice, cache = improviser._committed, improviser._cache
    rows = cache._rows
    return {
        "state": np.concatenate([voice.state.hidden.ravel(), voice.state.cell.ravel(), voice.projected]),
        "before": np.concatenate([voice.before.hidden.ravel(), voice.before.cell.ravel()]),
        "stream": [getattr(voice.stream, name) for name in type(voice.stream).__slots__ if name != "_last"],
        "last": None if voice.stream._last is None else voice.stream._last.columns.tolist(),
        "window": [(one.step.columns.tolist(), one.step.dense.tolist()) for one in improviser._window],
        "heard": list(improviser.heard),
        "keys": cache._keys[:, rows],
        "classes": cache._classes[:, rows],
        "intervals": cache._intervals[rows],
        "weights": cache._log_weights[rows],
        "pitches": list(cache._pitches),
        "count": cache.count,
        "answers": list(improviser._answers),
        "call": improviser._call_from_s,
        "outgrown": improviser.outgrown,
    }


def assert_same(one: Improviser, other: Improviser) -> None:
    for (name, a), b in zip(all_of(one).items(), all_of(other).values(), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name) if isinstance(a, np.ndarray) else None
        assert isinstance(a, np.ndarray) or a == b, name


# --- an exchange ------------------------------------------------------------------------------------


def test_what_is_undone_was_never_heard() -> None:
    undone, never = improviser_of(), improviser_of()
    for improviser in (undone, never):
        call(improviser, FIRST, 0.0)
        drawn(improviser, 1, 2.0)
    call(undone, SECOND, 20.0)
    drawn(undone, 2, 22.0)
    assert undone.forget_exchange() == Forgotten(2)
    assert_same(undone, never)
    for improviser in (undone, never):
        call(improviser, SECOND, 60.0)
    assert_same(undone, never)
    assert drawn(undone, 3, 62.0) == drawn(never, 3, 62.0)
    assert_same(undone, never)


@every_kind
def test_the_next_turn_is_drawn_as_if_the_one_that_is_undone_had_not_been(
    make: Callable[[], Improvising],
) -> None:
    undone, never, kept = make(), make(), make()
    for improviser in (undone, never, kept):
        call(improviser, FIRST, 0.0)
        drawn(improviser, 1, 2.0)
    for improviser in (undone, kept):
        call(improviser, SECOND, 20.0)
        drawn(improviser, 2, 22.0)
    assert undone.forget_exchange() == Forgotten(2)
    assert list(undone.heard) == list(never.heard) != list(kept.heard)
    notes = [drawn(improviser, 3, 62.0) for improviser in (undone, never, kept)]
    assert notes[0] == notes[1] != notes[2]


@every_kind
def test_one_exchange_after_the_other_can_be_undone_and_no_more_than_are_kept(
    make: Callable[[], Improvising],
) -> None:
    improviser, empty = make(), make()
    assert improviser.forget_exchange() is None
    for number in range(3):
        call(improviser, FIRST, 20.0 * number)
        drawn(improviser, number + 1, 20.0 * number + 2)
    assert [improviser.forget_exchange() for _ in range(4)] == [
        Forgotten(3),
        Forgotten(2),
        Forgotten(1),
        None,
    ]
    assert list(improviser.heard) == []
    assert drawn(improviser, 9, 100.0) == drawn(empty, 9, 100.0)
    for number in range(20, 20 + 2 * EXCHANGES_KEPT):
        call(improviser, FIRST, 20.0 * number)
        improviser.end_phrase()
    assert sum(improviser.forget_exchange() is not None for _ in range(100)) == EXCHANGES_KEPT


@every_kind
def test_a_phrase_that_was_not_answered_is_undone_alone(make: Callable[[], Improvising]) -> None:
    improviser = make()
    call(improviser, FIRST, 0.0)
    improviser.end_phrase()
    before = list(improviser.heard)
    call(improviser, SECOND, 10.0)
    assert improviser.forget_exchange() == Forgotten(None)
    assert list(improviser.heard) == before
    assert improviser.forget_exchange() == Forgotten(None)
    assert list(improviser.heard) == []


def test_a_key_that_came_up_since_and_the_pedal_are_where_they_are() -> None:
    undone, never = improviser_of(), improviser_of()
    for improviser in (undone, never):
        improviser.press(60, 64, 0.0)
        drawn(improviser, 1, 1.0)
    call(undone, SECOND, 20.0)
    for improviser in (undone, never):
        improviser.release(60, 21.0)
        improviser.move_pedal(127)
    drawn(undone, 2, 23.0)
    undone.forget_exchange()
    assert_same(undone, never)
    assert [note.duration_s for note in undone.heard][:1] == [21.0]


@every_kind
def test_nothing_is_forgotten_while_a_turn_is_open(make: Callable[[], Improvising]) -> None:
    improviser = make()
    call(improviser, FIRST, 0.0)
    improviser.begin_turn(1, 2.0)
    with pytest.raises(RuntimeError, match="open"):
        improviser.forget_exchange()
    with pytest.raises(RuntimeError, match="open"):
        improviser.forget_answer(1)


def test_a_state_that_is_being_made_anew_meanwhile_is_given_up() -> None:
    undone, never = improviser_of(window_notes=200), improviser_of(window_notes=200)
    for improviser in (undone, never):
        call(improviser, FIRST * 20, 0.0)
        drawn(improviser, 1, 30.0)
    call(undone, SECOND, 50.0)
    rebuilding = undone.rebuild()
    next(rebuilding)
    undone.forget_exchange()
    assert list(rebuilding) == []
    assert_same(undone, never)


# --- an answer --------------------------------------------------------------------------------------


def test_an_answer_that_is_forgotten_was_never_heard_and_what_was_played_into_it_was() -> None:
    forgotten, never = improviser_of(window_notes=64), improviser_of(window_notes=64)
    for improviser in (forgotten, never):
        call(improviser, FIRST, 0.0)
    forgotten.begin_turn(1, 2.0)
    notes = [forgotten.draw(2.0, 60.0) for _ in range(3)]
    call(forgotten, SECOND, 20.0)
    forgotten.close_turn({note.index: (note.onset_s, note.release_s) for note in notes})
    assert forgotten.forget_answer(1)
    call(never, SECOND, 20.0)
    assert [n for n in forgotten.heard if n.part is Part.IMPROV] == []
    assert [n.pitch for n in forgotten.heard] == [*FIRST, *SECOND]
    assert [one.step.columns.tolist() for one in forgotten._window] == [
        one.step.columns.tolist() for one in never._window
    ]
    np.testing.assert_array_equal(forgotten._committed.projected, never._committed.projected)
    assert drawn(forgotten, 2, 40.0) == drawn(never, 2, 40.0)


@every_kind
def test_another_answer_to_the_same_call_is_that_of_another_turn_to_it(
    make: Callable[[], Improvising],
) -> None:
    improviser, other = make(), make()
    for one in (improviser, other):
        call(one, FIRST, 0.0)
    first = drawn(improviser, 1, 2.0)
    assert improviser.forget_answer(1)
    second = drawn(improviser, 2, 20.0)
    assert second == drawn(other, 2, 20.0)
    assert [n.pitch for n in first] != [n.pitch for n in second]
    assert improviser.forget_answer(2)
    assert improviser.forget_exchange() == Forgotten(None)


@every_kind
def test_an_answer_after_which_something_was_played_is_not_forgotten(
    make: Callable[[], Improvising],
) -> None:
    improviser = make()
    call(improviser, FIRST, 0.0)
    drawn(improviser, 1, 2.0)
    improviser.press(60, 64, 20.0)
    before = list(improviser.heard)
    assert not improviser.forget_answer(1)
    assert not make().forget_answer(1)
    assert list(improviser.heard) == before


# --- cache and phrases ------------------------------------------------------------------------------


def test_a_cache_that_forgets_holds_again_what_had_made_room() -> None:
    heads = packaged_model().heads
    width = heads.weights[0].shape[1]
    chance = np.random.default_rng(1)
    read = [chance.normal(size=width).astype(np.float32) for _ in range(40)]

    def hear(cache: LiveCache, numbers: range) -> None:
        for number in numbers:
            cache.heard(read[number % 40], (0, 0, 0, 0, 0), (5, 0, 40 + number % 31, 9, 12))

    undone, never = LiveCache(heads, notes=20), LiveCache(heads, notes=20)
    for cache in (undone, never):
        hear(cache, range(50))
    then = undone.count, undone.latest
    hear(undone, range(100, 100 + SPARE))
    undone.forget(*then)
    for cache in (undone, never):
        hear(cache, range(200, 205))
    assert len(undone) == len(never) == 20
    for name in ("_keys", "_classes"):
        one, other = getattr(undone, name)[:, undone._rows], getattr(never, name)[:, never._rows]
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(undone._intervals[undone._rows], never._intervals[never._rows])


def test_a_cache_that_forgets_more_than_it_has_spare_holds_the_less() -> None:
    heads = packaged_model().heads
    cache = LiveCache(heads, notes=4)
    read = np.zeros(heads.weights[0].shape[1], dtype=np.float32)
    for number in range(10 + SPARE):
        cache.heard(read, (0, 0, 0, 0, 0), (5, 0, number % 80, 9, 12))
    cache.forget(8, (1, 2))
    assert len(cache) == 2
    assert cache._classes[2, cache._rows].tolist() == [6, 7]
    cache.forget(5, (1, 2))
    assert len(cache) == 0
    cache.lasted(7, 3)
    cache.heard(read, (0, 0, 0, 0, 0), (5, 0, 33, 9, 12))
    assert cache._classes[2, cache._rows].tolist() == []


def test_phrases_are_those_of_before_a_turn() -> None:
    def phrase(at_s: float) -> list[HeardNote]:
        return [HeardNote(Part.PLAYER, 60 + i, 64, at_s + 0.4 * i, 0.3) for i in range(8)]

    store = PhraseStore()
    store.mark(1)
    store.keep(phrase(0.0))
    store.mark(2)
    assert store.choose(100.0, np.random.default_rng(1)) is not None
    store.keep(phrase(100.0))
    assert store.choose(101.0, np.random.default_rng(1)) is None
    store.go_back(2)
    assert len(store) == 1
    assert store.choose(101.0, np.random.default_rng(1)) is not None
    store.go_back(7)
    assert len(store) == 1
    store.go_back(1)
    assert len(store) == 0
