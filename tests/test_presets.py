"""Presets are TOML files beside the code; each is one of the same model, read without torch."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from improv_core.errors import ConfigError
from improv_core.representation import Events, Frames, NoteAttributes, Piano, Symbols, from_spec
from improv_training.plan import Plan
from improv_training.presets import load_preset, preset_names

PIANO = Path(__file__).parents[1] / "training" / "improv_training" / "presets" / "piano.toml"


def test_the_default_comes_first_and_every_ancestor_is_there() -> None:
    assert preset_names() == [
        "piano",
        "frames",
        "performance-rnn",
        "piano-large",
        "pitch-onehot",
        "pitch-step-duration",
        "symbols",
        "symbols-3x512",
        "symbols-normal-order",
    ]


def test_the_piano_preset_is_the_default_plan() -> None:
    preset = load_preset("piano")
    assert preset.representation == Piano()
    assert preset.plan == Plan()


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_describes_a_representation_that_can_be_made_again(name: str) -> None:
    preset = load_preset(name)
    assert preset.plan.preset == preset.name == name
    assert from_spec(preset.plan.representation).spec() == preset.representation.spec()


@pytest.mark.parametrize(
    ("name", "kind", "hidden", "layers"),
    [
        ("piano", Piano, 512, 2),
        ("piano-large", Piano, 1024, 2),
        ("performance-rnn", Events, 512, 3),
        ("pitch-onehot", NoteAttributes, 256, 2),
        ("pitch-step-duration", NoteAttributes, 128, 1),
        ("symbols", Symbols, 256, 2),
        ("symbols-3x512", Symbols, 512, 3),
        ("symbols-normal-order", Symbols, 256, 2),
        ("frames", Frames, 256, 2),
    ],
)
def test_what_each_preset_is(name: str, kind: type, hidden: int, layers: int) -> None:
    preset = load_preset(name)
    assert type(preset.representation) is kind
    assert (preset.plan.shape.hidden, preset.plan.shape.layers) == (hidden, layers)


def test_what_makes_the_ancestors_what_they_were() -> None:
    onehot = load_preset("pitch-onehot")
    assert [(a.name, a.form, a.head) for a in onehot.representation.attributes] == [
        ("pitch", "one-hot", "categorical")
    ]
    assert not onehot.plan.stateful
    regressing = load_preset("pitch-step-duration")
    assert [(a.name, a.head, a.given, a.weight) for a in regressing.representation.attributes] == [
        ("pitch", "categorical", (), 0.05),
        ("dt", "regression", (), 1.0),
        ("duration", "regression", (), 1.0),
    ]
    assert (regressing.plan.chunk, regressing.plan.patience) == (25, 5)
    symbols = load_preset("symbols")
    assert isinstance(symbols.representation, Symbols)
    assert (symbols.representation.chords, symbols.representation.min_count) == ("pitches", 5)
    assert (symbols.plan.lanes, symbols.plan.epochs, symbols.plan.held_out) == (128, 120, 20)
    deep = load_preset("symbols-3x512")
    assert (deep.plan.chunk, deep.plan.weight_decay, deep.plan.tracks) == (50, 0.0, "piano")
    ordered = load_preset("symbols-normal-order")
    assert isinstance(ordered.representation, Symbols)
    assert (ordered.representation.chords, ordered.plan.shape.projected) == ("normal-order", 256)
    assert ordered.openings > 0


def test_what_each_preset_lacks() -> None:
    lacking = {name: load_preset(name).representation.lacks for name in preset_names()}
    everything = ("timing", "note lengths", "loudness", "pedal")
    assert lacking == {
        "piano": (),
        "piano-large": (),
        "performance-rnn": (),
        "pitch-onehot": everything,
        "pitch-step-duration": ("loudness", "pedal"),
        "symbols": everything,
        "symbols-3x512": everything,
        "symbols-normal-order": everything,
        "frames": ("loudness", "pedal"),
    }


def test_a_file_of_ones_own_is_a_preset(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(PIANO.read_text().replace("hidden = 512", "hidden = 64"))
    preset = load_preset(str(path))
    assert (preset.name, preset.plan.shape.hidden) == ("small", 64)


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("hidden = 512", "hiden = 512", "hiden"),
        ("lanes = 32", "lane = 32", "lane"),
        ('kind = "piano"', 'kind = "organ"', "organ"),
        ("size = 96", "size = 95", "attributes or inputs of 'piano'"),
        ("lanes = 32", 'tracks = "drums"', "tracks is one of piano, melody, all"),
        ("summary", 'colour = "red"\nsummary', "nothing is called colour"),
        ("rate = 2e-3", 'schedule = "random"', "schedule is one of cosine, constant"),
        ("[network]", "[network", "is not a TOML file"),
        ("summary = ", "# ", "it lacks 'summary'"),
        ("hidden = 512", 'hidden = "wide"', "hidden = 'wide' is not a whole number"),
        ("rate = 2e-3", 'rate = "fast"', "rate = 'fast' is not a number"),
        ("lanes = 32", "lanes = 0", "lanes is 1 at least, not 0"),
        ("layers = 2", "layers = 0", "layers is 1 at least, not 0"),
        ("dropout = 0.1", "dropout = 1.0", "dropout is from 0 to below 1, not 1.0"),
        ("lanes = 32", "clip = 0.0", "clip is more than 0, not 0.0"),
    ],
)
def test_what_cannot_be_in_a_preset_is_named(tmp_path: Path, before: str, after: str, named: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(PIANO.read_text().replace(before, after, 1))
    with pytest.raises(ConfigError, match=re.escape(named)) as caught:
        load_preset(str(path))
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_preset_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no preset 'flute'; there are piano, frames, .*\.toml file"):
        load_preset("flute")
    with pytest.raises(ConfigError, match=r"none\.toml cannot be read \(No such file or directory\)\."):
        load_preset(str(tmp_path / "none.toml"))
