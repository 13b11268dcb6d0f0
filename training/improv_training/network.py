"""The LSTM: embeddings of a step, a stack of LSTM layers, a projection, and chained categorical heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from improv_core.representation import ATTRIBUTES, COLUMN_SIZES, KEYS
from improv_training.shape import Shape

State = tuple[Tensor, Tensor]
"""Hidden and cell state, each (layers, batch, hidden)."""


class PianoNetwork(nn.Module):
    """Predicts the attributes of the next note, each given the ones before it.

    The heads follow z = W h + E_part; for each attribute in order: logits = head(relu(z)), then
    z += E_attribute(value). So a head sees the state, who plays, and the note's earlier attributes.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.columns = nn.ModuleList(nn.Embedding(size, shape.inputs) for size in COLUMN_SIZES)
        self.keys = nn.Linear(KEYS, shape.inputs, bias=False)
        between = shape.dropout if shape.layers > 1 else 0.0
        self.lstm = nn.LSTM(shape.inputs, shape.hidden, shape.layers, dropout=between)
        self.dropout = nn.Dropout(shape.dropout)
        self.projection = nn.Linear(shape.hidden, shape.projected)
        self.part = nn.Embedding(2, shape.projected)
        self.heads = nn.ModuleList(nn.Linear(shape.projected, a.binning.size) for a in ATTRIBUTES)
        self.given = nn.ModuleList(nn.Embedding(a.binning.size, shape.projected) for a in ATTRIBUTES[:-1])
        self._initialise()

    def _initialise(self) -> None:
        for embedding in (*self.columns, *self.given, self.part):
            nn.init.normal_(embedding.weight, std=0.1)
        for name, parameter in self.lstm.named_parameters():
            if name.startswith("bias_ih"):  # forget bias 1 (Jozefowicz et al. 2015); gates are i, f, g, o
                nn.init.zeros_(parameter)
                nn.init.ones_(parameter.data[self.shape.hidden : 2 * self.shape.hidden])
            elif name.startswith("bias_hh"):
                nn.init.zeros_(parameter)

    def zero_state(self, batch: int) -> State:
        """A state that has heard nothing."""
        zeros = self.part.weight.new_zeros(self.shape.layers, batch, self.shape.hidden)
        return zeros, zeros.clone()

    def forward(self, columns: Tensor, keys: Tensor, state: State) -> tuple[Tensor, State]:
        """Advance over a run of steps.

        Args:
            columns: Integer inputs, (time, batch, len(COLUMNS)).
            keys: Keys down, (time, batch, KEYS), float.
            state: State before the run.

        Returns:
            The projected state after each step, (time, batch, projected), and the LSTM's state.
        """
        embedded = self.keys(keys)
        for i, embedding in enumerate(self.columns):
            embedded = embedded + embedding(columns[..., i])
        outputs, state = self.lstm(embedded, state)
        return self.projection(self.dropout(outputs)), state

    def logits(self, projected: Tensor, next_part: Tensor, targets: Tensor) -> list[Tensor]:
        """Logits of each attribute of the next notes, the earlier attributes given (teacher forcing).

        Args:
            projected: From `forward`, (..., projected).
            next_part: Who plays the next note, (...).
            targets: Classes of the next note, (..., len(ATTRIBUTES)).

        Returns:
            For each attribute (..., classes).
        """
        z = projected + self.part(next_part)
        logits = []
        for i, head in enumerate(self.heads):
            logits.append(head(functional.relu(z)))
            if i < len(self.given):
                z = z + self.given[i](targets[..., i])
        return logits

    def losses(self, projected: Tensor, next_part: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Mean nats of each attribute over the notes that count.

        Args:
            projected: (time, batch, projected).
            next_part: (time, batch).
            targets: (time, batch, len(ATTRIBUTES)).
            mask: (time, batch), bool.

        Returns:
            Shape (len(ATTRIBUTES),).
        """
        chosen = targets[mask]
        logits = self.logits(projected[mask], next_part[mask], chosen)
        return torch.stack(
            [functional.cross_entropy(one.float(), chosen[:, i]) for i, one in enumerate(logits)]
        )
