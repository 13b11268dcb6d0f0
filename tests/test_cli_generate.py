"""``improv generate`` as it is typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from made_sessions import session
from sound_checks import decoded, installed_soundfont

from improv_core.midi_files import Track, read_midi, write_midi
from improv_core.notes import Note, Performance
from improv_daemon import cli


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    notes = [Note(60 + i % 12, 64, i / 2, 0.4) for i in range(60)]
    write_midi(Path("seed.mid"), [Track("piano", Performance.of(notes))])


def generated(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert cli.main(["generate", *arguments]) == status
    captured = capsys.readouterr()
    return captured.err if status else captured.out


def test_a_range_of_a_file_is_joined_to_so_many_notes_on_an_instrument(
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ("--from", "0:10", "--to", "12", "--join", "--notes", "9", "--instrument", "Vibraphone")
    assert generated(capsys, "seed.mid", "-o", "out.mid", "--seed", "3", *options) == "Wrote out.mid.\n"
    seed, improv = read_midi(Path("out.mid"))
    assert [note.onset_s for note in seed.performance.notes] == [0.0, 0.5, 1.0, 1.5]
    assert (len(improv.performance.notes), improv.program) == (9, 11)


def test_a_session_is_gone_on_from_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    session(Path("kept"))
    said = generated(
        capsys,
        "last",
        "-o",
        "out.mid",
        "--set",
        "record.folder=kept",
        "--join",
        "--seconds",
        "2",
        "--seed",
        "3",
    )
    assert said == "Wrote out.mid.\n"
    assert [track.name for track in read_midi(Path("out.mid"))] == ["player", "improv", "improv"]


def test_without_anything_named_it_begins_by_itself_and_says_what_makes_it_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = generated(capsys, "-o", "out.mid", "--seconds", "2")
    seed = re.fullmatch(r"Wrote out\.mid \(seed (\d+)\)\.\n", said)
    assert seed is not None
    assert generated(capsys, "-o", "again.mid", "--seconds", "2", "--seed", seed[1]) == "Wrote again.mid.\n"
    assert Path("again.mid").read_bytes() == Path("out.mid").read_bytes()


def test_what_is_there_stays_unless_it_is_forced(capsys: pytest.CaptureFixture[str]) -> None:
    generated(capsys, "-o", "out.mid", "--seconds", "1", "--seed", "3")
    before = Path("out.mid").read_bytes()
    sentence = "out.mid exists already; name another file, or add --force to write over it.\n"
    assert generated(capsys, "-o", "out.mid", "--seconds", "1", "--seed", "4", status=2) == sentence
    assert Path("out.mid").read_bytes() == before
    generated(capsys, "-o", "out.mid", "--seconds", "1", "--seed", "4", "--force")
    assert Path("out.mid").read_bytes() != before


def test_a_random_piece_of_a_folder_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    said = generated(capsys, "--data", ".", "-o", "out.mid", "--seed", "3", "--seconds", "2").splitlines()
    assert re.fullmatch(r"Going on from seed\.mid, from 0:0[\d.]+ to 0:[\d.]+\.", said[0])
    assert said[1:] == ["Wrote out.mid."]


@pytest.mark.parametrize("out", ["out.mid", "out.ogg"])
def test_sound_is_written_beside_and_its_length_and_levels_are_said(
    out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    installed_soundfont()
    options = ("--audio", "--seconds", "2", "--seed", "3", "--top-p", "0.9", "--preset", "calm")
    said = generated(capsys, "seed.mid", "-o", out, *options)
    sound = Path("out.mp3") if out == "out.mid" else Path(out)
    levels = rf"Wrote out\.mid and {re.escape(str(sound))}: (0:\d\d), peak -\d+\.\d dB, -\d+\.\d LUFS\.\n"
    found = re.fullmatch(levels, said)
    assert found is not None
    heard = decoded(sound)
    (track,) = read_midi(Path("out.mid"))
    assert len(heard.samples) / heard.sample_rate == pytest.approx(track.performance.end_s + 3.0, abs=0.1)
    assert heard.first_above(0.01) == pytest.approx(0.0, abs=0.1)
    assert abs(heard.samples).max() < 1.0


def test_a_name_that_no_file_can_have_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    said = generated(capsys, "x" * 300, "-o", "out.mid", status=2)
    assert said.endswith("cannot be read: File name too long.\n")
