"""Openings of training pieces that a model carries, to begin from without a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from onnx_bytes import with_metadata

from improv_core.errors import ModelFileError
from improv_core.midi_files import Track
from improv_core.model import METADATA_KEY, Model
from improv_core.notes import ControlChange, Note, Performance
from improv_daemon.generating import Wanted, compose
from improv_daemon.models import load_model, model_path
from improv_daemon.openings import random_opening
from improv_daemon.seeds import NOTHING, Seed
from improv_daemon.settings import Settings

OPENINGS = [
    [[0, 0, 60, 70, 200], [250, 1, 64, 71, 210], [0, 1, 67, 72, 220], [500, 0, 72, 73, 900]],
    [[0, 0, 40, 70, 200], [250, 0, 44, 71, 210]],
]


def model_with(openings: object, folder: Path) -> Model:
    """The default model with openings in its file."""
    path = folder / "opened.onnx"
    metadata = {**load_model("default").metadata, "openings": openings}
    path.write_bytes(with_metadata(model_path("default").read_bytes(), {METADATA_KEY: json.dumps(metadata)}))
    return load_model(str(path))


def test_an_opening_is_the_notes_of_its_rows_with_their_pedal(tmp_path: Path) -> None:
    assert random_opening(model_with(OPENINGS[:1], tmp_path), 3) == Performance.of(
        [Note(60, 70, 0.0, 0.2), Note(64, 71, 0.25, 0.21), Note(67, 72, 0.25, 0.22), Note(72, 73, 0.75, 0.9)],
        [ControlChange(64, 127, 0.25), ControlChange(64, 0, 0.75)],
    )


def test_the_seed_chooses_the_opening(tmp_path: Path) -> None:
    model = model_with(OPENINGS, tmp_path)
    chosen = []
    for seed in [*range(1, 21), *range(1, 21)]:
        opening = random_opening(model, seed)
        assert opening is not None
        chosen.append(opening.notes[0].pitch)
    assert chosen[:20] == chosen[20:]
    assert set(chosen) == {60, 40}


def test_what_begins_from_nothing_goes_on_from_an_opening(tmp_path: Path) -> None:
    model = model_with(OPENINGS, tmp_path)
    opening = random_opening(model, 7)
    assert opening is not None
    seed = Seed("x", (Track("piano", opening),))
    made = [compose(one, Settings(), Wanted(3.0), model=model, dice=7) for one in (NOTHING, seed)]
    assert made[0] == made[1]
    joined = compose(NOTHING, Settings(), Wanted(3.0, join=True), model=model, dice=7)
    assert [track.name for track in joined.tracks] == ["opening", "improv"]


def test_a_model_without_openings_has_none() -> None:
    assert random_opening(load_model("default"), 3) is None


@pytest.mark.parametrize(
    "openings", [[[[0, 0, 60, 70]]], [[["a"] * 5]], [7], 7, {"a": 1}, [[[0, 0, 200, 70, 9]]]]
)
def test_openings_that_cannot_be_read_are_one_sentence(openings: object, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"carries openings that cannot be read; export it again\.$"):
        random_opening(model_with(openings, tmp_path), 3)
