"""The attribute-factored LSTM: inputs of a step, LSTM layers, a dense layer, and chained heads."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from improv_core.representation import Representation
from improv_core.representation.binning import CELL_MS
from improv_training.shape import Shape

State = tuple[Tensor, Tensor]
"""Hidden and cell state, each (layers, batch, hidden)."""

_POSITIVE_PRESSURE = 10.0
"""How much more than its square a predicted time below zero costs, for each second."""


class Network(nn.Module):
    """Predicts the attributes of the next step, each given those of the earlier ones that it is told.

    The heads follow z = W h + the embeddings of what is asked of the next step; the head of attribute i reads
    relu(z + sum of E_j(value of j) over the attributes j that it is given). Without a dense layer z is h
    itself, and the heads read it as it is.

    Args:
        representation: What is read and predicted.
        shape: Sizes.
    """

    def __init__(self, representation: Representation, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.representation = representation
        self.attributes = representation.attributes
        columns, dense = representation.columns, representation.dense
        self._embedded = any(c.form == "embedding" for c in columns) or dense.form == "embedding"
        self._one_hot = sum(c.size for c in columns if c.form == "one-hot")
        self._scalars = dense.width if dense.form == "scalar" else 0
        self._width = shape.inputs * self._embedded + self._one_hot + self._scalars
        self.columns = nn.ModuleList(
            nn.Embedding(c.size, shape.inputs) for c in columns if c.form == "embedding"
        )
        self.dense: nn.Linear | None = None
        if dense.width and dense.form == "embedding":
            self.dense = nn.Linear(dense.width, shape.inputs, bias=False)
        between = shape.dropout if shape.layers > 1 else 0.0
        self.lstm = nn.LSTM(self._width, shape.hidden, shape.layers, dropout=between)
        self.dropout = nn.Dropout(shape.dropout)
        self.projection = nn.Linear(shape.hidden, shape.projected) if shape.projected else nn.Identity()
        width = shape.projected or shape.hidden
        self.asked = nn.ModuleList(nn.Embedding(column.size, width) for column in representation.asked)
        self.heads = nn.ModuleList(nn.Linear(width, a.outputs) for a in self.attributes)
        index = {a.name: i for i, a in enumerate(self.attributes)}
        self.conditions = tuple(tuple(index[name] for name in a.given) for a in self.attributes)
        told = sorted({j for given in self.conditions for j in given})
        self.given = nn.ModuleDict(
            {self.attributes[j].name: nn.Embedding(self.attributes[j].binning.size, width) for j in told}
        )
        self.scales: Tensor
        self.register_buffer("scales", torch.full((len(self.attributes),), 0.1))
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=self.shape.spread)
        if self.dense is not None:
            nn.init.normal_(self.dense.weight, std=self.shape.spread / 2)
        for name, parameter in self.lstm.named_parameters():
            if name.startswith("bias_ih"):  # forget bias 1 (Jozefowicz et al. 2015); gates are i, f, g, o
                nn.init.zeros_(parameter)
                nn.init.ones_(parameter.data[self.shape.hidden : 2 * self.shape.hidden])
            elif name.startswith("bias_hh"):
                nn.init.zeros_(parameter)
            elif self.shape.orthogonal:
                begin = nn.init.orthogonal_ if name.startswith("weight_hh") else nn.init.xavier_uniform_
                for gate in parameter.data.chunk(4):
                    begin(gate)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.scales.device

    def zero_state(self, batch: int) -> State:
        """A state that has heard nothing."""
        zeros = torch.zeros(self.shape.layers, batch, self.shape.hidden, device=self.device)
        return zeros, zeros.clone()

    # --- inputs -----------------------------------------------------------------------------------

    def column_tables(self) -> list[Tensor]:
        """For each integer input a table (size, width) whose rows are summed; a one-hot's is an identity."""
        tables, embeddings, place = [], iter(self.columns), self.shape.inputs * self._embedded
        for column in self.representation.columns:
            if column.form == "embedding":
                embedding = next(embeddings)
                assert isinstance(embedding, nn.Embedding)
                tables.append(functional.pad(embedding.weight, (0, self._width - self.shape.inputs)))
            else:
                rows = torch.eye(column.size, device=self.device)
                tables.append(functional.pad(rows, (place, self._width - place - column.size)))
                place += column.size
        return tables

    def dense_table(self) -> Tensor | None:
        """The linear map of the inputs that are numbers, (dense, width); None when there are none."""
        if self.dense is not None:
            return functional.pad(self.dense.weight.T, (0, self._width - self.shape.inputs))
        if not self._scalars:
            return None
        rows = torch.eye(self._scalars, device=self.device)
        return functional.pad(rows, (self._width - self._scalars, 0))

    def forward(self, columns: Tensor, dense: Tensor, state: State) -> tuple[Tensor, State]:
        """Advance over a run of steps.

        Args:
            columns: Integer inputs, (time, batch, columns).
            dense: Inputs that are numbers, (time, batch, dense), float.
            state: State before the run.

        Returns:
            The projected state after each step, (time, batch, projected), and the LSTM's state.
        """
        tables = self.column_tables()
        embedded = functional.embedding(columns[..., 0], tables[0])
        for i, table in enumerate(tables[1:], start=1):
            embedded = embedded + functional.embedding(columns[..., i], table)
        numbers = self.dense_table()
        if numbers is not None:
            embedded = embedded + dense @ numbers
        outputs, state = self.lstm(embedded, state)
        return self.projection(self.dropout(outputs)), state

    # --- heads ------------------------------------------------------------------------------------

    def outputs(self, projected: Tensor, asked: Tensor, targets: Tensor) -> list[Tensor]:
        """What the heads say of the next steps, the earlier attributes given (teacher forcing).

        Args:
            projected: From `forward`, (..., projected).
            asked: What is asked of the next step, (..., asked).
            targets: Of the next step, (..., attributes).

        Returns:
            For each attribute logits (..., classes), or seconds (..., 1) of a regression.
        """
        z = projected
        for i, table in enumerate(self.asked):
            z = z + table(asked[..., i])
        told = {j: self.given[self.attributes[j].name](targets[..., j]) for j in self._told}
        outputs = []
        for head, given in zip(self.heads, self.conditions, strict=True):
            read = z
            for j in given:
                read = read + told[j]
            outputs.append(head(functional.relu(read) if self.shape.projected else read))
        return outputs

    @property
    def _told(self) -> list[int]:
        return sorted({j for given in self.conditions for j in given})

    def losses(self, projected: Tensor, asked: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """What is trained: of each attribute the sum over the steps that count, before its weight.

        Nats of a class; of a regression the squared error in seconds, and more where it is below zero.

        Args:
            projected: (time, batch, projected).
            asked: (time, batch, asked).
            targets: (time, batch, attributes).
            mask: (time, batch), bool.

        Returns:
            Shape (attributes,).
        """
        return self._sums(projected[mask], asked[mask], targets[mask], _squared_under_pressure)

    def scores(self, projected: Tensor, asked: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """As `losses`, but of a regression the absolute error in seconds, whose mean is its scale."""
        return self._sums(projected[mask], asked[mask], targets[mask], _absolute)

    def _sums(
        self,
        projected: Tensor,
        asked: Tensor,
        targets: Tensor,
        regression: Callable[[Tensor, Tensor], Tensor],
    ) -> Tensor:
        sums = []
        for i, output in enumerate(self.outputs(projected, asked, targets)):
            if self.attributes[i].head == "categorical":
                sums.append(functional.cross_entropy(output.float(), targets[:, i], reduction="sum"))
            else:
                sums.append(regression(output[:, 0].float(), targets[:, i] / 1000).sum())
        return torch.stack(sums)


def _squared_under_pressure(predicted_s: Tensor, true_s: Tensor) -> Tensor:
    return (predicted_s - true_s).square() + _POSITIVE_PRESSURE * functional.relu(-predicted_s)


def _absolute(predicted_s: Tensor, true_s: Tensor) -> Tensor:
    return (predicted_s - true_s).abs()


def laplace_nats(scale_s: float, error_s: float) -> float:
    """Nats of a time on the grid of 10 ms cells under a Laplace distribution round a prediction.

    Args:
        scale_s: The distribution's scale, in seconds.
        error_s: Absolute error of the prediction, in seconds.
    """
    scale_s = max(scale_s, CELL_MS / 1000)
    return math.log(2 * scale_s / (CELL_MS / 1000)) + error_s / scale_s
