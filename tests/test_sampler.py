"""Where chance comes in: temperature, min-p, masks and bounds."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playing import model_that_plays, packaged_model
from window_models import PITCH_ALONE, RandomModel, ink_of, no_notes

from improv_core.leaning import NO_LEANING, Leaning
from improv_core.model import Heads
from improv_core.notes import CHORD_MS, FINGERS, Part
from improv_core.representation import ATTRIBUTE_NAMES, ATTRIBUTES, KEYS, start_steps
from improv_core.representation.asking import ALONE, FREE_DENSITY, FREE_LEFT, FREE_STYLE
from improv_core.representation.piano import DT, DURATION, VELOCITY
from improv_core.sampler import (
    Drawn,
    FloatArray,
    Mixing,
    Sampling,
    draw_class,
    draw_note,
    draw_step,
    pitch_mask,
    towards,
)

ANYTHING = Sampling(min_p=0.0)
NOTHING_ASKED = (int(Part.IMPROV), FREE_STYLE, FREE_DENSITY, FREE_LEFT, ALONE)
PITCH = ATTRIBUTE_NAMES.index("pitch")
LONGEST_MS = int(DT.bounds_ms()[-1])


def logits_of(*shares: float) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(np.array(shares))


@functools.cache
def first_output() -> np.ndarray:
    model = packaged_model()
    projected, _ = model.advance(start_steps(), model.initial_state())
    return projected


def drawn(
    seed: int = 1,
    *,
    heads: Heads | None = None,
    sampling: Sampling = ANYTHING,
    asked: tuple[int, ...] = NOTHING_ASKED,
    dt_ms: tuple[int, int] = (0, 1500),
    chord: tuple[int, ...] = (),
    leaning: Leaning = NO_LEANING,
    mixing: Mixing | None = None,
) -> Drawn:
    return draw_note(
        heads or packaged_model().heads,
        first_output(),
        sampling,
        np.random.default_rng(seed),
        asked=asked,
        dt_ms=dt_ms,
        chord=chord,
        leaning=leaning,
        mixing=mixing,
    )


def with_head(attribute: int, logits: np.ndarray) -> Heads:
    """The packaged heads, one of which always says the same."""
    heads = packaged_model().heads
    weights, biases = list(heads.weights), list(heads.biases)
    weights[attribute], biases[attribute] = np.zeros_like(weights[attribute]), logits.astype(np.float32)
    return replace(heads, weights=tuple(weights), biases=tuple(biases))


# --- one class ------------------------------------------------------------------------------------


def test_classes_come_as_often_as_they_are_likely() -> None:
    rng = np.random.default_rng(7)
    counts = Counter(draw_class(logits_of(0.5, 0.3, 0.2), 0.0, rng.random()) for _ in range(20_000))
    assert [round(counts[i] / 20_000, 2) for i in range(3)] == [0.5, 0.3, 0.2]


def test_classes_take_up_the_unit_interval_in_order() -> None:
    uniforms = (0.0, 0.4999, 0.5001, 0.7999, 0.8001, np.nextafter(1.0, 0.0))
    assert [draw_class(logits_of(0.5, 0.3, 0.2), 0.0, u) for u in uniforms] == [0, 0, 1, 1, 2, 2]


def test_min_p_leaves_only_classes_near_the_likeliest() -> None:
    logits = logits_of(0.5, 0.26, 0.23, 0.01)
    rng = np.random.default_rng(7)
    assert {draw_class(logits, 0.5, rng.random()) for _ in range(2000)} == {0, 1}
    assert {draw_class(logits, 0.03, rng.random()) for _ in range(2000)} == {0, 1, 2}


@pytest.mark.parametrize(
    ("top_p", "kept"), [(1.0, {0, 1, 2, 3}), (0.8, {0, 1, 3}), (0.76, {0, 1, 3}), (0.74, {1, 3}), (0.05, {1})]
)
def test_top_p_leaves_the_likeliest_classes_that_make_up_the_share(top_p: float, kept: set[int]) -> None:
    rng = np.random.default_rng(7)
    assert {draw_class(logits_of(0.15, 0.45, 0.1, 0.3), 0.0, rng.random(), top_p) for _ in range(500)} == kept


def test_top_p_counts_what_min_p_has_left() -> None:
    rng = np.random.default_rng(7)
    logits = logits_of(0.3, 0.3, 0.2, 0.1, 0.1)
    assert {draw_class(logits, 0.5, rng.random(), 0.7) for _ in range(500)} == {0, 1}


def test_what_top_p_leaves_keeps_its_proportions() -> None:
    rng = np.random.default_rng(7)
    counts = Counter(draw_class(logits_of(0.4, 0.2, 0.4), 0.0, rng.random(), 0.7) for _ in range(8000))
    assert set(counts) == {0, 2}
    assert counts[0] / 8000 == pytest.approx(0.5, abs=0.02)


def test_a_masked_class_is_never_drawn_not_even_at_the_edges() -> None:
    logits = logits_of(0.0, 0.4, 0.0, 0.6, 0.0)
    for uniform in (0.0, 0.3999, 0.4001, np.nextafter(1.0, 0.0)):
        assert draw_class(logits, 0.0, uniform) in {1, 3}


@given(
    st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=40),
    st.floats(0.0, 0.9),
    st.floats(0, 1, exclude_max=True),
)
def test_any_logits_give_a_class_that_exists(values: list[float], min_p: float, uniform: float) -> None:
    for top_p in (1.0, 0.9, 0.05):
        assert 0 <= draw_class(np.array(values), min_p, uniform, top_p) < len(values)


# --- pitches --------------------------------------------------------------------------------------


def test_the_mask_allows_the_range_without_the_chord() -> None:
    mask = pitch_mask(Sampling(lowest_pitch=60, highest_pitch=64), (61, 63, 90))
    assert np.flatnonzero(mask == 0).tolist() == [60, 62, 64]
    assert np.isneginf(np.delete(mask, [60, 62, 64])).all()


def test_no_pitch_lies_outside_the_range() -> None:
    narrow = replace(ANYTHING, lowest_pitch=50, highest_pitch=52)
    heads = with_head(ATTRIBUTE_NAMES.index("pitch"), np.zeros(KEYS))
    assert {drawn(seed, heads=heads, sampling=narrow).pitch for seed in range(60)} == {50, 51, 52}


def test_a_range_of_one_pitch_gives_that_pitch() -> None:
    for pitch in (0, 60, 127):
        assert drawn(sampling=Sampling(lowest_pitch=pitch, highest_pitch=pitch)).pitch == pitch


def test_a_chord_never_doubles_a_pitch_however_likely_it_is() -> None:
    heads = model_that_plays(dt=0, pitch=60).heads
    assert drawn(heads=heads).pitch == 60
    assert all(drawn(seed, heads=heads, chord=(60,)).pitch != 60 for seed in range(40))


def test_a_pitch_may_come_again_once_the_chord_is_over() -> None:
    heads = model_that_plays(dt=CHORD_MS + 10, pitch=60).heads
    assert drawn(heads=heads, chord=(60,)).pitch == 60


def test_a_chord_that_has_used_up_the_range_is_over() -> None:
    heads = model_that_plays(dt=0).heads
    narrow = Sampling(lowest_pitch=60, highest_pitch=61)
    for seed in range(40):
        note = drawn(seed, heads=heads, sampling=narrow, chord=(60, 61))
        assert note.dt_ms >= CHORD_MS
        assert note.pitch in {60, 61}
    assert drawn(heads=heads, sampling=narrow, chord=(60, 61), dt_ms=(0, 0)).dt_ms == CHORD_MS


def test_a_chord_of_ten_notes_is_over() -> None:
    ten = tuple(range(60, 60 + FINGERS))
    assert all(drawn(seed, chord=ten).dt_ms >= CHORD_MS for seed in range(40))
    assert any(drawn(seed, chord=ten[:-1]).dt_ms < CHORD_MS for seed in range(40))


# --- the onset ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("earliest", "latest"),
    [
        *((0, 1500), (0, 1), (3, 4), (100, 104), (250, 251), (700, 1500), (9000, 9500)),
        *((LONGEST_MS - 1, LONGEST_MS), (LONGEST_MS - 5, LONGEST_MS + 5000)),
    ],
)
def test_the_onset_lies_within_its_bounds(earliest: int, latest: int) -> None:
    for seed in range(50):
        assert earliest <= drawn(seed, dt_ms=(earliest, latest)).dt_ms < max(latest, earliest + 1)


@pytest.mark.parametrize(
    ("bounds", "onset"),
    [
        ((50, 50), 50),
        ((50, 0), 50),
        ((LONGEST_MS, LONGEST_MS + 500), LONGEST_MS),
        ((3_600_000, 3_600_800), 3_600_000),
    ],
    ids=["no-time", "late-already", "at-the-last-class", "an-hour"],
)
def test_where_the_head_says_nothing_the_onset_is_due_at_once(bounds: tuple[int, int], onset: int) -> None:
    assert {drawn(seed, dt_ms=bounds).dt_ms for seed in range(20)} == {onset}


def test_a_class_that_lies_half_outside_its_bounds_counts_half() -> None:
    flat = with_head(0, np.zeros(DT.size))
    onsets = np.array([drawn(seed, heads=flat, dt_ms=(0, 20)).dt_ms for seed in range(1500)])
    # The classes of 0, 10 and 20 ms hold 0..4, 5..14 and 15..24; half of the last lies inside.
    shares = [(onsets < 5).mean(), ((onsets >= 5) & (onsets < 15)).mean(), (onsets >= 15).mean()]
    assert shares == pytest.approx([0.4, 0.4, 0.2], abs=0.05)
    assert onsets.max() == 19


# --- whole notes ----------------------------------------------------------------------------------


def test_the_same_chance_gives_the_same_note_and_another_another() -> None:
    assert drawn(5) == drawn(5)
    assert len({drawn(seed) for seed in range(20)}) > 1


def test_each_attribute_comes_from_its_own_class() -> None:
    heads = model_that_plays(dt=120, pedal=1, pitch=67, velocity=100, duration=400).heads
    for seed in range(20):
        note = drawn(seed, heads=heads)
        assert (note.pedal, note.pitch) == (1, 67)
        assert DT.bins(np.int64(note.dt_ms)) == DT.bins(np.int64(120))
        assert VELOCITY.bins(np.int64(note.velocity)) == VELOCITY.bins(np.int64(100))
        assert DURATION.bins(np.int64(note.duration_ms)) == DURATION.bins(np.int64(400))


def test_a_low_temperature_takes_the_likeliest_a_high_one_takes_all() -> None:
    cold = Sampling(temperature_pitch=0.05, temperature_dt=0.05, min_p=0.0)
    hot = Sampling(temperature_pitch=3.0, min_p=0.0)
    assert len({drawn(s, sampling=cold).pitch for s in range(60)}) < len(
        {drawn(s, sampling=hot).pitch for s in range(60)}
    )


@given(
    seed=st.integers(0, 2**32),
    earliest=st.integers(0, 20_000),
    span=st.integers(-10, 3000),
    lowest=st.integers(0, 127),
    width=st.integers(0, 127),
    temperature=st.floats(0.05, 3.0),
    min_p=st.floats(0.0, 0.9),
    chord=st.lists(st.integers(0, 127), max_size=128, unique=True),
)
@settings(max_examples=200, deadline=None)
def test_whatever_is_set_a_note_comes_out(
    seed: int,
    earliest: int,
    span: int,
    lowest: int,
    width: int,
    temperature: float,
    min_p: float,
    chord: list[int],
) -> None:
    highest = min(127, lowest + width)
    names = ("dt", "pedal", "pitch", "velocity", "duration")
    temperatures = {f"temperature_{name}": temperature for name in names}
    sampling = Sampling(**temperatures, min_p=min_p, lowest_pitch=lowest, highest_pitch=highest)
    note = drawn(seed, sampling=sampling, dt_ms=(earliest, earliest + span), chord=tuple(chord))
    assert lowest <= note.pitch <= highest
    assert note.pedal in {0, 1}
    assert 1 <= note.velocity <= 127
    assert note.duration_ms >= 1
    assert note.dt_ms >= earliest
    assert note.dt_ms >= CHORD_MS or note.pitch not in chord


def test_the_temperatures_are_in_the_order_of_the_attributes() -> None:
    sampling = Sampling(1.1, 1.2, 1.3, 1.4, 1.5)
    assert sampling.temperatures == (1.1, 1.2, 1.3, 1.4, 1.5)
    assert [a.name for a in ATTRIBUTES] == ["dt", "pedal", "pitch", "velocity", "duration"]


@pytest.mark.parametrize("name", ["dt", "pedal", "pitch", "velocity", "duration", "of-another-kind"])
def test_the_overall_temperature_multiplies_each(name: str) -> None:
    sampling = Sampling(1.1, 1.2, 1.3, 1.4, 1.5, temperature=2.0)
    assert sampling.temperatures == (2.2, 2.4, 2.6, 2.8, 3.0)
    own = dict(zip(ATTRIBUTE_NAMES, sampling.temperatures, strict=True))
    assert sampling.temperature_of(name) == own.get(name, 2.6)


def test_a_temperature_may_be_set_overall_or_for_each_attribute() -> None:
    each = Sampling(0.7, 0.7, 0.7, 0.7, 0.7)
    for seed in range(40):
        assert drawn(seed, sampling=Sampling(temperature=0.7)) == drawn(seed, sampling=each)


def test_a_low_top_p_takes_the_likeliest_of_every_attribute() -> None:
    narrow, likeliest = Sampling(top_p=0.05, min_p=0.0), Sampling(temperature=0.05, min_p=0.9)
    some = [drawn(seed, sampling=narrow) for seed in range(40)]
    same = [drawn(seed, sampling=likeliest) for seed in range(40)]
    assert {note.pedal for note in some} == {note.pedal for note in same}
    assert len({note.pitch for note in some}) < 5


# --- what bears on a note beside the model --------------------------------------------------------


def forbidding(*allowed: int) -> FloatArray:
    bias = np.full(KEYS, -np.inf)
    bias[list(allowed)] = 0
    return bias


def test_a_note_is_not_before_what_the_leaning_allows() -> None:
    for seed in range(40):
        assert drawn(seed, leaning=Leaning(earliest_ms=700)).dt_ms >= 700
        assert drawn(seed, dt_ms=(900, 1500), leaning=Leaning(earliest_ms=700)).dt_ms >= 900
    assert drawn(dt_ms=(0, 300), leaning=Leaning(earliest_ms=700)).dt_ms == 700


def test_a_forbidden_pitch_is_never_drawn() -> None:
    leaning = Leaning(pitch=forbidding(60, 67))
    assert {drawn(seed, leaning=leaning).pitch for seed in range(60)} == {60, 67}


def test_a_bias_of_so_many_nats_makes_a_pitch_so_much_likelier() -> None:
    heads = with_head(ATTRIBUTE_NAMES.index("pitch"), np.where(np.isin(np.arange(KEYS), [60, 62]), 0, -1e3))
    bias = np.zeros(KEYS)
    bias[62] = -2.0
    pitches = [drawn(seed, heads=heads, leaning=Leaning(pitch=bias)).pitch for seed in range(2000)]
    assert pitches.count(62) / 2000 == pytest.approx(1 / (1 + np.exp(2)), abs=0.025)


def test_where_what_is_forbidden_leaves_nothing_of_the_range_the_range_wins() -> None:
    sampling, leaning = Sampling(lowest_pitch=61, highest_pitch=63), Leaning(pitch=forbidding(60, 64))
    assert {drawn(seed, sampling=sampling, leaning=leaning).pitch for seed in range(60)} <= {61, 62, 63}


def test_a_chord_that_has_used_up_what_is_allowed_is_over() -> None:
    heads, leaning = model_that_plays(dt=0).heads, Leaning(pitch=forbidding(60, 64))
    for seed in range(40):
        note = drawn(seed, heads=heads, leaning=leaning, chord=(60, 64))
        assert note.dt_ms >= CHORD_MS
        assert note.pitch in {60, 64}
        assert drawn(seed, heads=heads, leaning=leaning, chord=(60,)).pitch == 64


def test_the_pitch_temperature_is_that_of_pitch_alone() -> None:
    for seed in range(40):
        hot = drawn(seed, sampling=Sampling(temperature_pitch=1.5))
        assert drawn(seed, leaning=Leaning(pitch_temperature=1.5), sampling=Sampling()) == hot


def mean_of(logits: FloatArray) -> float:
    shares = np.exp(logits - logits.max())
    return float(shares @ (4 * np.arange(32) + 2) / shares.sum())


@pytest.mark.parametrize(("share", "mean"), [(0.0, 50), (0.25, 57.5), (0.5, 65), (0.75, 72.5), (1.0, 80)])
def test_velocities_move_by_the_share_of_the_way_and_spread_as_before(share: float, mean: float) -> None:
    velocities = 4 * np.arange(32) + 2
    logits = -0.5 * ((velocities - 50) / 12) ** 2
    moved = towards(logits, 80.0, share)
    assert mean_of(moved) == pytest.approx(mean, abs=0.1)
    shares = np.exp(moved - moved.max())
    spread = np.sqrt(shares @ (velocities - mean_of(moved)) ** 2 / shares.sum())
    assert spread == pytest.approx(12, rel=0.03)


@given(
    st.lists(st.floats(-1e4, 1e4), min_size=32, max_size=32),
    st.floats(1, 127),
    st.floats(0, 1),
    st.floats(0, 1, exclude_max=True),
)
def test_some_velocity_is_always_left(values: list[float], to: float, share: float, uniform: float) -> None:
    moved = towards(np.array(values), to, share)
    assert np.isfinite(moved).all()
    assert 0 <= draw_class(moved, 0.01, uniform) < 32


# --- what is mixed in -----------------------------------------------------------------------------


@dataclass
class OtherOpinion:
    """Is sure of some classes, and remembers what it was shown."""

    sure: dict[int, int] = field(default_factory=dict)
    share: float = 1.0
    shown: list[tuple[int, FloatArray, list[int], FloatArray]] = field(default_factory=list)

    def mixed(
        self, attribute: int, z: FloatArray, classes: Sequence[int], probabilities: FloatArray
    ) -> FloatArray:
        """Its own and the model's by its share."""
        self.shown.append((attribute, z, list(classes), probabilities))
        if attribute not in self.sure:
            return probabilities
        own = np.zeros_like(probabilities)
        own[self.sure[attribute]] = 1
        mixture: FloatArray = (1 - self.share) * probabilities + self.share * own
        return mixture


