from __future__ import annotations

import datetime
import subprocess
import sys
from pathlib import Path

import pytest

from improv_core.midi_files import Track, read_midi, write_midi
from improv_core.notes import Note, Performance
from improv_daemon import cli, wire
from improv_daemon.journal import JournalWriter


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


def write_journal(path: Path) -> Path:
    started_at = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    with JournalWriter(path, model="m", seed=1, settings={}, started_at=started_at, now_s=10.0) as journal:
        journal.write(wire.Played((0x90, 60, 80), 11.0, "keys"), 11.0)
        journal.write(wire.Played((0x80, 60, 0), 12.0, "keys"), 12.0)
    return path


def test_help_lists_every_command_of_the_daemon(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    output = capsys.readouterr().out
    for name in ("play", "record", "demo", "ports", "generate", "render", "notes", "show", "sessions"):
        assert f" {name} " in output


def test_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("improv ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["plya"],
        ["play", "--zork"],
        ["play", "extra"],
        ["play", "--seed", "x"],
        ["generate"],
        ["generate", "a.mid"],
        ["generate", "a.mid", "-o", "b.mid", "--length", "0"],
        ["generate", "a.mid", "-o", "b.mid", "--notes", "0"],
        ["generate", "a.mid", "-o", "b.mid", "--bars", "1.5"],
        ["generate", "a.mid", "-o", "b.mid", "--variations", "0"],
        ["generate", "a.mid", "-o", "b.mid", "--from", "soon"],
        ["notes"],
        ["notes", "a.mid", "--to", "1:99"],
        ["show", "a", "b"],
        ["generate", "a.mid", "-o", "b.mid", "--tempo", "29"],
        ["generate", "a.mid", "-o", "b.mid", "--tempo", "fast"],
        ["play", "--density", "more"],
        ["play", "--tempo", "120"],
        ["render"],
    ],
)
def test_wrong_arguments_exit_with_2_and_no_traceback(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Usage: improv" in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["play", "-o", "seed=x"],
            "-o: seed = x is not allowed: it must be a whole number from 0 to 4294967295.",
        ),
        (
            ["play", "--seed", "-1"],
            "--seed: seed = -1 is not allowed: it must be a whole number from 0 to 4294967295.",
        ),
        (["record", "--config", "no.toml"], "There is no configuration file no.toml."),
        (
            ["demo", "--mode", "x"],
            '--mode: mode = x is not allowed: it must be "answer", "trade", '
            '"duet", "harmonise", "solo" or "listen".',
        ),
        (["record", "taken"], "taken is a file, so no sitting can be kept in taken; name a folder."),
        (["demo", "taken"], "taken is a file, so no sitting can be kept in taken; name a folder."),
        (["ports", "-o", "ports.api=x"], "-o: ports.api = x is not allowed: it must be "),
        (["generate", "no.mid", "-o", "out.mid"], "There is no MIDI file no.mid."),
        (
            ["generate", "taken", "-o", "out.txt"],
            "out.txt cannot be the output: its name must end in .mid or .midi or .mp3 or .flac or .ogg or ",
        ),
        (["generate", "taken", "-o", "no/out.mid"], "no/out.mid cannot be written: there is no folder no."),
        (["generate", "taken", "-o", "taken"], "taken cannot be the output: its name must end in .mid or "),
        (["generate", "taken", "-o", "out.mid"], "taken is neither a MIDI file nor a session's journal."),
        (["generate", "-o", "out.mid", "--from", "3"], "--from is about what improv goes on from; name "),
        (
            ["generate", "taken", "--data", ".", "-o", "out.mid"],
            "improv goes on from taken or from a piece of ",
        ),
        (["generate", "--data", "no", "-o", "out.mid"], "There is no folder no; --data takes a folder with "),
        (["generate", "--data", ".", "-o", "out.mid"], "There are no MIDI files in .; name a folder that "),
        (
            ["generate", "-o", "out.mid", "--bars", "2", "--notes", "9"],
            "--seconds, --notes and --bars all say ",
        ),
        (
            ["generate", ".", "-o", "out.mid"],
            ". is a folder without a session in it; name a file or a session.",
        ),
        (["generate", "no/such", "-o", "out.mid"], "There is no file and no folder no/such."),
        (["generate", "taken", "-o", "out.mid", "--from", "9", "--to", "3"], "--to must come after --from."),
        (
            ["generate", "-o", "out.mid", "--instrument", "kazoo"],
            "There is no instrument 'kazoo'; --instrument",
        ),
        (["generate", "-o", "out.mid", "--top-p", "2"], "--top-p: sampling.top_p = 2.0 is not allowed: "),
        (["generate", "-o", "out.mid", "--preset", "x"], '--preset: there is no preset "x"'),
        (["notes", "no.mid"], "There is no MIDI file no.mid."),
        (["notes", "taken"], "taken is neither a MIDI file nor a session's journal."),
        (["notes", "taken", "--parquet"], "--parquet needs a file to write; name it with -o OUT.parquet."),
        (["notes", "taken", "--csv", "--parquet"], "--csv and --parquet are two kinds of file; ask for one"),
        (["notes", "taken", "-o", "out.txt"], "out.txt does not say what it is to be; end its name in .csv"),
        (
            ["notes", "x.mid", "-o", "taken", "--csv"],
            "taken exists already; name another file, or add --force",
        ),
        (["show", "no.onnx"], "There is no model file no.onnx; "),
        (["show", "taken"], "taken is not an ONNX model that can be read; it may be damaged."),
        (["play", "--prime", "no.mid"], "There is no MIDI file no.mid."),
        (
            ["play", "--scale", "H major"],
            '--scale: sampling.scale = H major is not allowed: it must be "off", ',
        ),
        (
            ["play", "--temperature", "0"],
            "--temperature: sampling.temperature = 0.0 is not allowed: it must be a number from 0.05 to 3.",
        ),
        (
            ["generate", "taken", "-o", "out.mid", "--scale", "x"],
            '--scale: sampling.scale = x is not allowed: it must be "off", ',
        ),
        (["play", "--style", "polka"], "--style: answer.style = polka is not allowed: it must be "),
        (
            ["generate", "taken", "-o", "out.mid", "--density", "5"],
            "--density: answer.density_ratio = 5.0 is not allowed: it must be a number from 0.25 to 4, or 0",
        ),
        (
            ["generate", "taken", "-o", "out.mid", "--set", "answer.style=polka"],
            "--set: answer.style = polka is not allowed: it must be ",
        ),
        (
            ["generate", "taken", "-o", "out.mid", "--set", "seed"],
            "--set seed: write it as section.key=value",
        ),
        (["render", "no.jsonl"], "There is no file no.jsonl."),
        (["render", "taken"], "taken is "),
    ],
)
def test_bad_input_is_one_sentence_on_stderr_and_status_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("taken").write_text("")
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(message)
    assert captured.err.endswith((".\n", "?\n"))
    assert captured.err.count("\n") == 1


