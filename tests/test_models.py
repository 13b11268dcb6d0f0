"""Which model file a setting means."""

from __future__ import annotations

from pathlib import Path

import pytest

from improv_core.errors import ModelFileError
from improv_daemon import models
from improv_daemon.models import load_model, model_path


def test_the_default_model_ships_with_improv() -> None:
    path = model_path("default")
    assert path.name == "default.onnx"
    assert path.is_file()


def test_a_path_is_taken_as_it_is_and_may_begin_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.onnx").write_bytes(b"x")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert model_path("~/mine.onnx") == tmp_path / "mine.onnx"
    assert model_path(str(tmp_path / "mine.onnx")) == tmp_path / "mine.onnx"


@pytest.mark.parametrize("name", ["nowhere/none.onnx", "defualt", "~nobody-of-this-name/m.onnx", "", "."])
def test_a_model_that_is_not_there_is_named_with_the_way_out(name: str) -> None:
    with pytest.raises(
        ModelFileError, match=r"^There is no model file .*; --model takes an \.onnx file .*'default'\.$"
    ):
        model_path(name)


def test_a_path_that_cannot_even_be_looked_at_is_one_sentence() -> None:
    with pytest.raises(ModelFileError, match=r"cannot be read \(File name too long\)\.$"):
        model_path("x" * 5000 + ".onnx")


def test_an_installation_without_its_model_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.resources, "files", lambda package: tmp_path)
    with pytest.raises(ModelFileError, match=r"missing from this installation; install improv again"):
        model_path("default")


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "song.onnx"
    path.write_bytes(b"MThd")
    with pytest.raises(ModelFileError, match="is not an ONNX model"):
        load_model(str(path))
