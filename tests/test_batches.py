from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tiny_corpora import make_corpus, random_pieces, require_training_extra

from improv_core.errors import DataError
from improv_core.notes import Part, Performance
from improv_core.representation import Piano, Symbols, start_steps, steps, targets
from improv_core.representation.asking import (
    ALONE,
    FREE_DENSITY,
    FREE_LEFT,
    FREE_STYLE,
    NO_PERIOD,
    NO_PHASE,
    free,
    own_pitches,
)
from improv_core.representation.piano import HELD
from improv_training.augment import Augmentation, augmented, random_cast
from improv_training.corpora.encoded import COLUMNS
from improv_training.wishes import random_wishes

with contextlib.suppress(ImportError):
    import torch

    from improv_training.engine.batches import Batch, Endless, LaneBatches, Lanes, Position


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
            fields = (batch.columns, batch.dense, batch.asked, batch.targets)
            pieces[-1].append(tuple(field[:, lane].numpy()[counts] for field in fields))
        joined = (tuple(np.concatenate(parts) for parts in zip(*piece, strict=True)) for piece in pieces)
        lanes.append([piece for piece in joined if len(piece[0])])
    return lanes


def validation(pieces: int = 7, **sizes: Any) -> tuple[Any, LaneBatches]:
    corpus = make_corpus(random_pieces(pieces), dict.fromkeys(random_pieces(pieces), "validation"))
    how = Lanes(**{"lanes": 3, "chunk": 16, **sizes})
    return corpus, LaneBatches([corpus], [1], "validation", Piano(), how)


def test_a_lane_holds_whole_pieces_each_note_beside_what_came_before_it() -> None:
    corpus, batches = validation()
    found = [piece for lane in whole_lanes(list(batches)) for piece in lane]
    expected = []
    for notes in corpus.pieces("validation"):
        part = np.full(len(notes), int(Part.IMPROV))
        read, start = steps(notes, part), start_steps()
        columns = np.concatenate([start.columns, read.columns[:-1]])
        keys = np.concatenate([start.dense, read.dense[:-1]])
        expected.append((columns, keys, free(len(notes), Part.IMPROV), targets(notes)))
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


def training(
    repeat: int = 1,
    representation: Any = None,
    pieces: int = 6,
    *,
    seed: int = 0,
    start: Any = None,
    **how: Any,
) -> LaneBatches:
    return LaneBatches(
        [make_corpus(random_pieces(pieces))],
        [repeat],
        "train",
        representation or Piano(),
        Lanes(**{"lanes": 2, "chunk": 16, **how}),
        seed=seed,
        start=start,
        augmentation=Augmentation(),
    )


def same(first: Batch, second: Batch) -> bool:
    return all(
        torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b
        for a, b in zip(first, second, strict=True)
    )


def equal(first: list[Batch], second: list[Batch]) -> bool:
    return len(first) == len(second) and all(same(x, y) for x, y in zip(first, second, strict=True))


def test_one_seed_gives_the_same_passes_and_each_pass_is_another() -> None:
    one, two = training(seed=4), training(seed=4)
    first, second = list(one), list(one)
    assert equal(list(two), first)
    assert equal(list(two), second)
    assert not equal(first, second)
    assert not equal(list(training(seed=5)), first)


def test_each_batch_says_where_a_run_is_after_it() -> None:
    batches = training()
    for passed in range(2):
        *others, last = [batch.position for batch in batches]
        assert others == [(passed, i + 1) for i in range(len(others))]
        assert last == (passed + 1, 0)


@pytest.mark.parametrize("kind", ["piano", "symbols", "windows"])
def test_a_run_goes_on_with_the_very_batches_that_it_had_not_had(kind: str) -> None:
    options: dict[str, Any] = {
        "piano": {},
        "symbols": {"representation": Symbols("pitches", 1, table=("C4", "D4"))},
        "windows": {"stateful": False},
    }[kind]
    whole = list(itertools.islice(Endless(training(seed=4, **options)), 60))
    assert whole[-1].position[0] >= 2
    for count in (0, 1, 7, len(whole) - 3):
        start = Position(*whole[count - 1].position) if count else None
        rest = itertools.islice(Endless(training(seed=4, start=start, **options)), 60 - count)
        assert equal(list(rest), whole[count:])


def test_pieces_that_hold_nothing_are_an_error_not_an_endless_search() -> None:
    pieces = make_corpus({"a.mid": Performance.of([])})
    batches = LaneBatches(
        [pieces], [1], "train", Piano(), Lanes(2, 16), augmentation=Augmentation(tempo=0, transpose_up=0)
    )
    with pytest.raises(DataError) as error:
        next(iter(Endless(batches)))
    assert str(error.value) == "The pieces to train on hold nothing that the model could read."


