"""The Python interface, and the notebook that shows it."""

from __future__ import annotations

import ast
import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_sessions import session
from matplotlib.figure import Figure

from improv_core.errors import ConfigError, MidiFileError, StorageError
from improv_core.midi_files import Track, read_midi, write_midi
from improv_core.notes import Note, Performance
from improv_core.tempo_map import Conductor
from improv_daemon import studio
from improv_daemon.studio import Picture, Piece, Player

NOTEBOOK = Path(__file__).parent.parent / "docs" / "studio.ipynb"
TUNE = [Note(pitch, 64, 0.5 * i, 0.4) for i, pitch in enumerate((60, 64, 67))]


@pytest.fixture(autouse=True)
def _usual_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))


def test_importing_it_is_light() -> None:
    code = "import sys, improv_daemon.studio; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    heavy = {"matplotlib", "onnxruntime", "pandas", "soundfile", "miniaudio", "pretty_midi"}
    assert not heavy & set(ran.stdout.split())


def test_a_midi_file_is_a_piece_of_its_tracks(tmp_path: Path) -> None:
    path = tmp_path / "tune.mid"
    write_midi(
        path, [Track("right", Performance.of(TUNE)), Track("left", Performance.of(TUNE[:1]), channel=1)]
    )
    piece = studio.load(path)
    assert repr(piece) == "Piece('tune': 4 notes, 0:01.4)"
    assert [track.name for track in piece.tracks] == ["right", "left"]
    assert piece.turns == ()
    assert piece.beats is not None
    assert piece.beats.is_plain


def test_a_session_is_found_by_its_name_and_has_turns(tmp_path: Path) -> None:
    folder = session(tmp_path)
    piece = studio.load("2026-11-20", sessions=tmp_path)
    assert piece.name == folder.name
    assert [turn.name for turn in piece.turns] == ["player 1", "improv 1"]
    assert studio.load(folder.journal).tracks == piece.tracks
    assert studio.load(folder.path).tracks == piece.tracks
    Piece.of(TUNE).save(folder.midi)
    assert studio.load(folder.midi).name == folder.name


def test_what_cannot_be_loaded_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MidiFileError, match=r"gone\.mid does not exist\."):
        studio.load(tmp_path / "gone.mid")
    with pytest.raises(StorageError, match="There is no session"):
        studio.load("gone", sessions=tmp_path)
    (tmp_path / "words.txt").write_text("no music")
    with pytest.raises(MidiFileError, match="neither a MIDI file nor a session's journal"):
        studio.load(tmp_path / "words.txt")


def test_the_table_has_a_row_for_each_note() -> None:
    table: Any = Piece.of(TUNE).table()
    assert table["name"].tolist() == ["C4", "E4", "G4"]
    assert table["step_s"].tolist() == [0.0, 0.5, 0.5]


def test_without_pandas_the_table_is_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    table: Any = Piece.of(TUNE).table()
    assert [(row["name"], row["onset_s"]) for row in table] == [("C4", 0.0), ("E4", 0.5), ("G4", 1.0)]


def test_generating_goes_on_from_a_piece_and_is_the_same_for_the_same_dice() -> None:
    pieces = [studio.generate(studio.example(), notes=12, dice=dice) for dice in (3, 3, 4)]
    assert [len(piece.notes) for piece in pieces] == [12, 12, 12]
    assert pieces[0].tracks == pieces[1].tracks != pieces[2].tracks
    assert pieces[0].name == "improv, after example"


def test_a_joined_piece_has_the_turns_of_both() -> None:
    piece = studio.generate(studio.example(), notes=8, dice=3, join=True)
    assert [turn.who for turn in piece.turns] == ["player", "improv"]
    assert piece.beats is not None


def test_settings_are_given_by_name_and_refused_by_name() -> None:
    low = studio.generate(studio.example(), notes=8, dice=3, settings={"sampling.highest_pitch": 60})
    assert max(note.pitch for note in low.notes) <= 60
    with pytest.raises(ConfigError, match=r"sampling\.highest"):
        studio.generate(studio.example(), notes=8, settings={"sampling.highest": 60})


def test_a_piece_is_saved_and_loaded_again(tmp_path: Path) -> None:
    (track,) = read_midi(Piece.of(TUNE).save(tmp_path / "tune.mid"))
    assert [note.pitch for note in track.performance.notes] == [60, 64, 67]


def test_what_is_saved_keeps_its_tempos_and_bars(tmp_path: Path) -> None:
    path = tmp_path / "waltz.mid"
    waltz = Conductor(((0, 600_000), (1920, 400_000)), ((0, 3, 4),))
    write_midi(path, [Track("piano", Performance.of(TUNE))], conductor=waltz)
    saved = studio.load(studio.load(path).save(tmp_path / "again.mid"))
    assert saved.beats is not None
    assert saved.beats.conductor == waltz
    made = studio.generate(studio.load(path), bars=2, dice=3)
    loaded = studio.load(made.save(tmp_path / "made.mid"))
    assert loaded.beats is not None
    assert made.beats is not None
    assert loaded.beats.conductor == made.beats.conductor


