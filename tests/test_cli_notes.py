"""``improv notes`` and ``improv show`` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kept_sessions import session_folder, written_session

from improv_core.midi_files import Track, write_midi
from improv_core.notes import Note, Performance
from improv_daemon import cli


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _piece(tmp_path: Path, _own_folders: None) -> None:
    left = [Note(48, 60, 0.5 * i, 0.25) for i in range(80)]
    right = [Note(64 + i % 2, 70, 0.5 * i, 0.25) for i in range(80)]
    write_midi(Path("a.mid"), [Track("left", Performance.of(left)), Track("right", Performance.of(right))])


def said_by(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert cli.main(arguments) == status
    captured = capsys.readouterr()
    return captured.err if status else captured.out


def test_every_note_is_a_line_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    *lines, last = said_by(capsys, "notes", "a.mid").splitlines()
    assert last == "160 notes, 80 chords, 2 tracks, 0:39.8."
    assert sum(" left " in line or " right " in line for line in lines) == 160
    assert max(map(len, lines)) < 120


def test_a_terminal_gets_the_first_ones_and_is_told_of_the_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    said = said_by(capsys, "notes", "a.mid")
    assert said.count(" left ") == 30
    hint = " These are the first 60; --all shows the others, -o OUT.csv keeps them."
    assert said.splitlines()[-1] == f"160 notes, 80 chords, 2 tracks, 0:39.8.{hint}"
    said = said_by(capsys, "notes", "a.mid", "--all")
    assert said.count(" left ") == 80
    assert said.splitlines()[-1] == "160 notes, 80 chords, 2 tracks, 0:39.8."


def test_csv_goes_to_the_terminal_or_into_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    printed = said_by(capsys, "notes", "a.mid", "--csv", "--from", "0:01", "--to", "2")
    assert printed.splitlines() == [
        "name,pitch,onset_s,duration_s,step_s,velocity,track,chord,normal_order",
        "C3,48,1.0,0.25,0.5,60,left,major third,0.4",
        "E4,64,1.0,0.25,0.0,70,right,major third,0.4",
        "C3,48,1.5,0.25,0.5,60,left,perfect fourth,0.5",
        "F4,65,1.5,0.25,0.0,70,right,perfect fourth,0.5",
    ]
    arguments = ("notes", "a.mid", "-o", "a.csv", "--from", "1", "--to", "2")
    assert said_by(capsys, *arguments) == "Wrote a.csv: 4 notes, 2 chords, 2 tracks, 0:01.8.\n"
    assert Path("a.csv").read_text() == printed
    assert said_by(capsys, *arguments, status=2).startswith("a.csv exists already; ")
    assert said_by(capsys, *arguments, "--force").startswith("Wrote a.csv")


def test_the_piece_itself_is_never_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("a.mid").read_bytes()
    sentence = "a.mid is the input too; name another output, so that nothing is lost.\n"
    assert said_by(capsys, "notes", "a.mid", "--csv", "-o", "a.mid", "--force", status=2) == sentence
    assert Path("a.mid").read_bytes() == before


def test_no_note_lies_before_from_and_after_to(capsys: pytest.CaptureFixture[str]) -> None:
    sentence = "--to must come after --from.\n"
    assert said_by(capsys, "notes", "a.mid", "--from", "0:09", "--to", "4", status=2) == sentence


@pytest.mark.parametrize("command", [["notes"], ["generate", "--notes", "2", "-o", "out.mid"]])
def test_what_is_missing_from_a_session_is_said(
    command: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = written_session(session_folder(tmp_path / "elsewhere"))
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    folder.journal.write_bytes(b"".join([*lines[:2], b"?" + lines[2][1:], *lines[3:-1]]))
    assert cli.main([*command, "last", "--folder", "elsewhere"]) == 0
    said = "".join(capsys.readouterr())
    journal = f"elsewhere/{folder.name}/journal.jsonl"
    assert f"One line of {journal} could not be read and is left out (from 0:01 to 0:02).\n" in said
    assert f"{journal} ends at 0:04, where improv was stopped; what came after is not known.\n" in said


def test_one_track_is_listed_alone(capsys: pytest.CaptureFixture[str]) -> None:
    printed = said_by(capsys, "notes", "a.mid", "--csv", "--track", "right", "--to", "1")
    assert printed.splitlines()[1:] == [
        "E4,64,0.0,0.25,0.0,70,right,,",
        "F4,65,0.5,0.25,0.5,70,right,,",
    ]
    sentence = "a.mid has no track 'middle'; those there are: left, right.\n"
    assert said_by(capsys, "notes", "a.mid", "--track", "middle", status=2) == sentence


def test_a_piece_without_notes_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    write_midi(Path("silent.mid"), [])
    assert said_by(capsys, "notes", "silent.mid") == "0 notes, 0 chords, 0 tracks, 0:00.\n"


def test_show_says_what_the_default_model_is(capsys: pytest.CaptureFixture[str]) -> None:
    said = said_by(capsys, "show")
    for words in (
        "preset          piano\n",
        "representation  piano: dt (96), pedal (2), pitch (128), velocity (32), duration (128)\n",
        "size            LSTM, 2 layers of 512 (3.7 M weights)\n",
        "memory          carried on from note to note\n",
        "heeds           style (classical, jazz line, pop, roll era); density; tempo and beat; ",
        "licence         CC BY-SA 3.0 DE",
        "pop909_main: piano arrangements of pop songs, POP909; MIT; Copyright (c) 2020 Music X Lab\n",
        "nats per note, test    model    PPM-4   bigram   unigram\n",
        "maestro_v2            11.534   14.377   14.093    15.449\n",
    ):
        assert words in "".join(f"{line.rstrip()}\n" for line in said.splitlines())


def test_show_as_json_has_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    facts = json.loads(said_by(capsys, "show", "--json"))
    assert facts["heeds"]["styles"] == ["classical", "jazz line", "pop", "roll era"]
    assert facts["figures"]["maestro_v2"]["model"] == 11.5345
    assert len(facts["sha256"]) == 64
