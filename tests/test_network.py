from __future__ import annotations

import contextlib
import itertools
import math
from typing import Any

import numpy as np
import pytest
from tiny_corpora import make_network, random_performance, require_training_extra

from improv_core.notes import Part
from improv_core.representation import (
    ATTRIBUTES,
    Attribute,
    NoteAttributes,
    Notes,
    Piano,
    Symbols,
    encode,
    steps,
    targets,
)
from improv_core.representation.asking import ASKED, free
from improv_core.representation.binning import Groups, Identity
from improv_training.presets import load_preset

with contextlib.suppress(ImportError):
    import torch
    from torch import Tensor

    from improv_training.engine.network import laplace_nats


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def notes() -> Notes:
    return encode(random_performance(48))


def inputs(piece: Notes) -> tuple[Tensor, Tensor]:
    read = steps(piece, np.full(len(piece), int(Part.IMPROV)))
    return torch.from_numpy(read.columns)[:, None], torch.from_numpy(read.dense).float()[:, None]


def own(count: int) -> Tensor:
    """improv's own notes, of which nothing is asked."""
    return torch.from_numpy(free(count, Part.IMPROV))


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
    projected, asked = torch.randn(1, network.shape.projected), own(1)
    base = network.outputs(projected, asked, torch.zeros(1, len(ATTRIBUTES), dtype=torch.int64))
    for changed in range(len(ATTRIBUTES)):
        values = torch.zeros(1, len(ATTRIBUTES), dtype=torch.int64)
        values[0, changed] = 1
        logits = network.outputs(projected, asked, values)
        same = [torch.equal(a, b) for a, b in zip(base, logits, strict=True)]
        assert same == [i <= changed for i in range(len(ATTRIBUTES))]


@pytest.mark.parametrize("condition", range(len(ASKED)), ids=[column.name for column in ASKED])
def test_each_thing_that_is_asked_of_the_next_step_changes_what_is_expected(condition: int) -> None:
    network = make_network()
    values, answers = torch.zeros(1, len(ATTRIBUTES), dtype=torch.int64), []
    for value in range(ASKED[condition].size):
        asked = own(1)
        asked[0, condition] = value
        answers.append(network.outputs(torch.zeros(1, 10), asked, values))
    for one, other in itertools.combinations(answers, 2):
        assert not any(torch.equal(mine, yours) for mine, yours in zip(one, other, strict=True))


def test_what_is_asked_is_added_to_what_the_layers_say() -> None:
    network, asked = make_network(), torch.tensor([[1, 2, 7, 3, 60]])
    with torch.no_grad():
        sum_of_them = sum(network.asked[i].weight[value] for i, value in enumerate(asked[0].tolist()))
    projected, values = torch.randn(1, 10), torch.zeros(1, len(ATTRIBUTES), dtype=torch.int64)
    first = network.outputs(projected, asked, values)[0]
    torch.testing.assert_close(first, network.heads[0](torch.relu(projected + sum_of_them)))


def test_a_network_of_which_nothing_can_be_asked_has_nothing_for_it() -> None:
    network = make_network(representation=Symbols("pitches", 1, table=("C4",)))
    assert not [name for name in network.state_dict() if name.startswith("asked")]


def test_losses_are_sums_of_nats_over_the_steps_that_count() -> None:
    network, piece = make_network(), notes()
    projected, _ = network(*inputs(piece), network.zero_state(1))
    wanted, asked = torch.from_numpy(targets(piece))[:, None], own(len(piece))[:, None]
    mask = torch.zeros(len(piece), 1, dtype=torch.bool)
    mask[:20] = True
    losses = network.losses(projected, asked, wanted, mask)
    assert losses.shape == (len(ATTRIBUTES),)
    for i, logits in enumerate(network.outputs(projected[:20, 0], asked[:20, 0], wanted[:20, 0])):
        nats = -logits.log_softmax(1)[torch.arange(20), wanted[:20, 0, i]]
        torch.testing.assert_close(losses[i], nats.sum())
    projected = torch.where(mask[..., None], projected, torch.nan)
    torch.testing.assert_close(network.losses(projected, asked, wanted, mask), losses)
    torch.testing.assert_close(network.scores(projected, asked, wanted, mask), losses)


def test_a_new_network_keeps_what_it_has_heard() -> None:
    from improv_training.engine.network import Network
    from improv_training.shape import Shape

    lstm = Network(Piano(), Shape(inputs=4, hidden=8, layers=2, projected=4)).lstm
    for layer in (0, 1):
        bias = getattr(lstm, f"bias_ih_l{layer}") + getattr(lstm, f"bias_hh_l{layer}")
        assert bias.tolist() == [0.0] * 8 + [1.0] * 8 + [0.0] * 16


def regressing(**sizes: Any) -> Any:
    return make_network(representation=load_preset("pitch-step-duration").representation, **sizes)


def test_a_regression_is_squared_seconds_with_more_below_zero_and_scored_by_its_absolute_error() -> None:
    network = regressing(projected=0)
    with torch.no_grad():
        for head in network.heads:
            head.weight.zero_()
        network.heads[1].bias.fill_(0.5)
        network.heads[2].bias.fill_(-0.25)
    projected, mask = torch.zeros(3, 1, 16), torch.tensor([[True], [True], [False]])
    wanted = torch.tensor([[[60, 300, 250]], [[60, 500, 0]], [[60, 9000, 9000]]])
    nothing = torch.zeros(3, 1, 0, dtype=torch.int64)
    losses, scores = (one(projected, nothing, wanted, mask) for one in (network.losses, network.scores))
    assert losses[1].item() == pytest.approx(0.2**2 + 0.0)
    assert losses[2].item() == pytest.approx((0.5**2 + 2.5) + (0.25**2 + 2.5))
    assert scores[1:].tolist() == pytest.approx([0.2, 0.75])
    assert losses[0] == scores[0]


def test_a_regression_costs_the_nats_of_a_laplace_distribution_on_the_grid() -> None:
    assert laplace_nats(0.1, 0.1) == pytest.approx(math.log(20) + 1)
    assert laplace_nats(0.0, 0.0) == pytest.approx(math.log(2))


def test_what_is_read_one_hot_or_as_a_number_enters_the_layers_beside_what_is_embedded() -> None:
    mixed = NoteAttributes(
        (
            Attribute("pitch", Identity(128), form="one-hot"),
            Attribute("velocity", Groups(32, width=4, lowest=1)),
            Attribute("dt", Identity(10), form="scalar"),
        )
    )
    network = make_network(representation=mixed)
    assert network.lstm.input_size == 12 + 129 + 1
    one_hot, embedded = network.column_tables()
    assert torch.equal(one_hot[:, 12:141], torch.eye(129))
    assert torch.equal(embedded[:, :12], network.columns[0].weight)
    assert network.dense_table().tolist() == [[0.0] * 141 + [1.0]]
    for table in (one_hot[:, :12], one_hot[:, 141:], embedded[:, 12:]):
        assert not table.any()


def test_without_a_dense_layer_the_heads_read_the_layers_as_they_are() -> None:
    network = make_network(representation=Symbols("pitches", 1, table=("C4",)), projected=0)
    projected, (hidden, _) = network(
        torch.zeros(4, 1, 1, dtype=torch.int64), torch.zeros(4, 1, 0), network.zero_state(1)
    )
    torch.testing.assert_close(projected[-1], hidden[-1])
    (logits,) = network.outputs(projected, torch.zeros(4, 1, 0, dtype=torch.int64), torch.zeros(4, 1, 1))
    torch.testing.assert_close(logits, network.heads[0](projected))