def test_to_mix_nothing_in_changes_nothing() -> None:
    for seed in range(40):
        assert drawn(seed, mixing=OtherOpinion()) == drawn(seed)


def test_what_is_mixed_in_is_drawn_by_its_share() -> None:
    opinion = OtherOpinion({PITCH: 100}, share=0.3)
    pitches = [drawn(seed, mixing=opinion).pitch for seed in range(1500)]
    assert pitches.count(100) / 1500 == pytest.approx(0.3, abs=0.04)


def test_each_attribute_is_shown_what_its_head_reads_and_what_was_drawn_before() -> None:
    opinion, heads = OtherOpinion(), packaged_model().heads
    note = drawn(3, mixing=opinion, sampling=Sampling(temperature=0.8))
    classes = [DT.index(note.dt_ms), note.pedal, note.pitch, VELOCITY.index(note.velocity)]
    begun = heads.begin(first_output(), NOTHING_ASKED)
    assert [attribute for attribute, _, _, _ in opinion.shown] == [0, 1, 2, 3, 4]
    for attribute, z, before, probabilities in opinion.shown:
        assert before == classes[:attribute]
        logits = heads.outputs(attribute, begun, before)
        assert np.allclose(z @ heads.weights[attribute].T + heads.biases[attribute], logits, atol=1e-4)
        expected = np.exp((logits - logits.max()) / 0.8)
        assert np.allclose(probabilities, expected / expected.sum(), atol=1e-4)


