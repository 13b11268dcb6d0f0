from __future__ import annotations

import contextlib
from collections import Counter
from typing import Any

import numpy as np
import pytest
from tiny_corpora import make_corpus, random_pieces, require_training_extra

from improv_core.notes import Part
from improv_core.representation import start_steps, steps, targets
from improv_training.augment import Augmentation

with contextlib.suppress(ImportError):
    import torch

    from improv_training.batches import Batch, LaneBatches


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def whole_lanes(batches: list[Batch]) -> list[list[tuple[np.ndarray, ...]]]:
    """For each lane the pieces that went through it, cut at its fresh marks, padding taken out."""
    lanes: list[list[tuple[np.ndarray, ...]]] = []
    for lane in range(batches[0].mask.shape[1]):
        pieces: list[list[tuple[np.ndarray, ...]]] = []
        for batch in batches:
            if batch.fresh[lane]:
                pieces.append([])
            counts = batch.mask[:, lane].numpy()
            fields = (batch.columns, batch.keys, batch.next_part, batch.targets)
            pieces[-1].append(tuple(field[:, lane].numpy()[counts] for field in fields))
        joined = (tuple(np.concatenate(parts) for parts in zip(*piece, strict=True)) for piece in pieces)
        lanes.append([piece for piece in joined if len(piece[0])])
    return lanes


def validation(pieces: int = 7, **sizes: Any) -> tuple[Any, LaneBatches]:
    corpus = make_corpus(random_pieces(pieces), dict.fromkeys(random_pieces(pieces), "validation"))
    return corpus, LaneBatches([corpus], [1], "validation", **{"lanes": 3, "chunk": 16, **sizes})


def test_a_lane_holds_whole_pieces_each_note_beside_what_came_before_it() -> None:
    corpus, batches = validation()
    found = [piece for lane in whole_lanes(list(batches)) for piece in lane]
    expected = []
    for notes in corpus.pieces("validation"):
        part = np.full(len(notes), int(Part.IMPROV))
        read, start = steps(notes, part), start_steps()
        columns = np.concatenate([start.columns, read.columns[:-1]])
        keys = np.concatenate([start.keys, read.keys[:-1]])
        expected.append((columns, keys, part, targets(notes)))
    assert len(found) == len(expected) == 7
    for piece in found:
        (same,) = [one for one in expected if len(one[0]) == len(piece[0])]
        for array, wanted in zip(piece, same, strict=True):
            np.testing.assert_array_equal(array, wanted)


@pytest.mark.parametrize(("lanes", "chunk"), [(1, 16), (3, 16), (64, 256), (2, 7)])
def test_every_note_counts_exactly_once(lanes: int, chunk: int) -> None:
    corpus, batches = validation(lanes=lanes, chunk=chunk)
    counted = sum(int(batch.mask.sum()) for batch in batches)
    assert counted == batches.notes == corpus.note_count("validation")
    assert counted == sum(40 + 13 * i for i in range(7))


def test_padding_never_counts() -> None:
    _, batches = validation()
    for batch in batches:
        padding = ~batch.mask
        assert not batch.targets[padding].any()
        assert not batch.columns[padding].any()


def test_batches_have_no_length_that_lightning_would_cut_an_epoch_off_at() -> None:
    _, batches = validation()
    with pytest.raises(TypeError):
        len(batches)  # type: ignore[arg-type]


def training(repeat: int = 1, **options: Any) -> LaneBatches:
    corpus = make_corpus(random_pieces(6))
    defaults = {"lanes": 2, "chunk": 16, "how": Augmentation()}
    return LaneBatches([corpus], [repeat], "train", **{**defaults, **options})


def equal(first: list[Batch], second: list[Batch]) -> bool:
    return len(first) == len(second) and all(
        torch.equal(a, b) for x, y in zip(first, second, strict=True) for a, b in zip(x, y, strict=True)
    )


def test_one_seed_gives_the_same_passes_and_each_pass_is_another() -> None:
    one, two = training(seed=4), training(seed=4)
    first, second = list(one), list(one)
    assert equal(list(two), first)
    assert equal(list(two), second)
    assert not equal(first, second)
    assert not equal(list(training(seed=5)), first)


def test_a_resumed_run_meets_another_order() -> None:
    assert not equal(list(training(seed=4, start=100)), list(training(seed=4)))


def test_a_repeated_corpus_counts_as_often_in_an_epoch() -> None:
    assert training(repeat=3).notes == 3 * training().notes


def test_training_has_notes_of_both_parts_and_the_player_s_are_held() -> None:
    corpus = make_corpus(random_pieces(40))
    parts: Counter[int] = Counter()
    for batch in LaneBatches([corpus], [1], "train", lanes=4, chunk=32, seed=1, how=Augmentation()):
        parts.update(batch.next_part[batch.mask].tolist())
    assert min(parts[Part.PLAYER], parts[Part.IMPROV]) > 1000
