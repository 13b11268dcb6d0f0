"""A phrase of the player's that comes back minutes later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improv_core.heard import HeardNote
from improv_core.motifs import motif_overlap
from improv_core.notes import Part
from improv_core.recall import (
    AGAIN_AFTER_S,
    FORGOTTEN_AFTER_S,
    KNOWN_FROM,
    LEAST_AGO_S,
    MOST_NOTES,
    MOST_PHRASES,
    Idea,
    PhraseStore,
    likeness,
    phrase_of,
    varied,
)

TUNE = (60, 64, 67, 65, 64, 62, 64, 65, 67, 69, 67, 65, 64, 62, 59, 60)


def heard(*pitches: int, at_s: float = 0.0, velocity: int = 64, gap_s: float = 0.4) -> list[HeardNote]:
    return [
        HeardNote(Part.PLAYER, pitch, velocity, at_s + gap_s * i, gap_s - 0.05)
        for i, pitch in enumerate(pitches)
    ]


def ideas(*pitches: int, velocity: int = 64) -> tuple[Idea, ...]:
    return tuple(Idea(pitch, velocity, 0, 0.4 * i, 0.35) for i, pitch in enumerate(pitches))


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


# --- what is kept, and what is chosen of it -------------------------------------------------------


def test_a_phrase_is_kept_as_it_was_played() -> None:
    store = PhraseStore()
    notes = heard(64, 60, 62, 64, 65, at_s=7.0)
    held = HeardNote(Part.PLAYER, 65, 30, 8.6, None)
    pedals = (0, 1, 1, 0, 0)
    store.keep([replace(n, pedal=p) for n, p in zip([*notes[:-1], held], pedals, strict=True)])
    chosen = store.choose(100.0, rng())
    assert chosen is not None
    assert chosen.ended_s == pytest.approx(8.63)
    assert [one.pitch for one in chosen.ideas] == [64, 60, 62, 64, 65]
    assert [one.velocity for one in chosen.ideas] == [64, 64, 64, 64, 30]
    assert [one.pedal for one in chosen.ideas] == [0, 1, 1, 0, 0]
    assert [one.onset_s for one in chosen.ideas] == pytest.approx([0, 0.4, 0.8, 1.2, 1.6])
    assert [one.duration_s for one in chosen.ideas] == pytest.approx([0.35, 0.35, 0.35, 0.35, 0.03])


def test_what_nobody_would_know_again_is_not_kept() -> None:
    store = PhraseStore()
    store.keep([])
    store.keep(heard(60, 62, 64, 65))
    store.keep(heard(60, 62, 64, 65, 67, gap_s=0.2))
    assert len(store) == 0
    store.keep(heard(*range(21, 108), *range(21, 108), *range(21, 108)))
    chosen = store.choose(1000.0, rng())
    assert chosen is not None
    assert len(chosen.ideas) == MOST_NOTES


def test_a_phrase_comes_back_after_a_minute_and_then_not_for_five() -> None:
    store = PhraseStore()
    store.keep(heard(*TUNE))
    ended_s = 0.4 * len(TUNE) - 0.05
    assert store.choose(ended_s + LEAST_AGO_S - 1, rng()) is None
    chosen = store.choose(ended_s + LEAST_AGO_S + 1, rng())
    assert chosen is not None
    assert chosen.ideas[0].pitch == TUNE[0]
    taken_s = ended_s + LEAST_AGO_S + 1
    assert store.choose(taken_s + AGAIN_AFTER_S - 1, rng()) is None
    assert store.choose(taken_s + AGAIN_AFTER_S + 1, rng()) == chosen
    assert store.choose(ended_s + FORGOTTEN_AFTER_S + 1, rng()) is None
    assert len(store) == 0


def test_with_several_each_has_its_turn_and_the_same_dice_choose_the_same() -> None:
    def order(seed: int) -> list[int]:
        store, dice = PhraseStore(), rng(seed)
        for i in range(4):
            store.keep(heard(*(pitch + i for pitch in TUNE), at_s=10.0 * i))
        found = [store.choose(200.0 + i, dice) for i in range(4)]
        assert store.choose(210.0, dice) is None
        return [one.number for one in found if one is not None]

    assert sorted(order(1)) == [0, 1, 2, 3]
    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(10)}) > 5


def test_hours_of_playing_fill_no_more_than_a_shelf() -> None:
    store = PhraseStore()
    for i in range(2000):
        store.keep(heard(*TUNE, at_s=8.0 * i))
        store.choose(8.0 * i + 7, rng(i))
    assert len(store) == MOST_PHRASES
    assert len(store._taken_s) <= MOST_PHRASES


# --- how it comes back ----------------------------------------------------------------------------


@pytest.mark.parametrize("by", [5, -5, 2, -3, 12])
def test_it_comes_back_in_the_key_and_register_of_what_is_played_now(by: int) -> None:
    call = heard(*(pitch + by for pitch in TUNE))
    back = varied(ideas(*TUNE), rng(), call=call)
    assert back[0].pitch == TUNE[0] + by
    assert back[-1].pitch == TUNE[-1] + by


def test_where_the_key_is_the_same_its_pitches_are_and_something_else_is_varied() -> None:
    for seed in range(20):
        back = varied(ideas(*TUNE), rng(seed), call=heard(*reversed(TUNE)))
        assert back[0].pitch == TUNE[0]
        assert back != ideas(*TUNE)


def test_it_is_varied_in_several_ways() -> None:
    backs = {varied(ideas(*TUNE), rng(seed), call=heard(*TUNE)) for seed in range(30)}
    lengths = {len(back) for back in backs}
    assert min(lengths) < len(TUNE) < max(lengths)
    assert any(back[-1].onset_s > 6.0 for back in backs)


def test_it_is_half_way_to_the_loudness_of_the_call() -> None:
    back = varied(ideas(*TUNE, velocity=100), rng(), call=heard(*TUNE, velocity=40))
    assert back[0].velocity == 70


def test_ornaments_are_of_the_scale_that_is_asked_for() -> None:
    c_major = {0, 2, 4, 5, 7, 9, 11}
    for seed in range(30):
        back = varied(ideas(*TUNE), rng(seed), call=heard(*TUNE), scale=c_major)
        assert {one.pitch % 12 for one in back} <= c_major


def test_no_more_comes_back_than_there_is_time_for() -> None:
    for seed in range(10):
        back = varied(ideas(*TUNE), rng(seed), longest_s=2.0)
        assert 3 <= len(back) <= 7
        assert back[-1].onset_s <= 2.75


def test_nothing_is_made_of_nothing() -> None:
    assert varied((), rng()) == ()
    assert varied((), rng(), call=heard(*TUNE)) == ()


chords = st.lists(
    st.tuples(st.sampled_from([0.0, 0.12, 0.25, 0.5, 1.0]), st.integers(21, 108), st.floats(0.05, 2.0)),
    min_size=5,
    max_size=60,
)


@given(chords, st.integers(0, 10_000), st.booleans())
def test_whatever_was_played_is_known_again(
    notes: list[tuple[float, int, float]], seed: int, answered: bool
) -> None:
    at_s, made = 0.0, []
    for gap_s, pitch, duration_s in notes:
        at_s += gap_s
        made.append(Idea(pitch, 64, 0, at_s, duration_s))
    phrase = tuple(sorted(made, key=lambda one: (one.onset_s, one.pitch)))
    back = varied(phrase, rng(seed), call=heard(*TUNE) if answered else ())
    assert all(21 <= one.pitch <= 108 and 1 <= one.velocity <= 127 and one.duration_s > 0 for one in back)
    assert [one.onset_s for one in back] == sorted(one.onset_s for one in back)
    assert back[0].onset_s == phrase[0].onset_s
    if phrase_of(phrase).motifs:
        assert likeness(back, phrase) >= KNOWN_FROM
        assert motif_overlap(phrase_of(back), phrase_of(phrase)) >= KNOWN_FROM
    assert varied(phrase, rng(seed), call=heard(*TUNE) if answered else ()) == back