def test_masks_hold_for_what_is_mixed_in_too() -> None:
    opinion = OtherOpinion({0: DT.index(5000), PITCH: 100})
    narrow = replace(ANYTHING, lowest_pitch=50, highest_pitch=52)
    for seed in range(40):
        note = drawn(seed, sampling=narrow, mixing=opinion, dt_ms=(0, 800))
        assert note.pitch in {50, 51, 52}
        assert 0 <= note.dt_ms < 800


# --- steps of other representations ---------------------------------------------------------------


def steps_drawn(sampling: Sampling) -> set[int]:
    model = RandomModel(PITCH_ALONE)
    projected, _ = model.advance(PITCH_ALONE.start(), model.initial_state())
    writer = PITCH_ALONE.writer(no_notes(), ink_of())
    rngs = map(np.random.default_rng, range(300))
    return {
        draw_step(model.heads, PITCH_ALONE.attributes, projected, writer, sampling, rng)[0] for rng in rngs
    }


def test_the_overall_temperature_and_top_p_act_on_steps_of_any_kind() -> None:
    free = steps_drawn(ANYTHING)
    for narrower in (replace(ANYTHING, temperature=0.3), replace(ANYTHING, top_p=0.3)):
        assert steps_drawn(narrower) < free
        assert len(steps_drawn(narrower)) < len(free) / 2
    assert steps_drawn(replace(ANYTHING, temperature=0.3)) == steps_drawn(
        replace(ANYTHING, temperature_pitch=0.3)
    )