def test_a_file_with_what_nobody_knows_in_it_has_beats_too(tmp_path: Path) -> None:
    path = Piece.of(TUNE).save(tmp_path / "odd.mid")
    data = path.read_bytes()
    path.write_bytes(data[:14] + b"XFIH" + (3).to_bytes(4, "big") + b"abc" + data[14:])
    piece = studio.load(path)
    assert (len(piece.notes), piece.beats is not None) == (3, True)


def test_the_sound_is_an_array_that_does_not_clip() -> None:
    samples, rate = studio.render(Piece.of(TUNE), sample_rate=22_050, voice="piano")
    assert rate == 22_050
    assert samples.dtype == np.float32
    assert samples.shape[1] == 2
    assert samples.shape[0] >= 1.4 * rate
    assert 0.01 < np.abs(samples).max() < 1.0


def test_a_player_holds_the_first_thirty_seconds_as_mp3() -> None:
    player = studio.listen(
        Piece.of([Note(60, 64, 0.5 * i, 0.4) for i in range(200)], name="<long>"), voice="piano"
    )
    assert 30 <= player.length_s <= 33
    page = player._repr_html_()
    (data,) = re.findall(r'src="data:audio/mpeg;base64,([^"]+)"', page)
    assert base64.b64decode(data) == player.mp3
    assert "&lt;long&gt;" in page


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda one: studio.generate(one, seconds=-1), "seconds must be 0.1 or more, not -1."),
        (lambda one: studio.generate(one, notes=0), "notes must be 1 or more, not 0."),
        (lambda one: studio.generate(one, bars=0), "bars must be 1 or more, not 0."),
        (lambda one: studio.generate(one, dice=-3), "dice must be 0 or more, not -3."),
        (lambda one: studio.render(one, sample_rate=0), "sample_rate must be 8000 to 192000, not 0."),
        (
            lambda one: studio.render(one, voice="flute"),
            "There is no voice 'flute'; there are auto, soundfont, piano.",
        ),
        (lambda one: studio.listen(one, 0), "seconds must be 0.1 or more, not 0."),
        (lambda one: studio.listen(one, from_s=-2), "from_s is -2, but a piece begins at 0."),
        (lambda one: studio.plot([]), "There is no piece to draw."),
        (
            lambda one: studio.plot(one, from_s=1.0, to_s=0.5),
            "to_s must come after from_s, but they are 0.5 and 1.",
        ),
        (lambda one: studio.plot(one, rows=-1), "rows must be 0 or more, not -1."),
    ],
)
def test_what_cannot_be_had_is_said_in_a_sentence(ask: Callable[[Piece], object], sentence: str) -> None:
    with pytest.raises(ConfigError) as raised:
        ask(Piece.of(TUNE))
    assert str(raised.value) == sentence


def test_a_picture_shows_itself_and_is_saved(tmp_path: Path) -> None:
    picture = studio.plot(Piece.of(TUNE))
    assert isinstance(picture, Picture)
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert picture.save(tmp_path / "roll.svg").read_text().startswith("<?xml")
    with pytest.raises(ConfigError, match=r"roll\.jpg is no picture"):
        picture.save(tmp_path / "roll.jpg")


@pytest.mark.parametrize("what", ["roll", "density", "tempo", "pitch", "inter-onset"])
def test_axes_of_ones_own_are_drawn_into(what: str) -> None:
    axes = Figure(figsize=(6, 3)).add_subplot()
    piece = studio.generate(studio.example(), notes=8, dice=3)
    assert studio.plot(piece, axes, what=what) is axes
    assert axes.has_data()


def test_pictures_that_do_not_fit_are_refused() -> None:
    axes = Figure().add_subplot()
    with pytest.raises(ConfigError, match="'counts' of 1 does not fit into one pair of axes"):
        studio.plot(Piece.of(TUNE), axes, what="counts")
    with pytest.raises(ConfigError, match="There is no picture 'training' of a piece"):
        studio.plot(Piece.of(TUNE), what="training")


# --- the notebook ---------------------------------------------------------------------------------


def cells() -> list[str]:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Run a cell as a notebook does; the value of its last line, if that has one."""
    parsed = ast.parse(source)
    last = parsed.body.pop() if isinstance(parsed.body[-1], ast.Expr) else None
    exec(compile(parsed, "cell", "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # type: ignore[attr-defined]


def test_the_notebook_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    shown = [value for source in cells() if (value := run_cell(source, names)) is not None]
    assert [type(value).__name__ for value in shown].count("Picture") >= 3
    assert [len(value.mp3) > 10_000 for value in shown if isinstance(value, Player)] == [True, True]
    assert len(read_midi(tmp_path / "answer.mid")) == 1


def test_the_notebook_is_kept_without_results() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    identifiers = [cell["id"] for cell in notebook["cells"]]
    assert len(set(identifiers)) == len(identifiers)