def test_a_continuation_may_have_a_style_a_density_and_a_tempo(capsys: pytest.CaptureFixture[str]) -> None:
    notes = [Note(60 + i, 60, 0.25 * i, 0.2) for i in range(8)]
    write_midi(Path("seed.mid"), [Track("piano", Performance.of(notes))])
    options = ["--length", "2", "--seed", "3", "--style", "jazz line", "--density", "2", "--tempo", "120"]
    assert cli.main(["generate", "seed.mid", "-o", "out.mid", *options]) == 0
    assert capsys.readouterr().out == "Wrote out.mid.\n"
    (track,) = read_midi(Path("out.mid"))
    assert track.performance.notes


def test_a_continuation_keeps_to_a_scale_and_its_temperature_tells(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_midi(Path("seed.mid"), [Track("piano", Performance.of([Note(60, 60, 0.0, 0.2)]))])
    played = []
    for temperature in ("1", "1.5"):
        options = ["--scale", "C major", "--temperature", temperature, "--set", "sampling.scale_strict=true"]
        out = f"{temperature}.mid"
        assert cli.main(["generate", "seed.mid", "-o", out, "--length", "4", "--seed", "3", *options]) == 0
        (track,) = read_midi(Path(out))
        played.append([note.pitch for note in track.performance.notes])
    assert {pitch % 12 for pitches in played for pitch in pitches} <= {0, 2, 4, 5, 7, 9, 11}
    assert played[0] != played[1]
    assert all(played)
    assert capsys.readouterr().err == ""


def test_ports_lists_none_without_a_midi_system(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ports", "-o", "ports.api=none"]) == 0
    assert capsys.readouterr().out == 'There are no MIDI ports: ports.api = "none" switches MIDI off.\n'


_WITHOUT_RTMIDI = """
import sys
sys.modules["rtmidi"] = None  # what a missing library does to the import
from improv_daemon.cli import main
sys.exit(main(["ports"]))
"""


def test_ports_says_what_is_missing_when_rtmidi_cannot_be_imported() -> None:
    ran = subprocess.run([sys.executable, "-c", _WITHOUT_RTMIDI], capture_output=True, text=True, check=False)
    assert ran.returncode == 0
    assert ran.stderr == ""
    assert "rtmidi" in ran.stdout
    assert ran.stdout.count("\n") == 1


def test_render_makes_the_midi_file_of_a_journal(capsys: pytest.CaptureFixture[str]) -> None:
    write_journal(Path("sitting.jsonl"))
    assert cli.main(["render", "sitting.jsonl", "--no-mp3"]) == 0
    assert capsys.readouterr().out == "Wrote sitting.mid.\n"
    assert Path("sitting.mid").is_file()


def test_an_interrupt_ends_quietly_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    cli.app.command("interrupted", hidden=True)(interrupted)
    try:
        assert cli.main(["interrupted"]) == 130
    finally:
        cli.app.registered_commands.pop()
    assert capsys.readouterr().err == ""


def test_help_imports_nothing_heavy() -> None:
    heavy = ("numpy", "onnxruntime", "mido", "rtmidi", "asyncio", "torch")
    code = (
        "import sys\nfrom improv_daemon.cli import main\n"
        f"main(['play', '--help'])\nprint('HEAVY', *(name for name in {heavy} if name in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "HEAVY"
