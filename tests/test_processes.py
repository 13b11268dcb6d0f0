from __future__ import annotations

import contextlib
import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tiny_corpora import require_training_extra

from improv_core.errors import ConfigError

with contextlib.suppress(ImportError):
    import torch
    import two_processes

    from improv_training.engine.checkpoints import load_checkpoint
    from improv_training.engine.processes import Process, check_lanes, this_process

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def test_without_torchrun_there_is_one_process() -> None:
    assert this_process({}) == Process(rank=0, world=1, here=1)
    assert this_process({"RANK": "3", "WORLD_SIZE": "4"}) == Process()


def test_torchrun_says_which_process_this_is() -> None:
    said = {"TORCHELASTIC_RUN_ID": "1", "RANK": "5", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4"}
    assert this_process(said) == Process(rank=5, world=8, here=4)
    assert not this_process(said).leads
    assert Process().leads


def test_lanes_that_cannot_be_shared_out_are_an_error() -> None:
    check_lanes(32, Process(rank=1, world=4))
    with pytest.raises(ConfigError) as error:
        check_lanes(32, Process(rank=1, world=3))
    assert str(error.value) == (
        "32 lanes cannot be shared out evenly among 3 processes; name a multiple of 3 with --lanes."
    )


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same trainings in one process, and in two that torchrun starts."""
    require_training_extra()
    one, two = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    root = HERE.parent
    sources = [HERE, *(root / name for name in ("core", "daemon", "training", "export"))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sources)), "OMP_NUM_THREADS": "1"}
    torchrun = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    for options, folder in (([], one), (torchrun, two)):
        command = [sys.executable, *options, str(HERE / "two_processes.py"), str(folder)]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        lines = [line for line in ran.stdout.splitlines() if line.startswith("Epoch")]
        assert len(lines) == 3 * 2, ran.stdout  # two validations a run, said by one process
    return one, two


def weights(run: Path) -> dict[str, Any]:
    return load_checkpoint(run / "last.ckpt").network.state_dict()


def test_two_processes_have_the_gradients_of_one_with_all_lanes(folders: tuple[Path, Path]) -> None:
    one, two = (torch.load(folder / "gradients.pt") for folder in folders)
    assert len(one) == len(two) == two_processes.UPDATES
    for alone, shared in zip(one, two, strict=True):
        assert alone.keys() == shared.keys()
        for name, gradient in alone.items():
            torch.testing.assert_close(shared[name], gradient, rtol=1e-3, atol=1e-6, msg=name)
    assert max(float(gradient.abs().max()) for gradient in one[0].values()) > 1e-3


def test_two_processes_arrive_at_the_weights_of_one(folders: tuple[Path, Path]) -> None:
    alone, shared = (weights(folder / "plain") for folder in folders)
    for name, value in alone.items():
        torch.testing.assert_close(shared[name], value, rtol=1e-3, atol=1e-5, msg=name)


def test_two_processes_log_the_validation_of_one(folders: tuple[Path, Path]) -> None:
    curves = []
    for folder in folders:
        with (folder / "plain" / "log" / "metrics.csv").open() as file:
            rows = [row for row in csv.DictReader(file) if row["val"]]
        curves.append([(float(row["step"]), float(row["val_steps"])) for row in rows])
        curves.append([float(row["val"]) for row in rows])
    assert curves[0] == curves[2] == [(3, 171), (6, 171)]
    assert curves[3] == pytest.approx(curves[1], rel=1e-4)


@pytest.mark.parametrize("count", [0, 1])
def test_what_a_signal_to_one_process_has_ended_goes_on_to_the_weights_of_an_unbroken_run(
    folders: tuple[Path, Path], count: int
) -> None:
    whole, broken = (weights(folders[count] / name) for name in ("whole", "broken"))
    for name, value in whole.items():
        assert torch.equal(broken[name], value), name


def test_each_process_drops_other_activations(folders: tuple[Path, Path]) -> None:
    alone, shared = (weights(folder / "whole")["projection.weight"] for folder in folders)
    assert not torch.allclose(alone, shared, atol=1e-5)


def test_a_run_of_two_processes_holds_the_states_of_all_lanes_in_order(folders: tuple[Path, Path]) -> None:
    one, two = (torch.load(folder / "plain" / "last.ckpt")["state"] for folder in folders)
    for alone, shared in zip(one, two, strict=True):
        assert shared.shape == (2, 4, 24)
        torch.testing.assert_close(shared, alone, rtol=1e-3, atol=1e-4)
