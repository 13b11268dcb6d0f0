from __future__ import annotations

import contextlib
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from tiny_corpora import make_network, random_performance, require_training_extra, write_checkpoint

from improv_core.errors import ModelFileError, StorageError
from improv_core.model import SCHEMA, Model
from improv_core.representation import Notes, Piano, encode
from improv_training.plan import Plan

with contextlib.suppress(ImportError):
    import torch

    from improv_export import exporting
    from improv_export.exporting import TOLERANCE, export_checkpoint


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def performance() -> Notes:
    return encode(random_performance(40))


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_exported_model_equals_torch_step_by_step(tmp_path: Path, layers: int) -> None:
    checkpoint = write_checkpoint(tmp_path / "a.ckpt", make_network(layers))
    difference = export_checkpoint(checkpoint, tmp_path / "a.onnx", performance(), {"name": "a"})
    assert 0 < difference < TOLERANCE == 1e-3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ckpt", "a.onnx"]


def test_a_difference_between_other_weights_is_seen(tmp_path: Path) -> None:
    export_checkpoint(
        write_checkpoint(tmp_path / "a.ckpt", make_network()),
        tmp_path / "a.onnx",
        performance(),
        {"name": "a"},
    )
    other = make_network()
    with torch.no_grad():
        other.heads[4].bias[77] += 0.01
    model = Model.load(tmp_path / "a.onnx")
    assert exporting.largest_difference(other, model, performance()) == pytest.approx(0.01, abs=1e-4)


def test_a_model_that_differs_is_not_kept_and_the_old_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "TOLERANCE", 0.0)
    checkpoint = write_checkpoint(tmp_path / "a.ckpt", make_network())
    (tmp_path / "a.onnx").write_bytes(b"the old one")
    with pytest.raises(ModelFileError, match=r"differs from .*a\.ckpt by .* and was not kept"):
        export_checkpoint(checkpoint, tmp_path / "a.onnx", performance(), {"name": "a"})
    assert (tmp_path / "a.onnx").read_bytes() == b"the old one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ckpt", "a.onnx"]


def test_a_difference_that_is_not_a_number_counts_as_one(tmp_path: Path) -> None:
    export_checkpoint(
        write_checkpoint(tmp_path / "a.ckpt", make_network()),
        tmp_path / "a.onnx",
        performance(),
        {"name": "a"},
    )
    broken = make_network()
    with torch.no_grad():
        broken.heads[0].bias[3] = torch.nan
    difference = exporting.largest_difference(broken, Model.load(tmp_path / "a.onnx"), performance())
    assert math.isnan(difference)


def test_weights_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    network = make_network()
    with torch.no_grad():
        network.heads[0].bias[3] = torch.nan
    checkpoint = write_checkpoint(tmp_path / "a.ckpt", network)
    with pytest.raises(ModelFileError, match=r"a\.ckpt holds weights that are not numbers"):
        export_checkpoint(checkpoint, tmp_path / "a.onnx", performance(), {"name": "a"})


def test_metadata_says_what_the_daemon_and_the_reader_need(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "a.ckpt", make_network(layers=3))
    about = {"name": "grand", "licence": "CC0", "schema": 99}
    export_checkpoint(checkpoint, tmp_path / "a.onnx", performance(), about)
    metadata = Model.load(tmp_path / "a.onnx").metadata
    assert metadata["name"] == "grand"
    assert metadata["licence"] == "CC0"
    assert metadata["schema"] == SCHEMA
    assert metadata["preset"] == "piano"
    assert metadata["representation"] == Piano().spec()
    assert metadata["shape"] == {
        "inputs": 12,
        "hidden": 16,
        "layers": 3,
        "projected": 10,
        "dropout": 0.5,
        "spread": 0.1,
        "orthogonal": True,
    }
    assert metadata["trained"] == {"hours": 0.5, "updates": 7}
    assert len(metadata["date"]) == len("2026-01-31")


def test_a_model_says_the_styles_and_beats_that_it_was_trained_on(tmp_path: Path) -> None:
    network = make_network()
    plan = Plan(shape=network.shape, representation=network.representation.spec())
    told = replace(plan, styles=("roll era", "pop"), beats=True)
    for name, one in (("plain", plan), ("told", told)):
        checkpoint = write_checkpoint(tmp_path / f"{name}.ckpt", network, plan=asdict(one))
        export_checkpoint(checkpoint, tmp_path / f"{name}.onnx", performance(), {"name": name})
    plain_model, told_model = (Model.load(tmp_path / f"{name}.onnx") for name in ("plain", "told"))
    assert (plain_model.styles, plain_model.beats) == ((), False)
    assert (told_model.styles, told_model.beats) == (("roll era", "pop"), True)
    assert told_model.metadata["styles"] == ["roll era", "pop"]


def test_an_output_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "a.ckpt", make_network())
    with pytest.raises(StorageError, match=r"no/a\.onnx cannot be written \(No such file or directory\)\."):
        export_checkpoint(checkpoint, tmp_path / "no" / "a.onnx", performance(), {"name": "a"})
