from __future__ import annotations

from pathlib import Path

import pytest
from conftest import require
from kept_sessions import session_folder, written_session

from improv_core.errors import SoundError, StorageError
from improv_core.midi_files import read_midi
from improv_daemon.keeper import KeepOptions
from improv_daemon.keeper.finishing import finish_session
from improv_daemon.sessions import SessionFolder
from improv_daemon.sessions.exporting import Exported, export_session
from improv_daemon.soundfonts import find_soundfont

OPTIONS = KeepOptions()
SHORT = "2 notes, 0 chords, 2 tracks, 0:04"


@pytest.fixture
def folder(tmp_path: Path) -> SessionFolder:
    return written_session(session_folder(tmp_path))


def test_what_there_is_already_is_copied(folder: SessionFolder, tmp_path: Path) -> None:
    for made, name in ((folder.midi, "a.mid"), (folder.midi, "a.MIDI"), (folder.audio(".flac"), "a.flac")):
        made.write_bytes(made.name.encode())
        assert export_session(folder.journal, tmp_path / name, OPTIONS) == (Exported(tmp_path / name),)
        assert (tmp_path / name).read_bytes() == made.name.encode()


def test_what_is_wanted_otherwise_is_made_anew(folder: SessionFolder, tmp_path: Path) -> None:
    folder.midi.write_bytes(b"of old")
    out = tmp_path / "a.mid"
    assert export_session(folder.journal, out, OPTIONS, anew=True) == (Exported(out),)
    player, improv = read_midi(out)
    assert ([note.pitch for note in player.performance.notes], player.name) == ([60], "player")
    assert ([note.pitch for note in improv.performance.notes], improv.name) == ([64], "improv")


def test_notes_become_a_table(folder: SessionFolder, tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    assert export_session(folder.journal, out, OPTIONS) == (Exported(out, SHORT),)
    assert out.read_text().splitlines() == [
        "name,pitch,onset_s,duration_s,step_s,velocity,track,chord,normal_order",
        "C4,60,1.0,1.0,0.0,80,player,,",
        "E4,64,3.0,1.0,2.0,70,improv,,",
    ]


def test_a_file_that_is_there_stays(folder: SessionFolder, tmp_path: Path) -> None:
    out = tmp_path / "a.mid"
    out.write_text("precious")
    with pytest.raises(StorageError) as refused:
        export_session(folder.journal, out, OPTIONS)
    assert str(refused.value) == f"{out} exists already and is not overwritten."
    assert out.read_text() == "precious"


def test_what_is_missing_from_the_session_is_told(folder: SessionFolder, tmp_path: Path) -> None:
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    folder.journal.write_bytes(b"".join([*lines[:3], b"?" + lines[3][1:], *lines[4:]]))
    (made,) = export_session(folder.journal, tmp_path / "a.mid", OPTIONS)
    (note,) = made.notes
    assert note.startswith(f"One line of {folder.journal} could not be read and is left out")


def test_what_was_missing_when_a_file_was_made_is_told_with_its_copy(
    folder: SessionFolder, tmp_path: Path
) -> None:
    folder.journal.write_bytes(b"".join(folder.journal.read_bytes().splitlines(keepends=True)[:-1]))
    finish_session(folder, KeepOptions(audio="off"))
    (made,) = export_session(folder.journal, tmp_path / "a.mid", OPTIONS)
    cut = f"{folder.journal} ends at 0:04, where improv was stopped; what came after is not known."
    assert made == Exported(tmp_path / "a.mid", notes=(cut,))
    assert made.path.read_bytes() == folder.midi.read_bytes()


def test_sound_is_made_of_all_or_of_each_track(folder: SessionFolder, tmp_path: Path) -> None:
    try:
        find_soundfont("")
    except SoundError as missing:
        require(None, str(missing))
    options = KeepOptions(voice="soundfont")
    (whole,) = export_session(folder.journal, tmp_path / "a.wav", options)
    stems = export_session(folder.journal, tmp_path / "b.wav", options, stems=True)
    assert [one.path.name for one in (whole, *stems)] == ["a.wav", "b-1-player.wav", "b-2-improv.wav"]
    assert [one.about.partition(",")[0] for one in (whole, *stems)] == ["0:07", "0:07", "0:07"]
