"""The live cache: what was played becomes likelier, transposed too, and nothing else changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improv_core.live_cache import CONTEXT, TRUSTS, LiveCache, Trust
from improv_core.model import Heads
from improv_core.representation import ATTRIBUTE_NAMES, ATTRIBUTES, KEYS
from improv_core.representation.asking import ASKED
from improv_core.sampler import Mixing

WIDTH = 24
SIZES = tuple(attribute.binning.size for attribute in ATTRIBUTES)
NOTHING = (0,) * len(ASKED)
DT, PEDAL, PITCH, VELOCITY, DURATION = range(len(ATTRIBUTES))
MOTIF = (60, 64, 62, 67, 65, 60)


def tables(*sizes: int, seed: int) -> tuple[np.ndarray, ...]:
    chance = np.random.default_rng(seed)
    return tuple(chance.normal(size=(size, WIDTH)).astype(np.float32) for size in sizes)


HEADS = Heads(
    asked=tables(*(column.size for column in ASKED), seed=1),
    weights=tables(*SIZES, seed=2),
    biases=tuple(np.zeros(size, dtype=np.float32) for size in SIZES),
    given=tables(*SIZES, seed=3),
    conditions=tuple(tuple(range(i)) for i in range(len(ATTRIBUTES))),
    rectified=True,
    scales=(None,) * len(ATTRIBUTES),
)


def place(number: int) -> np.ndarray:
    """The model's output somewhere in the music."""
    return np.random.default_rng((7, number)).normal(size=WIDTH).astype(np.float32)


SOMEWHERE = place(0)


def note(pitch: int, *, dt: int = 10, velocity: int = 16, duration: int = 20) -> tuple[int, ...]:
    return (dt, 0, pitch, velocity, duration)


def even(attribute: int) -> np.ndarray:
    return np.full(SIZES[attribute], 1 / SIZES[attribute])


def reads(attribute: int, classes: Sequence[int], projected: np.ndarray = SOMEWHERE) -> np.ndarray:
    return HEADS.inputs(attribute, HEADS.begin(projected, NOTHING), classes)


def expected(
    mixing: Mixing, attribute: int, earlier: Sequence[int] = note(0), projected: np.ndarray = SOMEWHERE
) -> np.ndarray:
    """What is drawn from, where the model has no opinion."""
    z = reads(attribute, earlier[:attribute], projected)
    return mixing.mixed(attribute, z, earlier[:attribute], even(attribute))


def playing(
    cache: LiveCache, pitches: Sequence[int], *, projected: np.ndarray | None = None, weight: float = 1.0
) -> LiveCache:
    """Each note in another place of the music, unless one is named."""
    for i, pitch in enumerate(pitches):
        where = place(100 + i) if projected is None else projected
        cache.heard(where, NOTHING, note(pitch), weight=weight)
    return cache


# --- where it says nothing ------------------------------------------------------------------------


def test_what_follows_nobody_is_left_as_it_is_to_the_bit() -> None:
    cache = playing(LiveCache(HEADS, 0.0), MOTIF)
    for attribute in range(len(ATTRIBUTES)):
        shares = np.random.default_rng(3).dirichlet(np.ones(SIZES[attribute]))
        z = reads(attribute, note(60)[:attribute])
        assert cache.mixed(attribute, z, note(60)[:attribute], shares) is shares


def test_a_cache_that_has_heard_nothing_leaves_probabilities_as_they_are() -> None:
    shares = even(PITCH)
    assert LiveCache(HEADS, 0.5).mixed(PITCH, reads(PITCH, (1, 0)), (1, 0), shares) is shares
    assert LiveCache(HEADS, 0.5).after(MOTIF).mixed(PITCH, reads(PITCH, (1, 0)), (1, 0), shares) is shares


def test_of_the_pedal_it_has_no_opinion() -> None:
    cache = playing(LiveCache(HEADS, 0.5), MOTIF)
    shares = np.array([0.3, 0.7])
    assert cache.mixed(PEDAL, reads(PEDAL, (1,)), (1,), shares) is shares


def test_where_nothing_fits_the_cache_says_what_the_model_says() -> None:
    lone = (None, None, Trust(sharpness=80.0, interval=0.0, doubt=1.0, transposed=0.0), None, None)
    cache = LiveCache(HEADS, 0.5, trusts=lone)
    cache.heard(SOMEWHERE, NOTHING, note(60))
    assert expected(cache, PITCH, projected=-SOMEWHERE) == pytest.approx(even(PITCH), abs=1e-7)


# --- what comes again -----------------------------------------------------------------------------


@pytest.mark.parametrize("attribute", [DT, PITCH, VELOCITY, DURATION])
def test_what_was_played_here_is_likelier_here(attribute: int) -> None:
    cache = LiveCache(HEADS, 0.3)
    played = note(61, dt=7, velocity=9, duration=33)
    cache.heard(SOMEWHERE, NOTHING, played)
    mixed = expected(cache, attribute, played)
    assert mixed.argmax() == played[attribute]
    assert mixed[played[attribute]] > 2 / SIZES[attribute]


