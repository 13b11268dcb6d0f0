"""Which model file a setting means."""

from __future__ import annotations

from pathlib import Path

import pytest
from playing import model_of, packaged_model
from window_models import PITCH_ALONE, PITCH_STEP_DURATION

from improv_core.errors import ModelFileError
from improv_core.representation import (
    Attribute,
    Events,
    Frames,
    NoteAttributes,
    Symbols,
    WritingRepresentation,
)
from improv_core.representation.binning import Identity
from improv_daemon import models
from improv_daemon.models import borrowing, load_model, model_hash, model_path

WITHOUT_PEDAL = NoteAttributes(
    tuple(Attribute(name, Identity(128)) for name in ("dt", "pitch", "velocity", "duration"))
)


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


def test_a_model_is_known_by_the_hash_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "any.onnx"
    path.write_bytes(b"abc")
    assert model_hash(str(path)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(ModelFileError, match=r"There is no model file .*none.onnx"):
        model_hash(str(tmp_path / "none.onnx"))


@pytest.mark.parametrize(
    ("representation", "lacks"),
    [
        (PITCH_ALONE, "timing, note lengths, loudness and pedal: improv takes them"),
        (Symbols("pitches", 5), "timing, note lengths, loudness and pedal: improv takes them"),
        (PITCH_STEP_DURATION, "loudness and pedal: improv takes them"),
        (Frames(), "loudness and pedal: improv takes them"),
        (WITHOUT_PEDAL, "pedal: improv takes it"),
    ],
)
def test_what_a_model_knows_nothing_of_is_said(representation: WritingRepresentation, lacks: str) -> None:
    assert borrowing(model_of(representation, preset="mine")) == (
        f"The model 'default' (preset mine) knows nothing of {lacks} from what was played last."
    )


def test_of_a_model_that_knows_everything_nothing_is_said() -> None:
    assert borrowing(packaged_model()) is None
    assert borrowing(model_of(Events(), preset="performance-rnn")) is None
