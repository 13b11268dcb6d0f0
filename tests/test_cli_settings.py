"""``improv settings``: what there is to set, what it is, may be and does, and how it changes live."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from improv_daemon.cli import BAD_INPUT, main
from improv_daemon.cli_settings import show_settings
from improv_daemon.settings.layers import load_with_sources
from improv_daemon.settings.schema import REGISTRY


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this user's configuration nor the checkout's is read."""
    for variable in ("HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["settings", *arguments]) == 0
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_every_setting_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys)
    assert lines[0].split("  ")[0] == "setting"
    named = [line.split()[0] for line in lines if line and not line.startswith(" ")]
    assert named[1:-1] == list(REGISTRY)
    assert lines[-1] == "* not the default. improv settings KEY tells all of one."


def test_a_section_has_its_own_and_says_how_each_changes(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "duet", "-o", "duet.distance=7")
    assert [" ".join(line.split())[:70] for line in lines[1:4]] == [
        'duet.role "support" "support", "sparse" or "lead" knob, OSC "support" ',
        "duet.plan_s 0.06 a number from 0.02 to 1 (s) knob, OSC notes are fixed",
        "duet.distance 7 * a whole number from 0 to 24 (semitones) knob, OSC it",
    ]


@pytest.mark.parametrize("width", [80, 100])
def test_a_narrow_terminal_shows_what_fits(width: int) -> None:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False)
    show_settings(*load_with_sources(), None, console)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert [key for key in REGISTRY if not any(line.startswith(key) for line in lines)] == []


def test_one_setting_tells_all_there_is_to_know(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.toml").write_text("[improv.answer]\nlookahead_s = 0.5\n", encoding="utf-8")
    assert shown(capsys, "answer.lookahead_s", "--config", "mine.toml") == [
        "answer.lookahead_s = 0.5 (s)   (from mine.toml; default 0.25)",
        "  notes are decided this many seconds before they sound",
        "  It must be a number from 0.05 to 5.",
        "  While improv plays:",
        '    a controller: controls.knobs = "cc 1 answer.lookahead_s", from 0.05 to 1.0',
        "    a learned one: ask in the terminal or by OSC, /improv/learn answer.lookahead_s, then move it",
        "    OSC: /improv/answer/lookahead_s 0.5",
    ]


def test_a_gesture_says_how_it_is_learned(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "controls.tap", "-o", "controls.tap=cc 67") == [
        'controls.tap = "cc 67"   (from -o; default "")',
        "  tap the tempo",
        '  It must be "cc N", "note N", "notes N+M" (keys from 0 to 127, controllers to 119), or "" for '
        "none.",
        "  While improv plays:",
        "    a learned pedal: ask for it by OSC, /improv/learn tap, then press it",
        '    OSC: /improv/controls/tap "cc 67"',
    ]


def test_what_cannot_change_while_playing_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "seed")
    assert lines[0] == "seed = 0   (default 0)"
    assert lines[-1] == "  It cannot change while improv plays: the dice are chosen at the start."


@pytest.mark.parametrize("name", ["preset", "presets"])
def test_presets_are_listed_with_their_programs(capsys: pytest.CaptureFixture[str], name: str) -> None:
    Path("mine.toml").write_text("[improv.presets.late]\nsampling.temperature = 0.8\n", encoding="utf-8")
    lines = shown(capsys, name, "--config", "mine.toml")
    assert lines[0] == 'preset = ""   (default "")'
    assert lines[-1] == "  5 late: sampling.temperature = 0.8"
    assert [line.partition(":")[0] for line in lines[-5:]] == [
        "  1 calm",
        "  2 bold",
        "  3 mirror",
        "  4 fours",
        "  5 late",
    ]


def test_what_there_is_not_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "sampling.temprature"]) == BAD_INPUT
    assert capsys.readouterr().err == (
        "improv settings: there is no setting sampling.temprature; did you mean 'sampling.temperature'?\n"
    )


def test_a_setting_that_is_not_allowed_is_refused_here_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "-o", "seed=x"]) == BAD_INPUT
    assert capsys.readouterr().err.startswith("-o: seed = x is not allowed")