def test_the_note_of_the_like_place_is_likelier_than_that_of_another() -> None:
    cache = LiveCache(HEADS, 0.3)
    cache.heard(place(1), NOTHING, note(50))
    cache.heard(place(2), NOTHING, note(70))
    first, second = (expected(cache, PITCH, note(0), place(i)) for i in (1, 2))
    assert first[50] > first[70]
    assert second[70] > second[50]


def test_the_share_of_the_cache_is_that_which_follow_says() -> None:
    sure = (None, None, Trust(sharpness=20.0, interval=0.0, doubt=1e-9, transposed=0.0), None, None)
    cache = LiveCache(HEADS, 0.3, trusts=sure)
    cache.heard(SOMEWHERE, NOTHING, note(60))
    assert expected(cache, PITCH)[60] == pytest.approx(0.7 / KEYS + 0.3)
    cache.follow = 0.5
    assert expected(cache, PITCH)[60] == pytest.approx(0.5 / KEYS + 0.5)


def test_a_motif_goes_on_as_it_went_on() -> None:
    cache = playing(LiveCache(HEADS, 0.3), (*MOTIF, 40, 90, *MOTIF[:-1]))
    assert expected(cache, PITCH).argmax() == MOTIF[-1]


def test_a_motif_goes_on_transposed() -> None:
    moved = [pitch + 5 for pitch in MOTIF]
    cache = playing(LiveCache(HEADS, 0.3), (*MOTIF, 40, 90, *moved[:-1]))
    assert expected(cache, PITCH).argmax() == moved[-1]


def test_without_its_twin_a_motif_does_not_go_on_transposed() -> None:
    plain = [trust and Trust(trust.sharpness, trust.interval, trust.doubt) for trust in TRUSTS]
    moved = [pitch + 5 for pitch in MOTIF]
    cache = playing(LiveCache(HEADS, 0.3, trusts=plain), (*MOTIF, 40, 90, *moved[:-1]))
    assert expected(cache, PITCH).argmax() == MOTIF[-1]


def test_the_longer_context_counts_for_more() -> None:
    cache = playing(LiveCache(HEADS, 0.3), (60, 62, 64, 65, 30, 50, 64, 71, 20, 60, 62, 64))
    mixed = expected(cache, PITCH)
    assert mixed[65] > 5 * mixed[71]


def test_an_interval_off_the_keyboard_is_left_out() -> None:
    cache = playing(LiveCache(HEADS, 0.5), (10, 100, 120))
    mixed = expected(cache, PITCH)
    assert mixed.shape == (KEYS,)
    assert mixed.sum() == pytest.approx(1)


def test_velocity_and_duration_are_those_of_the_note_that_was_struck_there() -> None:
    cache = LiveCache(HEADS, 0.3)
    for pitch, velocity in ((60, 5), (64, 11), (60, 5), (67, 25)):
        cache.heard(SOMEWHERE, NOTHING, note(pitch, velocity=velocity, duration=velocity))
    here = cache.after((60,))
    for pitch, class_of in ((64, 11), (67, 25)):
        for attribute in (VELOCITY, DURATION):
            assert expected(here, attribute, note(pitch, velocity=class_of)).argmax() == class_of


# --- notes that have not sounded ------------------------------------------------------------------


def test_without_more_it_speaks_of_the_note_after_those_it_has_heard() -> None:
    cache = playing(LiveCache(HEADS, 0.3), (*MOTIF, 40, *MOTIF[:-1]))
    latest = (*MOTIF, 40, *MOTIF[:-1])[-CONTEXT:]
    for attribute in range(len(ATTRIBUTES)):
        assert (expected(cache, attribute) == expected(cache.after(latest), attribute)).all()


def test_a_note_can_follow_some_that_have_not_sounded_and_the_cache_does_not_learn_of_them() -> None:
    cache = playing(LiveCache(HEADS, 0.3), (*MOTIF, 40, 90))
    before = expected(cache, PITCH)
    moved = [pitch - 7 for pitch in MOTIF]
    assert expected(cache.after([40, 90, *moved[:-1]]), PITCH).argmax() == moved[-1]
    assert (expected(cache, PITCH) == before).all()
    assert cache.count == len(MOTIF) + 2


def test_what_follows_certain_notes_knows_what_has_been_heard_since() -> None:
    cache = playing(LiveCache(HEADS, 0.3), (40, 90))
    here = cache.after(MOTIF[:-1])
    assert expected(here, PITCH).argmax() != MOTIF[-1]
    playing(cache, MOTIF)
    assert expected(here, PITCH).argmax() == MOTIF[-1]


def test_the_first_note_of_all_follows_none() -> None:
    cache = playing(LiveCache(HEADS, 0.3), (60,))
    assert expected(cache.after(()), PITCH).argmax() == 60


# --- durations that are not known yet -------------------------------------------------------------


