from __future__ import annotations

import contextlib

import numpy as np
import pytest
from tiny_corpora import make_network, random_performance, require_training_extra

from improv_core.notes import Part
from improv_core.representation import ATTRIBUTES, Notes, encode, steps, targets

with contextlib.suppress(ImportError):
    import torch
    from torch import Tensor


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def notes() -> Notes:
    return encode(random_performance(48))


def inputs(piece: Notes) -> tuple[Tensor, Tensor]:
    read = steps(piece, np.full(len(piece), int(Part.IMPROV)))
    return torch.from_numpy(read.columns)[:, None], torch.from_numpy(read.keys).float()[:, None]


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_state_carried_from_chunk_to_chunk_gives_what_the_whole_piece_gives(layers: int) -> None:
    network = make_network(layers)
    columns, keys = inputs(notes())
    whole, (hidden, cell) = network(columns, keys, network.zero_state(1))
    state, parts = network.zero_state(1), []
    for begin, end in ((0, 1), (1, 17), (17, len(columns))):
        projected, state = network(columns[begin:end], keys[begin:end], state)
        parts.append(projected)
    torch.testing.assert_close(torch.cat(parts), whole)
    torch.testing.assert_close(state, (hidden, cell))


def test_an_attribute_depends_on_the_ones_before_it_and_on_no_later_one() -> None:
    network = make_network()
    projected, part = torch.randn(1, network.shape.projected), torch.ones(1, dtype=torch.int64)
    base = network.logits(projected, part, torch.zeros(1, len(ATTRIBUTES), dtype=torch.int64))
    for changed in range(len(ATTRIBUTES)):
        values = torch.zeros(1, len(ATTRIBUTES), dtype=torch.int64)
        values[0, changed] = 1
        logits = network.logits(projected, part, values)
        same = [torch.equal(a, b) for a, b in zip(base, logits, strict=True)]
        assert same == [i <= changed for i in range(len(ATTRIBUTES))]


def test_who_plays_next_changes_what_is_expected() -> None:
    network = make_network()
    values = torch.zeros(1, len(ATTRIBUTES), dtype=torch.int64)
    player, improv = (network.logits(torch.zeros(1, 10), torch.tensor([part]), values) for part in (0, 1))
    assert not torch.equal(player[0], improv[0])


def test_losses_are_mean_nats_over_the_notes_that_count() -> None:
    network, piece = make_network(), notes()
    projected, _ = network(*inputs(piece), network.zero_state(1))
    wanted, part = torch.from_numpy(targets(piece))[:, None], torch.ones(len(piece), 1, dtype=torch.int64)
    mask = torch.zeros(len(piece), 1, dtype=torch.bool)
    mask[:20] = True
    losses = network.losses(projected, part, wanted, mask)
    assert losses.shape == (len(ATTRIBUTES),)
    for i, logits in enumerate(network.logits(projected[:20, 0], part[:20, 0], wanted[:20, 0])):
        nats = -logits.log_softmax(1)[torch.arange(20), wanted[:20, 0, i]]
        torch.testing.assert_close(losses[i], nats.mean())
    projected = torch.where(mask[..., None], projected, torch.nan)
    torch.testing.assert_close(network.losses(projected, part, wanted, mask), losses)


def test_a_new_network_keeps_what_it_has_heard() -> None:
    from improv_training.network import PianoNetwork
    from improv_training.shape import Shape

    lstm = PianoNetwork(Shape(inputs=4, hidden=8, layers=2, projected=4)).lstm
    for layer in (0, 1):
        bias = getattr(lstm, f"bias_ih_l{layer}") + getattr(lstm, f"bias_hh_l{layer}")
        assert bias.tolist() == [0.0] * 8 + [1.0] * 8 + [0.0] * 16
