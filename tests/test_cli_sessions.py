from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from kept_sessions import recorded_session, session_folder, written_session

from improv_core.midi_files import read_midi
from improv_daemon import cli
from improv_daemon.cli_replaying import stage_config_for
from improv_daemon.journal import performances, read_journal
from improv_daemon.journal._format import line_of
from improv_daemon.sessions import SessionFolder
from improv_daemon.settings import Ports, Settings, Sound

NAME = "2026-01-02_03-04-05"


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> SessionFolder:
    return written_session(session_folder(tmp_path / "sessions"))


class Improv:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, and what came on both outputs."""
        status = cli.main(["sessions", *arguments])
        out, err = self._capsys.readouterr()
        return status, out, err


@pytest.fixture
def improv(capsys: pytest.CaptureFixture[str]) -> Improv:
    return Improv(capsys)


@pytest.mark.parametrize(
    "arguments",
    [
        ["zork"],
        ["show"],
        ["replay"],
        ["export", "last"],
        ["delete"],
        ["list", "--zork"],
        ["replay", "last", "--after", "-1"],
        ["replay", "last", "--check", "--fast"],
        ["replay", "last", "--check", "-o", "a.mid"],
    ],
)
def test_wrong_usage_is_said(folder: SessionFolder, improv: Improv, arguments: list[str]) -> None:
    status, out, err = improv(*arguments)
    assert (status, out) == (2, "")
    assert "Error" in err


# --- list and show ----------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["list"], ["list", "--folder", "sessions"]])
def test_sessions_are_listed_in_a_table(folder: SessionFolder, improv: Improv, arguments: list[str]) -> None:
    status, out, err = improv(*arguments)
    assert (status, err) == (0, "")
    assert [line.split() for line in out.splitlines()] == [
        ["name", "length", "turns", "notes", "mode", "model"],
        [NAME, "0:04", "2", "1", "+", "1", "answer", "m", "unfinished"],
        ["One", "is", "unfinished;", "improv", "sessions", "recover", "makes", "the", "files."],
    ]


def test_a_folder_without_sessions_is_no_failure(improv: Improv, tmp_path: Path) -> None:
    missing = "There is no folder sessions, so no session is kept there; improv record makes it.\n"
    assert improv("list") == (0, missing, "")
    assert improv("list", "--json") == (0, "[]\n", "")
    (tmp_path / "sessions").mkdir()
    assert improv() == (0, "There is no session in sessions yet; improv record keeps one there.\n", "")
    Path("file").touch()
    refused = "file is not a folder; name the folder that holds your sessions.\n"
    assert improv("list", "--folder", "file") == (2, "", refused)


def test_journals_of_old_are_named(improv: Improv, folder: SessionFolder) -> None:
    (folder.path.parent / "2025-01-02.jsonl").touch()
    assert improv("list")[1].splitlines()[-1] == (
        "sessions holds a journal of an earlier improv, 2025-01-02.jsonl; improv sessions show, replay "
        "and export take their paths."
    )


def test_lists_and_sessions_are_json_where_that_is_wanted(improv: Improv, folder: SessionFolder) -> None:
    (listed,) = json.loads(improv("list", "--json")[1])
    assert json.loads(improv("show", "last", "--json")[1]) == listed
    assert {key: listed[key] for key in ("name", "state", "length_s", "turns", "notes", "modes", "seed")} == {
        "name": NAME,
        "state": "unfinished",
        "length_s": 4.0,
        "turns": {"player": 1, "improv": 1},
        "notes": {"player": 1, "improv": 1},
        "modes": ["answer"],
        "seed": 1,
    }


def test_all_there_is_to_know_of_a_session_is_shown(improv: Improv, folder: SessionFolder) -> None:
    folder.midi.write_bytes(bytes(2048))
    folder.audio(".mp3").write_bytes(bytes(3 << 19))
    size = folder.journal.stat().st_size
    version = read_journal(folder.journal).header.improv_version
    status, out, _ = improv("show", "03-04")
    assert (status, out.splitlines()) == (
        0,
        [
            NAME,
            f"  It is unfinished; improv sessions recover {NAME} makes its files.",
            "  began     2026-01-02 03:04:05 +0000",
            "  length    0:04",
            "  turns     1 of yours, 1 of improv's",
            "  notes     1 of yours, 1 of improv's",
            "  mode      answer",
            "  tempo     neither set nor from a MIDI clock",
            "  model     m",
            "  seed      1",
            f"  improv    {version}",
            f"  folder    sessions/{NAME}",
            f"            journal.jsonl, {size} bytes",
            "            session.mid, 2 KiB",
            "            session.mp3, 1.5 MiB",
        ],
    )


@pytest.mark.parametrize("command", ["show", "recover", "delete"])
def test_a_session_that_is_not_there_is_said(improv: Improv, folder: SessionFolder, command: str) -> None:
    refused = "There is no session 'zork' in sessions; improv sessions list shows those there are.\n"
    assert improv(command, "zork") == (2, "", refused)


def test_what_cannot_be_read_is_listed_and_said(improv: Improv, tmp_path: Path) -> None:
    session_folder(tmp_path / "sessions").journal.write_text("hello\n")
    refused = f"sessions/{NAME}/journal.jsonl is not a session journal of improv.\n"
    assert improv("list")[1].splitlines()[1].split() == [NAME, "unreadable"]
    assert improv("show", "last") == (2, "", refused)
    assert improv("replay", "last", "--check") == (2, "", refused)
    assert improv("export", "last", "-o", "a.mid") == (2, "", refused)
    assert not Path("a.mid").exists()


def test_what_cannot_be_read_is_no_failure_of_recover(improv: Improv, tmp_path: Path) -> None:
    session_folder(tmp_path / "sessions").journal.write_text("hello\n")
    session_folder(tmp_path / "sessions", "2026-01-03").journal.write_text("")
    sentences = [
        f"sessions/{NAME}/journal.jsonl is not a session journal of improv.",
        "sessions/2026-01-03/journal.jsonl is empty, not a session journal.",
        "They stay as they are; improv sessions delete NAME takes away what is of no use.",
    ]
    status, out, err = improv("recover")
    assert (status, out, err.splitlines()) == (0, "There is nothing to recover in sessions.\n", sentences)
    remark = "2 cannot be read; improv sessions show NAME says why."
    assert improv("list")[1].splitlines()[-1] == remark
    written_session(session_folder(tmp_path / "sessions", "2026-01-04"))
    status, out, err = improv("recover", "--set", "record.audio=off")
    assert (status, out) == (0, "Recovered sessions/2026-01-04: session.mid.\n")
    assert err.splitlines() == sentences


def test_a_name_that_is_no_text_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written_session(session_folder(tmp_path / "sessions", os.fsdecode(b"caf\xe9")))
    with io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict", write_through=True) as out:
        monkeypatch.setattr("sys.stdout", out)
        assert cli.main(["sessions", "show", "last"]) == 0
        assert cli.main(["sessions", "list"]) == 0
        assert out.buffer.getvalue().count(b"caf\\udce9") == 4  # type: ignore[attr-defined]


# --- recover ----------------------------------------------------------------------------------------


def test_what_a_crash_has_left_is_recovered_once(improv: Improv, folder: SessionFolder) -> None:
    sound_off = ("--set", "record.audio=off")
    assert improv("recover", *sound_off) == (0, f"Recovered sessions/{NAME}: session.mid.\n", "")
    assert len(read_midi(folder.midi)) == 2
    assert improv("recover", *sound_off) == (0, "There is nothing to recover in sessions.\n", "")
    finished = f"{NAME} is finished; there is nothing to recover.\n"
    assert improv("recover", "last", *sound_off) == (0, finished, "")


def test_without_sessions_there_is_nothing_to_recover(improv: Improv) -> None:
    refused = "There is no folder sessions, so no session is kept there; improv record makes it.\n"
    assert improv("recover") == (2, "", refused)


# --- replay -----------------------------------------------------------------------------------------


@pytest.fixture
def played(tmp_path: Path) -> SessionFolder:
    return recorded_session(session_folder(tmp_path / "sessions"), calls=1)


def test_a_replay_is_checked(improv: Improv, played: SessionFolder) -> None:
    status, out, err = improv("replay", "last", "--check")
    assert (status, err) == (0, "")
    assert out.startswith("Told the same again, improv does the same to the bit: ")


def test_a_replay_that_does_something_else_fails_the_check(improv: Improv, played: SessionFolder) -> None:
    lines = played.journal.read_bytes().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if b'"PlayNote"' in line)
    fields = json.loads(lines[at])
    del fields["crc"]
    lines[at] = line_of(fields | {"velocity": fields["velocity"] ^ 1})
    played.journal.write_bytes(b"".join(lines))
    status, out, _ = improv("replay", "last", "--check")
    assert status == 1
    assert "Told the same again, improv does something else from 0:0" in out


def test_a_replay_becomes_a_file_at_once(improv: Improv, played: SessionFolder) -> None:
    status, out, err = improv("replay", "last", "--fast")
    assert (status, out.splitlines()[0], err) == (0, f"Wrote {NAME}-again.mid.", "")
    player, improvs = (performance.notes for performance in performances(read_journal(played.journal)))
    tracks = read_midi(Path(f"{NAME}-again.mid"))
    assert [len(track.performance.notes) for track in tracks] == [len(player), len(improvs)]
    again = f"{NAME}-again.mid exists already; name another file, or add --force to write over it.\n"
    assert improv("replay", "last", "--fast") == (2, "", again)
    assert improv("replay", "last", "--fast", "--force")[0] == 0
    assert improv("replay", "last", "-o", "a.mid")[1].startswith("Wrote a.mid.\n")


def test_what_cannot_be_replayed_is_said(improv: Improv, played: SessionFolder) -> None:
    gone = "There is no model file gone.onnx; --model takes an .onnx file of improv export, or 'default'.\n"
    assert improv("replay", "last", "--check", "--model", "gone.onnx") == (2, "", gone)
    text = "a.txt cannot be the output: its name must end in .mid or .midi.\n"
    assert improv("replay", "last", "-o", "a.txt") == (2, "", text)


def test_a_replay_that_nobody_would_hear_is_not_begun(improv: Improv, played: SessionFolder) -> None:
    nowhere = ("--no-sound", "--set", "ports.api=none", "--set", "ports.virtual=false")
    status, out, err = improv("replay", "last", *nowhere)
    assert (status, out) == (2, "")
    assert err.splitlines()[-1] == (
        "There is neither a MIDI output nor sound, so nothing would be heard; improv ports lists outputs, "
        "and --fast writes a MIDI file."
    )


def test_a_replay_sounds_the_players_part_too_and_listens_to_no_keyboard() -> None:
    settings = Settings(ports=Ports(input="Piano", thru_routes="a > b"), sound=Sound(player=False))
    config = stage_config_for(settings)
    assert (config.input, config.thru, config.thru_routes, config.sound_player) == ("", "on", "", True)
    assert stage_config_for(Settings(ports=Ports(thru="off"))).thru == "off"


# --- export and delete ------------------------------------------------------------------------------


def test_a_session_is_exported(improv: Improv, folder: SessionFolder) -> None:
    assert improv("export", "last", "-o", "a.mid") == (0, "Wrote a.mid.\n", "")
    assert improv("export", "last", "-o", "a.csv") == (
        0,
        "Wrote a.csv (2 notes, 0 chords, 2 tracks, 0:04).\n",
        "",
    )
    again = "a.mid exists already; name another file, or add --force to write over it.\n"
    Path("a.mid").write_bytes(b"precious")
    assert improv("export", "last", "-o", "a.mid") == (2, "", again)
    assert Path("a.mid").read_bytes() == b"precious"
    assert improv("export", "last", "-o", "a.mid", "--force") == (0, "Wrote a.mid.\n", "")
    assert len(read_midi(Path("a.mid"))) == 2


@pytest.mark.parametrize(
    ("arguments", "refused"),
    [
        (["-o", "a.txt"], "a.txt cannot be the output: its name must end in .mid"),
        (["-o", "a.mid", "--stems"], "a.mid cannot be the output: its name must end in .mp3"),
        (["-o", "no/a.mid"], "no/a.mid cannot be written: there is no folder no."),
        (
            ["-o", "a.mid", "--bar-lines", "zork"],
            '--bar-lines: record.bar_lines = zork is not allowed: it must be "auto", "estimated" or "fixed".',
        ),
    ],
)
def test_what_cannot_be_exported_is_said(
    improv: Improv, folder: SessionFolder, arguments: list[str], refused: str
) -> None:
    status, out, err = improv("export", "last", *arguments)
    assert (status, out, err[: len(refused)]) == (2, "", refused)


def test_sessions_are_deleted_when_that_is_confirmed(
    improv: Improv, folder: SessionFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = written_session(session_folder(folder.path.parent, "2026-02-02_03-04-05"))
    answers = iter([False, True])
    asked: list[str] = []
    monkeypatch.setattr("typer.confirm", lambda question: (asked.append(question), next(answers))[1])
    told = f"{NAME}: 0:04, 2 notes\n2026-02-02_03-04-05: 0:04, 2 notes\n"
    both = ("delete", NAME, "last", NAME)
    assert improv(*both) == (1, f"{told}Nothing was deleted.\n", "")
    assert folder.journal.exists()
    assert improv(*both) == (0, f"{told}Deleted {NAME}.\nDeleted 2026-02-02_03-04-05.\n", "")
    assert [path.exists() for path in (folder.path, other.path)] == [False, False]
    assert asked == ["Delete these 2 for ever?"] * 2


def test_with_yes_nobody_is_asked_and_what_others_put_there_stays(
    improv: Improv, folder: SessionFolder
) -> None:
    (folder.path / "mix.wav").touch()
    stays = f"sessions/{NAME} stays, for what else is in it: mix.wav."
    assert improv("delete", "last", "--yes") == (0, f"Deleted {NAME}.\n{stays}\n", "")
