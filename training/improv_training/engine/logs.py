"""The loss curve as files: CSV always, TensorBoard where it is installed."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger

_NAME = "log"
EVERY = 20
"""Updates between two points of the training curve."""


def metrics_file(run: Path) -> Path:
    """Where the curves of a run are."""
    return run / _NAME / "metrics.csv"


def loggers(run: Path, updates: int) -> list[Logger]:
    """Loggers that go on after ``updates``; what an interrupted run has logged beyond them is forgotten."""
    rows = _rows_until(metrics_file(run), updates) if updates else []
    table = CSVLogger(run, name=_NAME, version="", flush_logs_every_n_steps=1)
    for row in rows:
        table.log_metrics({name: value for name, value in row.items() if name != "step"}, int(row["step"]))
    if importlib.util.find_spec("tensorboard") is None:
        return [table]
    purge_step = updates + 1 if updates else None
    return [table, TensorBoardLogger(run, name=_NAME, version="", purge_step=purge_step, flush_secs=10)]


def _rows_until(path: Path, updates: int) -> list[dict[str, float]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
    return [row for row in rows if row.get("step", 0) <= updates]
