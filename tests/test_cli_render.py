"""``improv render``: MIDI files, sessions and sound files to sound."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made_sessions import conversation, session
from sound_checks import decoded, installed_soundfont

from improv_core.midi_files import Track, write_midi
from improv_core.notes import Note, Performance
from improv_daemon import cli

SCALE = [Note(60 + step, 80, step * 0.5, 0.4) for step in range(8)]


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    installed_soundfont()


def midi_file() -> str:
    both = [
        Track("left hand", Performance.of(SCALE)),
        Track("right hand", Performance.of(SCALE), channel=1),
    ]
    write_midi(Path("a.mid"), both)
    return "a.mid"


def run(*arguments: str) -> int:
    return cli.main(["render", *arguments])


def test_a_midi_file_becomes_an_mp3_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(midi_file()) == 0
    said = capsys.readouterr().out
    assert said.startswith("Wrote a.mp3 (0:07, peak -1.5 dB, -")
    assert said.endswith(" LUFS).\n")
    assert decoded(Path("a.mp3")).duration_s == pytest.approx(6.9, abs=0.01)


def test_onsets_are_where_the_midi_file_has_them() -> None:
    assert run(midi_file(), "-o", "a.wav", "--reverb", "0") == 0
    sound = decoded(Path("a.wav"))
    level = np.abs(sound.samples).max(axis=1)
    for note in SCALE[1:]:
        at = round(note.onset_s * sound.sample_rate)
        before, after = level[at - 300 : at].max(), level[at : at + 1500].max()
        assert after > 2 * before


def test_every_option_is_heeded(capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--from", "1", "--to", "0:03", "--tail", "0.5", "--sample-rate", "22050", "--gain", "-20"]
    assert run(midi_file(), "-o", "b.flac", *more) == 0
    sound = decoded(Path("b.flac"))
    assert sound.sample_rate == 22_050
    assert sound.duration_s == pytest.approx(2.5, abs=0.001)
    assert sound.peak < 0.2
    assert "Wrote b.flac (0:02" in capsys.readouterr().out


def test_stems_are_named_by_their_tracks(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(midi_file(), "-o", "s.wav", "--stems") == 0
    assert capsys.readouterr().out.count("Wrote ") == 2
    assert {path.name for path in Path().glob("s*.wav")} == {"s-1-left-hand.wav", "s-2-right-hand.wav"}


def test_a_bit_rate_of_zero_varies() -> None:
    assert run(midi_file(), "-o", "c.mp3") == 0
    assert run(midi_file(), "-o", "v.mp3", "--bitrate", "0") == 0
    assert b"Info" in Path("c.mp3").read_bytes()[:500]
    assert b"Xing" in Path("v.mp3").read_bytes()[:500]


def test_a_sound_file_becomes_another_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(midi_file(), "-o", "a.wav") == 0
    assert run("a.wav", "-o", "b.ogg", "--from", "1", "--to", "3") == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("Wrote b.ogg (0:02, peak ")
    assert decoded(Path("b.ogg")).duration_s == pytest.approx(2.0, abs=0.001)


def test_a_file_that_exists_is_overwritten_with_force_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.mp3").write_text("mine")
    assert run(midi_file()) == 2
    assert capsys.readouterr().err.startswith("a.mp3 exists already; name another file, or add --force")
    assert Path("a.mp3").read_text() == "mine"
    assert run("a.mid", "--force") == 0
    assert decoded(Path("a.mp3")).duration_s > 6


def test_a_session_is_rendered_where_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    session(Path("sessions"))
    assert run("last", "-o", "mine.flac") == 0
    assert capsys.readouterr().out.startswith("Wrote mine.flac (0:")
    assert [path.name for path in Path("sessions/2026-11-20_19-30-05").iterdir()] == ["journal.jsonl"]


def test_what_a_session_misses_is_made_again(capsys: pytest.CaptureFixture[str]) -> None:
    folder = session(Path("sessions"))
    assert run("2026-11-20") == 0
    assert capsys.readouterr().out.startswith(f"Wrote {folder.midi} and {folder.audio('.mp3')} (0:")
    assert json.loads(folder.summary.read_text())["files"]
    assert run("2026-11-20") == 0
    assert capsys.readouterr().out == f"{folder.midi} and {folder.audio('.mp3')}: all is there.\n"


def test_without_a_soundfont_the_built_in_piano_plays_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("improv_daemon.soundfonts._installed", lambda: ())
    assert run(midi_file(), "-o", "p.flac", "--to", "1", "--tail", "0.5") == 0
    said, wrote = capsys.readouterr().out.splitlines()
    assert said.startswith("The built-in piano plays: No soundfont was found: on Debian or Ubuntu ")
    assert wrote.startswith("Wrote p.flac (0:0")
    assert decoded(Path("p.flac")).between(0.1, 0.4).rms > 0.01
    assert run("a.mid", "-o", "q.flac", "--voice", "soundfont") == 2
    assert capsys.readouterr().err.startswith("No soundfont was found: ")


def test_that_the_built_in_piano_plays_for_all_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    write_midi(Path("flute.mid"), [Track("flute", Performance.of([Note(72, 80, 0.0, 0.4)]), program=73)])
    assert run("flute.mid", "-o", "f.wav", "--voice", "piano", "--tail", "0.5") == 0
    said, _ = capsys.readouterr().out.splitlines()
    assert said == "The built-in piano has no other instruments: it plays them all, and no drums."


def test_a_journal_anywhere_has_its_files_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    conversation(Path("sitting.jsonl"))
    assert run("sitting.jsonl", "--no-sound") == 0
    assert capsys.readouterr().out == "Wrote sitting.mid.\n"
    assert not Path("sitting.mp3").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.mid", "-o", "b.aac"], "b.aac cannot be the output: its name must end in .mp3 or "),
        (["a.mid", "-o", "no/b.mp3"], "no/b.mp3 cannot be written: there is no folder no."),
        (
            ["a.mid", "--reverb", "2"],
            "--reverb: sound.reverb = 2.0 is not allowed: it must be a number from 0 ",
        ),
        (["a.mid", "--from", "3", "--to", "2"], "--to must come after --from."),
        (["a.mid", "--from", "1:00"], "There is no note to hear in that part; the notes end at 0:04."),
        (["a.mid", "--soundfont", "no.sf2"], "no.sf2: there is no such soundfont"),
        (["no.mid"], "There is no MIDI file no.mid."),
        (["no.wav", "-o", "b.mp3"], "There is no sound file no.wav."),
        (["no.jsonl"], "There is no file no.jsonl."),
        (["text.txt"], "text.txt is no MIDI file, sound file, journal or session."),
        (["text.wav", "-o", "b.mp3"], "text.wav cannot be read as sound"),
        (["text.wav", "-o", "text.wav"], "text.wav is the input too"),
        (["text.wav", "-o", "b.mp3", "--stems"], "--stems is for MIDI files and sessions only."),
    ],
)
def test_what_is_wrong_is_one_sentence(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    midi_file()
    for name in ("text.txt", "text.wav"):
        Path(name).write_text("no sound")
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(message)
    assert captured.err.count("\n") == 1
    assert not [path for path in Path().iterdir() if path.suffix in (".mp3", ".aac") or ".part" in path.name]
