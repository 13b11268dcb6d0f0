from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_corpora import require_training_extra
from tiny_models import saved, tiny_graph, tiny_network

from improv_core.representation import Events

with contextlib.suppress(ImportError):
    import onnx

    from improv_export.quantising import quantise

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def table(*arguments: str | Path) -> list[list[str]]:
    command = (sys.executable, "-m", "bench.model_step", "--steps", "3", *arguments)
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    rows = ran.stdout.split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows[2:]]


def test_a_model_in_full_precision_stands_beside_itself_in_int8_and_an_int8_one_alone(tmp_path: Path) -> None:
    network = tiny_network(2)
    full = saved(tiny_graph(network, name="full"), tmp_path / "full.onnx")
    small = saved(quantise(onnx.load(full)), tmp_path / "small.onnx")
    rows = table("--model", full, "--model", small)
    count = f"{sum(parameter.numel() for parameter in network.parameters()):,}"
    assert [row[:4] for row in rows] == [
        ["full", "2x16", "fp32", count],
        ["full", "2x16", "int8", count],
        ["full", "2x16", "int8", count],
    ]
    for row in rows:
        for cell in row[5:9]:
            p50, p99 = (float(part) for part in cell.split(" / "))
            assert 0 < p50 <= p99


def test_sizes_are_measured_in_int8_with_random_weights() -> None:
    (row,) = table("--sizes", "1x64")
    assert row[:3] == ["untrained-1x64", "1x64", "int8"]
    assert 1.0 < float(row[4]) < 2.0


def test_of_a_model_that_draws_a_note_in_more_than_one_step_only_steps_are_measured(tmp_path: Path) -> None:
    file = saved(tiny_graph(tiny_network(1, Events()), name="events"), tmp_path / "events.onnx")
    for row in table("--model", file):
        assert all(row[5:7])
        assert row[7:9] == ["", ""]
