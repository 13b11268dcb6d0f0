"""What the live cache is worth on second halves: by the code that plays, and without a look ahead."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from tiny_corpora import require_training_extra

from improv_core.live_cache import TRUSTS, Trust
from improv_core.model import Model
from improv_core.representation import ATTRIBUTES, Notes
from improv_daemon.models import load_model

with contextlib.suppress(ImportError):
    from improv_training.evaluation.adapting import Halves, Piece, Remembering, chosen, read, second_half
    from improv_training.evaluation.scoring import class_nats

PITCH, DURATION = 2, 4


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


@functools.cache
def model() -> Model:
    return load_model("default")


def melody(pitches: Sequence[int], *, duration_ms: int = 150) -> Notes:
    count = len(pitches)
    return Notes(
        dt_ms=np.array([0, *[200] * (count - 1)]),
        pedal=np.zeros(count, dtype=np.int64),
        pitch=np.array(pitches),
        velocity=np.full(count, 64),
        duration_ms=np.full(count, duration_ms),
    )


def wandering(count: int, seed: int = 1) -> list[int]:
    return np.random.default_rng(seed).integers(48, 84, count).tolist()


def scored(notes: Notes, how: Remembering | None = None) -> Halves:
    return second_half(model().heads, read(model(), notes), how or Remembering())


def test_without_the_cache_a_note_costs_what_the_model_says() -> None:
    piece = read(model(), melody(wandering(40)))
    begun = model().heads.begin(piece.projected, piece.asked)
    wanted = list(piece.classes.T)
    halves = second_half(model().heads, piece, Remembering())
    for i in range(len(ATTRIBUTES)):
        nats = class_nats(model().heads.outputs(i, begun, wanted), wanted[i])[20:]
        assert halves.nats[i] == pytest.approx(nats.mean(), rel=1e-4)


def test_what_is_gained_is_the_mean_log_of_what_the_true_classes_win() -> None:
    halves = Halves(np.array([[0.1], [0.4]]), np.array([[0.5], [0.2]]))
    assert halves.gain(0.0).tolist() == [0.0]
    assert halves.gain(0.5).tolist() == pytest.approx([(np.log(0.3 / 0.1) + np.log(0.3 / 0.4)) / 2])


def test_a_second_half_that_repeats_the_first_gains_and_one_that_does_not_gains_less() -> None:
    first = wandering(60)
    again, other = scored(melody(first * 2)), scored(melody([*first, *wandering(60, seed=2)]))
    assert again.gain(0.3)[PITCH] > 0.5
    assert again.gain(0.3)[PITCH] > other.gain(0.3)[PITCH] + 0.5


def test_a_second_half_that_is_the_first_transposed_gains_by_the_twin() -> None:
    first = wandering(60)
    notes = melody([*first, *(pitch + 7 for pitch in first)])
    plain = [trust and Trust(trust.sharpness, trust.interval, trust.doubt) for trust in TRUSTS]
    assert scored(notes).gain(0.3)[PITCH] > 0.5
    assert scored(notes).gain(0.3)[PITCH] > scored(notes, Remembering(trusts=plain)).gain(0.3)[PITCH] + 0.5


def test_a_frozen_cache_learns_nothing_of_a_motif_of_the_second_half() -> None:
    notes = melody([*wandering(40), *wandering(10, seed=2) * 4])
    assert scored(notes).gain(0.3)[PITCH] > scored(notes, Remembering(frozen=True)).gain(0.3)[PITCH] + 0.2


def test_a_note_is_scored_from_those_before_it() -> None:
    pitches = wandering(40)
    one, other = scored(melody(pitches)), scored(melody([*pitches[:-1], 100]))
    assert (one.cache[:-1] == other.cache[:-1]).all()
    assert (one.cache[-1] != other.cache[-1]).any()


def test_a_duration_is_not_remembered_while_the_key_is_down() -> None:
    held, released = (melody(wandering(20) * 2, duration_ms=ms) for ms in (19_000, 150))
    still_down = scored(held)
    assert still_down.cache[:, DURATION] == pytest.approx(still_down.model[:, DURATION])
    assert scored(released).gain(0.5)[DURATION] > 0


def test_a_cache_that_holds_less_is_asked_for_what_it_holds() -> None:
    first = wandering(60)
    notes = melody(first * 2)
    assert scored(notes).gain(0.3)[PITCH] > scored(notes, Remembering(notes=10)).gain(0.3)[PITCH]


def test_settings_are_chosen_for_each_attribute_by_itself() -> None:
    wanted = (Trust(2.0, 0.5, 1.0, 8.0), None, Trust(0.5, 2.0, 4.0, 1.0))
    begin = (Trust(1.0, 1.0, 1.0, 1.0), None, Trust(1.0, 1.0, 1.0, 1.0))

    def nearness(trusts: Sequence[Trust | None]) -> np.ndarray:
        return np.array([_nearness(one, other) for one, other in zip(trusts, wanted, strict=True)])

    assert chosen(nearness, begin, (2.0, 2.0, 2.0)) == wanted


def _nearness(one: Trust | None, other: Trust | None) -> float:
    if one is None or other is None:
        return 0.0
    names = ("sharpness", "interval", "doubt", "transposed")
    return -sum(abs(np.log(getattr(one, name) / getattr(other, name))) for name in names)


def test_pieces_are_read_without_what_is_known_of_them() -> None:
    notes = melody(wandering(30))
    piece = read(model(), notes)
    assert isinstance(piece, Piece)
    assert (piece.projected == read(model(), replace(notes, setting=None)).projected).all()
    assert [shares.shape for shares in piece.shares] == [(30, a.binning.size) for a in ATTRIBUTES]