# --- guidance -------------------------------------------------------------------------------------

CLASSICAL = (int(Part.IMPROV), 0, FREE_DENSITY, FREE_LEFT, ALONE)


def heads_of_two_pitches(*, leaning_nats: float) -> Heads:
    """Only 60 and 62 can come, as likely as one another; in one style 62 is likelier by so much."""
    heads = packaged_model().heads
    weights = [np.zeros_like(weight) for weight in heads.weights]
    weights[PITCH][62, 0] = leaning_nats
    biases = [np.zeros_like(bias) for bias in heads.biases]
    biases[PITCH] = np.full(KEYS, -1e4, dtype=np.float32)
    biases[PITCH][[60, 62]] = 0
    asked = [np.zeros_like(table) for table in heads.asked]
    asked[1][CLASSICAL[1], 0] = 1
    given = [None if table is None else np.zeros_like(table) for table in heads.given]
    return replace(
        heads, weights=tuple(weights), biases=tuple(biases), asked=tuple(asked), given=tuple(given)
    )


def share_of_62(guidance: float, unasked: tuple[int, ...] | None) -> float:
    heads = heads_of_two_pitches(leaning_nats=0.5)
    sampling = Sampling(guidance=guidance, temperature_pitch=1.0, min_p=0.0)
    rng, nothing_heard = np.random.default_rng(3), np.zeros_like(first_output())
    told = {"asked": CLASSICAL, "unasked": unasked}
    pitches = [
        draw_note(heads, nothing_heard, sampling, rng, **told, dt_ms=(100, 200)).pitch for _ in range(4000)
    ]
    return pitches.count(62) / len(pitches)


@pytest.mark.parametrize("guidance", [0.0, 1.0, 2.0, 4.0])
def test_guidance_moves_what_is_asked_as_many_times_as_far_as_the_model_has_learned(guidance: float) -> None:
    expected = 1 / (1 + np.exp(-0.5 * guidance))
    assert share_of_62(guidance, NOTHING_ASKED) == pytest.approx(expected, abs=0.025)


@pytest.mark.parametrize("unasked", [None, CLASSICAL])
def test_what_is_asked_in_any_case_is_not_strengthened(unasked: tuple[int, ...] | None) -> None:
    assert share_of_62(4.0, unasked) == pytest.approx(1 / (1 + np.exp(-0.5)), abs=0.025)
