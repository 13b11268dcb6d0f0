"""Every command of the tables in docs/ancestors.md does what it is said to do."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from performance_fixture import human_performance
from tiny_corpora import TINY, random_pieces, require_training_extra, write_corpus

from improv_core.midi_files import Track, read_midi, write_midi
from improv_core.notes import Note, Performance
from improv_daemon import cli

TABLES = Path(__file__).parent.parent / "docs" / "ancestors.md"
SHORTER = (*TINY, "--updates", "2", "--validate-every", "1", "--cache", "cache")
"""Behind the command of the table, so that training ends; nothing else is changed."""

TRAINED = ("train", "evaluate", "export")


def commands() -> list[tuple[str, ...]]:
    """As they stand in the tables, in order, without ``improv``."""
    rows = [line for line in TABLES.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    found = re.findall(r"`improv ([^`]+)`", "\n".join(rows))
    return [tuple(shlex.split(command)) for command in found]


def needs_training(command: tuple[str, ...]) -> bool:
    return command[0] in TRAINED or any("runs/" in word or word == "mine.onnx" for word in command)


def outputs(command: tuple[str, ...]) -> list[Path]:
    path = Path(command[command.index("-o") + 1]) if "-o" in command else None
    if path is None:
        return []
    if "--variations" in command:
        return [path.with_stem(f"{path.stem}-{number}") for number in (1, 2, 3)]
    return [path / "best.ckpt" if command[0] == "train" else path]


@pytest.fixture(autouse=True)
def _studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with ``prelude.mid`` and the folder ``midi``, and nothing of the user's."""
    monkeypatch.chdir(tmp_path)
    for variable in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    performance = human_performance().performance
    begin = Performance.of(
        [note for note in performance.notes if note.onset_s < 12],
        [c for c in performance.pedal if c.at_s < 12],
    )
    write_midi(Path("prelude.mid"), [Track("piano", begin)])
    pieces = {f"{i}.mid": melody(i) for i in range(6)}
    write_corpus(tmp_path / "midi", {**random_pieces(6), **pieces})


def melody(number: int) -> Performance:
    pitches = (60, 62, 64, 65, 67, 65, 64, 62)
    return Performance.of(Note(pitches[i % 8] + number, 64, i * 0.25, 0.2) for i in range(60))


def run(command: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> str:
    more = SHORTER if command[0] == "train" else ("--cache", "cache") if command[0] == "evaluate" else ()
    status = cli.main([*command, *more])
    out, err = capfd.readouterr()
    assert status == 0, (command, out, err)
    for path in outputs(command):
        assert path.stat().st_size > 20, command
    return out


def test_the_tables_name_a_command_for_each_row() -> None:
    rows = [line for line in TABLES.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    without = [row for row in rows if "`improv " not in row and "---" not in row and "| They |" not in row]
    assert without == []
    assert len(commands()) == 25


def test_looking_and_making_music_take_the_commands_that_are_named(capfd: pytest.CaptureFixture[str]) -> None:
    said = {command: run(command, capfd) for command in commands() if not needs_training(command)}
    assert "G2" in said["notes", "prelude.mid"]
    assert Path("notes.csv").read_text(encoding="utf-8").startswith("name,pitch,")
    assert Path("roll.png").read_bytes().startswith(b"\x89PNG")
    (answer,) = read_midi(Path("answer.mid"))
    assert len(answer.performance.notes) == 60
    (vibes,) = read_midi(Path("vibes.mid"))
    assert vibes.program == 11
    assert Path("answer.wav").read_bytes()[:4] == b"RIFF"
    assert Path("excerpt.ogg").read_bytes()[:4] == b"OggS"


def test_learning_takes_the_commands_that_are_named(capfd: pytest.CaptureFixture[str]) -> None:
    require_training_extra()
    trained = [command for command in commands() if needs_training(command)]
    assert len([command for command in trained if command[0] == "train"]) == 5
    for command in trained:
        run(command, capfd)
    (opening,) = read_midi(Path("opening.mid"))
    assert len(opening.performance.notes) >= 30