def test_a_duration_is_said_once_the_key_has_come_up() -> None:
    cache = LiveCache(HEADS, 0.3)
    token = cache.heard(SOMEWHERE, NOTHING, note(60)[:-1])
    assert expected(cache, DURATION, note(60)) == pytest.approx(even(DURATION))
    assert expected(cache, PITCH).argmax() == 60
    cache.lasted(token, 77)
    assert expected(cache, DURATION, note(60)).argmax() == 77


def test_a_key_that_comes_up_long_after_its_note_was_forgotten_changes_nothing() -> None:
    cache = LiveCache(HEADS, 0.3, notes=4)
    token = cache.heard(SOMEWHERE, NOTHING, note(60)[:-1])
    for _ in range(4):
        cache.heard(SOMEWHERE, NOTHING, note(60))
    before = expected(cache, DURATION, note(60))
    cache.lasted(token, 77)
    assert (expected(cache, DURATION, note(60)) == before).all()


# --- weights and bounds ---------------------------------------------------------------------------


def test_a_note_of_less_weight_counts_for_less_and_one_of_none_not_at_all() -> None:
    def of(weight: float) -> float:
        cache = LiveCache(HEADS, 0.3)
        cache.heard(SOMEWHERE, NOTHING, note(60), weight=weight)
        return float(expected(cache, PITCH)[60])

    assert of(1.0) > of(0.5) > of(0.1) > of(0.0)
    assert of(0.0) == pytest.approx(1 / KEYS)


def test_only_the_latest_notes_are_held() -> None:
    sure = (None, None, Trust(sharpness=80.0, interval=0.0, doubt=1e-3, transposed=0.0), None, None)
    cache = LiveCache(HEADS, 0.5, notes=8, trusts=sure)
    cache.heard(SOMEWHERE, NOTHING, note(61))
    playing(cache, range(20, 90, 10))
    assert expected(cache, PITCH)[61] > 0.4
    playing(cache, [90])
    assert (len(cache), cache.count) == (8, 9)
    assert expected(cache, PITCH)[61] < 0.01


def test_a_trust_that_single_precision_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="too sharp for single precision"):
        Trust(sharpness=79.0, interval=1.0, doubt=1.0)


def test_a_cache_of_no_notes_is_refused() -> None:
    with pytest.raises(ValueError, match="a note at least, got 0"):
        LiveCache(HEADS, 0.3, notes=0)


def test_memory_does_not_grow() -> None:
    def size(cache: LiveCache) -> int:
        return sum(value.nbytes for value in vars(cache).values() if isinstance(value, np.ndarray))

    cache = LiveCache(HEADS, 0.3, notes=16)
    before = size(cache)
    playing(cache, range(20, 120))
    assert size(cache) == before
    assert len(cache) == 16


@settings(max_examples=60, deadline=None)
@given(
    pitches=st.lists(st.integers(0, KEYS - 1), max_size=40),
    notes=st.integers(1, 20),
    follow=st.floats(0, 0.5),
    seed=st.integers(0, 100),
)
def test_probabilities_stay_probabilities(pitches: list[int], notes: int, follow: float, seed: int) -> None:
    cache = playing(LiveCache(HEADS, follow, notes=notes), pitches)
    chance = np.random.default_rng(seed)
    for attribute in range(len(ATTRIBUTES)):
        shares = chance.dirichlet(np.ones(SIZES[attribute]))
        mixed = cache.mixed(attribute, reads(attribute, note(60), place(seed)), note(60)[:attribute], shares)
        assert mixed.shape == shares.shape
        assert (mixed >= (1 - follow) * shares - 1e-12).all()
        assert mixed.sum() == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(
    pitches=st.lists(st.integers(60, 63), min_size=1, max_size=40),
    context=st.lists(st.integers(60, 63), max_size=CONTEXT),
    notes=st.integers(1, 20),
)
def test_contexts_are_compared_interval_by_interval(
    pitches: list[int], context: list[int], notes: int
) -> None:
    cache = playing(LiveCache(HEADS, 0.3, notes=notes), pitches)
    intervals = [None, *np.diff(pitches).tolist()][-notes:]
    wanted = np.diff(context).tolist()
    for i, alike in enumerate(cache.alike(context).tolist()):
        before = [one for one in reversed(intervals[:i]) if one is not None]
        same = [a == b for a, b in zip(before, reversed(wanted), strict=False)]
        assert alike == (same.index(False) if False in same else len(same))


def test_what_it_says_does_not_depend_on_where_in_its_memory_the_notes_stand() -> None:
    whole, late = LiveCache(HEADS, 0.3, notes=12), LiveCache(HEADS, 0.3, notes=12)
    playing(late, [30, 31, 33, 36, 40])
    for cache in (whole, late):
        playing(cache, [60 + i * i % 11 for i in range(13)])
    for attribute in range(len(ATTRIBUTES)):
        assert expected(late, attribute) == pytest.approx(expected(whole, attribute), rel=1e-5)


def test_every_attribute_has_its_trust() -> None:
    looked_up = [name for name, trust in zip(ATTRIBUTE_NAMES, TRUSTS, strict=True) if trust is not None]
    assert looked_up == ["dt", "pitch", "velocity", "duration"]
