"""A real terminal window: what stands there, and that the terminal is given back whatever happens."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import require
from improv_process import ImprovProcess, run_improv
from jack_player import JackPlayer
from terminal_window import TerminalWindow

SILENT = ("-o", "ports.api=none", "-o", "sound.enabled=off")
PLAY = ("play", *SILENT)
UP = "hand over"


@pytest.fixture
def window(tmp_path: Path) -> Iterator[TerminalWindow]:
    require(shutil.which("tmux"), "no tmux: apt install tmux")
    with TerminalWindow(tmp_path) as window:
        yield window


def assert_given_back(window: TerminalWindow) -> None:
    """The shell is there and has the terminal as it was, for itself and for the programs that it starts."""
    window.wait_for_shell()
    window.keys("stty -a | tr ' ;' '\\n\\n' | grep -x -e icanon -e echo -e ixon | tr '\\n' '+'", "Enter")
    window.wait_for("ixon+icanon+echo+$")
    assert not window.is_alternate
    assert window.has_cursor


@pytest.mark.usefixtures("jack_server")
def test_a_sitting_in_the_live_view(window: TerminalWindow) -> None:
    window.run(
        "record", "kept", "--no-sound", "-o", "ports.api=jack", "-o", "record.audio=off", "--seed", "4"
    )
    window.wait_for(" YOU ", UP, "hears improv in", "plays improv out")
    assert window.is_alternate
    assert not window.has_cursor
    assert not window.edits_lines
    with JackPlayer() as player:
        player.connect()
        now_s = time.monotonic() + 0.1
        keys = [(now_s + 0.2 * n, 60 + 2 * n) for n in range(5)]
        player.play([(at_s, (0x90, pitch, 80)) for at_s, pitch in keys])
        player.play([(at_s + 0.15, (0x80, pitch, 0)) for at_s, pitch in keys])
        window.wait_for("▀")
        text = window.wait_for(" IMPROV ", "thinks", "ms late")
        assert max(map(len, text.splitlines())) <= 80
        window.keys("Tab")
        window.wait_for("trade: you take turns")
        window.keys("m")
        window.keys("Down", "Down", "Right")
        window.wait_for("› temperature    1.05")
        window.resize(120, 40)
        window.wait_for("u undo")
        window.resize(60, 16)
        window.wait_for("trade", absent="u undo")
        window.keys("q")
        window.wait_for("Kept kept/")
    assert_given_back(window)
    assert not list(window.folder.glob("run/improv/*"))


def test_nothing_breaks_when_the_window_is_small(window: TerminalWindow) -> None:
    window.run(*PLAY)
    window.wait_for(UP)
    for columns, rows in ((20, 5), (3, 2), (1, 1), (200, 60), (40, 12)):
        window.resize(columns, rows)
    window.wait_for("YOU", UP)
    window.keys("C-c")
    assert_given_back(window)


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(window: TerminalWindow) -> None:
    window.run(*PLAY)
    window.wait_for(UP)
    window.keys("C-z")
    window.wait_for("Stopped")
    assert_given_back(window)
    window.keys("fg", "Enter")
    window.wait_for(UP, absent="Stopped")
    window.keys("Tab")
    window.wait_for("trade: ")
    window.keys("C-z")
    window.wait_for("Stopped")
    (mind,) = window.pids("improv_daemon")
    os.kill(mind, signal.SIGKILL)
    os.kill(mind, signal.SIGCONT)
    assert_given_back(window)


def test_a_mind_that_is_killed_leaves_the_terminal_as_it_was(window: TerminalWindow) -> None:
    window.run(*PLAY)
    window.wait_for(UP)
    (mind,) = window.pids("improv_daemon")
    os.kill(mind, signal.SIGKILL)
    window.wait_for("improv was killed; nothing of it sounds on.")
    assert_given_back(window)
    assert window.pids("improv_daemon.screen") == []


def test_when_the_screen_is_killed_improv_goes_on_in_lines(window: TerminalWindow) -> None:
    window.run(*PLAY)
    window.wait_for(UP)
    (screen,) = window.pids("improv_daemon.screen")
    os.kill(screen, signal.SIGKILL)
    window.wait_for("The live view has ended; improv plays on and goes on in lines.", "Ctrl-C stops.")
    assert window.edits_lines
    window.keys("C-c")
    assert_given_back(window)


def test_what_is_refused_at_the_start_never_takes_the_terminal(window: TerminalWindow) -> None:
    window.run("play", "--model", "nowhere.onnx")
    window.wait_for("nowhere.onnx")
    assert_given_back(window)
    assert window.pids("improv_daemon.screen") == []


def test_a_terminal_that_can_nothing_gets_lines_and_status_tells_of_it(tmp_path: Path) -> None:
    require(shutil.which("tmux"), "no tmux: apt install tmux")
    with TerminalWindow(tmp_path, TERM="dumb") as window:
        window.keys("export TERM=dumb", "Enter")
        window.run("demo", "kept", *SILENT, "-o", "record.audio=off", "--log", "log.txt")
        window.wait_for("Model default, mode answer. Ctrl-C stops.", "   you  ")
        assert not window.is_alternate
        runtime = {"XDG_RUNTIME_DIR": window.environment["XDG_RUNTIME_DIR"]}
        (told,) = json.loads(run_improv("status", "--json", folder=tmp_path, extra=runtime).stdout)
        assert (told["command"], told["mode"], told["model"]) == ("demo", "answer", "default")
        assert "improv demo (process" in run_improv("status", folder=tmp_path, extra=runtime).stdout
        window.keys("C-c")
        window.wait_for("Kept kept/")
        ended = run_improv("status", folder=tmp_path, extra=runtime)
        assert (ended.returncode, ended.stdout) == (1, "improv is not running.\n")
    log = (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert "    you  " in log
    assert log.splitlines()[-1].endswith(": session.mid.")


def test_without_colours_the_live_view_has_none(tmp_path: Path) -> None:
    require(shutil.which("tmux"), "no tmux: apt install tmux")
    with TerminalWindow(tmp_path, NO_COLOR="1") as window:
        window.run(*PLAY)
        window.wait_for("[YOU]", UP)
        assert not re.search(r"\x1b\[(3[0-8]|4[0-8]|9\d|10\d)", window.coloured)
        window.keys("q")
        assert_given_back(window)


def test_piped_and_quiet_it_says_only_what_was_kept(tmp_path: Path) -> None:
    options = ("kept", *SILENT, "-o", "record.audio=off", "--quiet")
    with ImprovProcess("record", *options, folder=tmp_path) as improv:
        improv.wait_for_stage()
        limit_s = time.monotonic() + 20.0
        while not list(tmp_path.glob("kept/*/journal.jsonl")) and time.monotonic() < limit_s:
            time.sleep(0.05)
        assert improv.stop()[0] == 0
    (kept,) = (tmp_path / "kept").iterdir()
    assert improv.text == f"Kept {kept.relative_to(tmp_path)}: session.mid.\n"