@pytest.mark.parametrize("kind", ["piano", "symbols", "windows"])
def test_processes_share_the_lanes_of_one_and_all_know_how_many_steps_count(kind: str) -> None:
    options: dict[str, Any] = {
        "piano": {},
        "symbols": {"representation": Symbols("pitches", 1, table=("C4", "D4"))},
        "windows": {"stateful": False},
    }[kind]
    whole = list(training(lanes=4, **options))
    for rank in range(2):
        part = list(training(lanes=4, rank=rank, world=2, **options))
        assert len(part) == len(whole)
        for mine, every in zip(part, whole, strict=True):
            assert (mine.total, mine.position) == (every.total, every.position)
            assert every.total == int(every.mask.sum())
            for name in ("columns", "dense", "asked", "targets", "mask"):
                assert torch.equal(getattr(mine, name), getattr(every, name)[:, rank::2])
            assert torch.equal(mine.fresh, every.fresh[rank::2])


def test_each_chunk_of_a_windowed_run_begins_with_an_empty_state() -> None:
    assert all(batch.fresh.all() for batch in training(stateful=False))
    assert not all(batch.fresh.all() for batch in training())


def test_a_repeated_corpus_counts_as_often_in_an_epoch() -> None:
    assert training(repeat=3).notes == 3 * training().notes


def test_training_has_notes_of_both_parts_and_the_player_s_are_held() -> None:
    parts: Counter[int] = Counter()
    for batch in training(pieces=40, lanes=4, chunk=32, seed=1):
        parts.update(batch.asked[batch.mask][:, 0].tolist())
        own = batch.columns[..., 5] == int(Part.PLAYER)
        assert (batch.columns[..., 4][own & batch.mask] == HELD).all()
    assert min(parts[Part.PLAYER], parts[Part.IMPROV]) > 1000


# --- what is asked and known ----------------------------------------------------------------------


def of_a_style() -> Any:
    """Forty pieces of pop, all with a beat of half a second."""
    corpus = make_corpus(random_pieces(40))
    rows = corpus.rows.copy()
    rows[:, COLUMNS.index("beat_ms")] = 500
    return replace(corpus, rows=rows, style="pop")


def test_validation_knows_nothing_of_a_piece_and_asks_nothing() -> None:
    corpus = replace(of_a_style(), split=("validation",) * 40)
    for batch in LaneBatches([corpus], [1], "validation", Piano(), Lanes(8, 64)):
        assert set(map(tuple, batch.asked[batch.mask].tolist())) == {
            (1, FREE_STYLE, FREE_DENSITY, FREE_LEFT, ALONE)
        }
        nothing = torch.tensor([FREE_STYLE, NO_PHASE, NO_PERIOD])
        assert (batch.columns[batch.mask][:, -3:] == nothing).all()


def test_training_asks_now_and_then_for_what_comes_and_reads_what_is_known() -> None:
    how = Lanes(lanes=4, chunk=32)
    batches = list(LaneBatches([of_a_style()], [1], "train", Piano(), how, augmentation=Augmentation()))
    asked = torch.cat([batch.asked[batch.mask] for batch in batches])
    for column, free_class, share in ((1, FREE_STYLE, 0.3), (2, FREE_DENSITY, 0.5), (3, FREE_LEFT, 0.5)):
        assert (asked[:, column] == free_class).float().mean().item() == pytest.approx(share, abs=0.15)
    assert set(asked[:, 1].tolist()) == {2, FREE_STYLE}
    assert len(set(asked[:, 2].tolist())) > 5
    assert len(set(asked[:, 3].tolist())) > 5
    read = torch.cat([batch.columns[batch.mask] for batch in batches])
    assert set(read[:, -3].tolist()) == {2, FREE_STYLE}
    unknown = read[:, -1] == NO_PERIOD
    assert torch.equal(unknown, read[:, -2] == NO_PHASE)
    assert unknown.float().mean().item() == pytest.approx(0.4, abs=0.15)


def test_the_style_that_is_asked_is_the_one_that_is_read() -> None:
    how = Lanes(lanes=4, chunk=32)
    for batch in LaneBatches([of_a_style()], [1], "train", Piano(), how, augmentation=Augmentation()):
        notes = batch.mask & (batch.columns[..., 2] < 128)  # all but the start, which knows nothing
        assert torch.equal(batch.asked[notes][:, 1], batch.columns[notes][:, -3])


@pytest.mark.parametrize("seed", range(8))
def test_what_is_asked_is_what_comes_in_the_piece_as_it_was_changed(seed: int) -> None:
    corpus, how, whole = make_corpus(random_pieces(6)), Augmentation(), Lanes(1, 4096)
    batch = next(iter(LaneBatches([corpus], [1], "train", Piano(), whole, seed=seed, augmentation=how)))
    queue = list(range(6))
    np.random.default_rng((seed, 0)).shuffle(queue)
    rng = np.random.default_rng((seed, 0, 6))  # seed, pass, place in the order
    notes = augmented(corpus.piece(queue[-1]), how, rng)
    cast = random_cast(notes, rng)
    wishes = random_wishes(notes, cast.group, rng)
    expected = free(len(notes), cast.part)
    expected[:, 2], expected[:, 3] = wishes.density, wishes.left
    expected[:, 4] = own_pitches(notes.pitch, cast.part, cast.part)
    np.testing.assert_array_equal(batch.asked[batch.mask].numpy(), expected)


def test_of_what_cannot_be_asked_nothing_is_drawn() -> None:
    batches = training(representation=Symbols("pitches", 1, table=("C4", "D4")))
    assert {batch.asked.shape[2] for batch in batches} == {0}
