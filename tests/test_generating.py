"""``improv generate``: from one MIDI file to another."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx_bytes import with_metadata
from playing import improviser_of, model_of, model_that_plays, model_trained_on
from scripted_improviser import ScriptedImproviser

from improv_core.closing import CLOSE_S, REACHED_S
from improv_core.errors import MidiFileError, ModelFileError, StorageError
from improv_core.improviser import Improviser
from improv_core.improvising import Ask
from improv_core.midi_files import Track, read_midi, write_midi
from improv_core.model import METADATA_KEY
from improv_core.notes import ControlChange, Note, Performance
from improv_core.representation import Events, Piano
from improv_daemon import generating
from improv_daemon.generating import generate, random_opening
from improv_daemon.models import load_model, model_path
from improv_daemon.settings import Answer, Settings

SETTINGS = Settings(seed=7)


@pytest.fixture
def seed_file(tmp_path: Path) -> Path:
    path = tmp_path / "seed.mid"
    notes = [Note(60 + i % 12, 60, 0.25 * i, 0.2) for i in range(16)]
    write_midi(path, [Track("piano", Performance.of(notes))])
    return path


def test_a_continuation_is_one_track_of_improvs_from_time_zero(seed_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mid"
    generate(seed_file, out, SETTINGS, 4.0)
    (track,) = read_midi(out)
    assert track.name == "improv"
    onsets = [note.onset_s for note in track.performance.notes]
    assert onsets[0] == 0.0
    assert 2.4 <= onsets[-1] <= 4.0 + CLOSE_S + REACHED_S
    sampling = SETTINGS.sampling
    assert all(sampling.lowest_pitch <= n.pitch <= sampling.highest_pitch for n in track.performance.notes)


def test_a_set_seed_gives_the_same_file_and_no_seed_another_each_time(
    seed_file: Path, tmp_path: Path
) -> None:
    files = [tmp_path / f"{i}.mid" for i in range(4)]
    for path, seed in zip(files, (7, 7, 0, 0), strict=True):
        generate(seed_file, path, replace(SETTINGS, seed=seed), 3.0)
    contents = [path.read_bytes() for path in files]
    assert contents[0] == contents[1]
    assert len(set(contents[1:])) == 3


def test_style_density_and_tempo_may_be_asked_and_what_comes_is_still_a_continuation(
    seed_file: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    settings = replace(SETTINGS, answer=Answer(style="jazz line", density_ratio=2.0))
    generate(seed_file, tmp_path / "out.mid", settings, 3.0, tempo_bpm=120.0, say=said.append)
    (track,) = read_midi(tmp_path / "out.mid")
    assert track.performance.notes[0].onset_s == 0.0
    assert said == []


@pytest.fixture
def improvisers(monkeypatch: pytest.MonkeyPatch) -> list[ScriptedImproviser]:
    """Every improviser that is made from now on, each playing what is written down."""
    made: list[ScriptedImproviser] = []

    def make(*_: object) -> ScriptedImproviser:
        made.append(ScriptedImproviser(0.5, endless=True))
        return made[-1]

    monkeypatch.setattr(generating, "improviser_of", make)
    return made


def test_density_is_times_that_of_the_seed(
    seed_file: Path, tmp_path: Path, improvisers: list[ScriptedImproviser]
) -> None:
    settings = replace(SETTINGS, answer=Answer(style="pop", density_ratio=2.0))
    generate(seed_file, tmp_path / "out.mid", settings, 3.0)
    assert improvisers[0].asks == [Ask("pop", pytest.approx(8.0, abs=0.02), 3.0)]


def test_of_a_seed_that_is_too_short_no_density_is_asked_and_that_is_said(
    tmp_path: Path, improvisers: list[ScriptedImproviser]
) -> None:
    said: list[str] = []
    write_midi(tmp_path / "one.mid", [Track("piano", Performance.of([Note(60, 60, 0.0, 1.0)]))])
    settings = replace(SETTINGS, answer=Answer(density_ratio=2.0))
    generate(tmp_path / "one.mid", tmp_path / "out.mid", settings, 3.0, say=said.append)
    assert improvisers[0].asks == [Ask(length_s=3.0)]
    assert said == ["What it goes on from is too short to have a density, so improv is as dense as it likes."]


@pytest.mark.usefixtures("improvisers")
def test_what_the_model_cannot_be_asked_is_said_and_it_goes_on(
    seed_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    model = model_of(Events(), preset="performance-rnn")
    monkeypatch.setattr(generating, "load_model", lambda name: model)
    settings = replace(SETTINGS, answer=Answer(style="pop"))
    generate(seed_file, tmp_path / "out.mid", settings, 3.0, tempo_bpm=90.0, say=said.append)
    assert said == [
        "The model 'default' (preset performance-rnn) has not learned to heed style and tempo: it plays as "
        "it would without."
    ]
    assert (tmp_path / "out.mid").is_file()


def test_a_model_of_no_style_and_no_beats_goes_on_as_if_neither_were_asked(
    seed_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(generating, "load_model", lambda name: model_trained_on())
    asked = replace(SETTINGS, answer=Answer(style="pop"))
    generate(seed_file, tmp_path / "plain.mid", SETTINGS, 3.0)
    generate(seed_file, tmp_path / "asked.mid", asked, 3.0, say=said.append)
    assert (tmp_path / "asked.mid").read_bytes() == (tmp_path / "plain.mid").read_bytes()
    generate(seed_file, tmp_path / "beats.mid", asked, 3.0, tempo_bpm=120.0, say=said.append)
    assert (tmp_path / "beats.mid").read_bytes() == (tmp_path / "plain.mid").read_bytes()
    in_vain = "The model 'default' (preset piano) has not learned to heed {}: it plays as it would without."
    assert said == [in_vain.format("style"), in_vain.format("style and tempo")]


def test_with_a_tempo_the_first_note_is_on_a_beat_and_the_others_are_read_with_theirs(
    seed_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Improviser] = []

    def make(*_: object) -> Improviser:
        made.append(improviser_of(model_that_plays(dt=250), seed=1))
        return made[-1]

    monkeypatch.setattr(generating, "improviser_of", make)
    generate(seed_file, tmp_path / "out.mid", SETTINGS, 2.0, tempo_bpm=60.0)
    names = [column.name for column in Piano.columns]
    phase, period = names.index("beat_phase"), names.index("beat_period")
    columns = np.concatenate([step.columns for step in made[0].window])
    assert set(columns[:16, phase]) == {24}
    assert columns[16, phase] == 0
    assert set(columns[16:, phase]) <= set(range(24))
    assert len(set(columns[16:, phase])) > 3
    assert set(columns[16:, period]) == {22}


def test_a_seed_file_without_notes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "silent.mid"
    write_midi(path, [])
    with pytest.raises(MidiFileError, match=r"silent\.mid holds no notes\.$"):
        generate(path, tmp_path / "out.mid", SETTINGS, 2.0)


# --- without a seed file --------------------------------------------------------------------------

OPENINGS = [
    [[0, 0, 60, 70, 200], [250, 1, 64, 71, 210], [0, 1, 67, 72, 220], [500, 0, 72, 73, 900]],
    [[0, 0, 40, 70, 200], [250, 0, 44, 71, 210]],
]


def model_with(openings: object, folder: Path) -> Path:
    """The default model with openings in its file."""
    path = folder / "opened.onnx"
    metadata = {**load_model("default").metadata, "openings": openings}
    model = model_path("default").read_bytes()
    path.write_bytes(with_metadata(model, {METADATA_KEY: json.dumps(metadata)}))
    return path


def test_an_opening_is_the_notes_of_its_rows_with_their_pedal(tmp_path: Path) -> None:
    model = load_model(str(model_with(OPENINGS[:1], tmp_path)))
    assert random_opening(model, 3) == Performance.of(
        [Note(60, 70, 0.0, 0.2), Note(64, 71, 0.25, 0.21), Note(67, 72, 0.25, 0.22), Note(72, 73, 0.75, 0.9)],
        [ControlChange(64, 127, 0.25), ControlChange(64, 0, 0.75)],
    )


def test_the_seed_chooses_the_opening(tmp_path: Path) -> None:
    model = load_model(str(model_with(OPENINGS, tmp_path)))
    chosen = [random_opening(model, seed).notes[0].pitch for seed in range(1, 21)]
    assert chosen == [random_opening(model, seed).notes[0].pitch for seed in range(1, 21)]
    assert set(chosen) == {60, 40}


def test_without_a_seed_file_an_opening_of_the_model_is_gone_on_from(tmp_path: Path) -> None:
    settings = replace(SETTINGS, model=str(model_with(OPENINGS, tmp_path)))
    from_opening, from_file, seed_file = (tmp_path / f"{i}.mid" for i in range(3))
    generate(None, from_opening, settings, 3.0)
    write_midi(seed_file, [Track("piano", random_opening(load_model(settings.model), settings.seed))])
    generate(seed_file, from_file, settings, 3.0)
    assert from_opening.read_bytes() == from_file.read_bytes()


def test_without_a_seed_file_and_openings_one_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError) as raised:
        generate(None, tmp_path / "out.mid", SETTINGS, 2.0)
    assert str(raised.value) == (
        "The model 'default' carries no openings to begin from; name a MIDI file to go on from, as in improv "
        "generate SEED.mid -o OUT.mid."
    )
    assert not (tmp_path / "out.mid").exists()


@pytest.mark.parametrize(
    "openings", [[[[0, 0, 60, 70]]], [[["a"] * 5]], [7], 7, {"a": 1}, [[[0, 0, 200, 70, 9]]]]
)
def test_openings_that_cannot_be_read_are_one_sentence(openings: object, tmp_path: Path) -> None:
    settings = replace(SETTINGS, model=str(model_with(openings, tmp_path)))
    with pytest.raises(ModelFileError, match=r"carries openings that cannot be read; export it again\.$"):
        generate(None, tmp_path / "out.mid", settings, 2.0)


# --- what goes wrong ------------------------------------------------------------------------------


def test_a_missing_model_is_named_before_anything_is_written(seed_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"There is no model file none\.onnx"):
        generate(seed_file, tmp_path / "out.mid", replace(SETTINGS, model="none.onnx"), 2.0)
    assert not (tmp_path / "out.mid").exists()


def test_an_output_that_cannot_be_written_is_named(seed_file: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        generate(seed_file, tmp_path / "nowhere" / "out.mid", SETTINGS, 1.0)
