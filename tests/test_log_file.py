"""The log."""

from __future__ import annotations

import datetime
import io
import os
from pathlib import Path

from improv_daemon.display import Display, Opening
from improv_daemon.log_file import StampedLines, logging_to
from improv_daemon.partner import Said
from improv_daemon.showing import Showing
from improv_daemon.shown import shown
from improv_daemon.wire import Played, Ready, Sounded

STAMP = "2026-03-01 12:00:00.250"


def noon() -> datetime.datetime:
    return datetime.datetime(2026, 3, 1, 12, 0, 0, 250_400, tzinfo=datetime.UTC)


def log_a_note(log: Display) -> None:
    log.opening(Opening("default", "answer", Ready(("in",), ("out",), None, ("A pedal is missing.",))))
    log.event(Played((0x90, 60, 64), 1.0, "keys"))
    log.event(Sounded(1, 0, 72, 64, 2.0, 0.0))
    log.end()


def test_a_line_begins_with_its_time_however_many_pieces_it_is_written_in() -> None:
    out = io.StringIO()
    lines = StampedLines(out, lambda trouble: None, noon)
    for piece in ("   you  C4", " E4", "\n", "\nNote: gone.\nNote: back.\n", "improv"):
        lines.write(piece)
    assert out.getvalue() == (
        f"{STAMP}    you  C4 E4\n\n{STAMP} Note: gone.\n{STAMP} Note: back.\n{STAMP} improv"
    )


def test_all_that_is_said_and_played_is_added_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    for _ in range(2):
        with logging_to(path, lambda trouble: None) as displays:
            for log in displays:
                log_a_note(log)
    lines = [line[24:] for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines == 2 * [
        'improv listens to "in".',
        'It plays to "out".',
        "Model default, mode answer. Ctrl-C stops.",
        "Note: A pedal is missing.",
        "   you  C4",
        "improv  C5",
    ]


def test_the_log_is_not_sparing(tmp_path: Path) -> None:
    with logging_to(tmp_path / "log.txt", lambda trouble: None) as (log,):
        for _ in range(30):
            log.notice(Said("That cannot be."))
    assert (tmp_path / "log.txt").read_text(encoding="utf-8").count("That cannot be.") == 30


def test_without_a_file_there_is_no_log() -> None:
    with logging_to(None, lambda trouble: None) as displays:
        assert displays == ()


def test_a_file_that_cannot_be_opened_is_said_and_improv_goes_on(tmp_path: Path) -> None:
    said: list[str] = []
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (tmp_path, tmp_path / "no folder" / "log.txt", fifo):
        with logging_to(path, said.append) as displays:
            assert displays == ()
    assert said == [
        f"The log {tmp_path} cannot be written: Is a directory; improv goes on without.",
        f"The log {tmp_path / 'no folder' / 'log.txt'} cannot be written: No such file or directory; "
        "improv goes on without.",
        f"The log {fifo} cannot be written: No such device or address; improv goes on without.",
    ]


def test_what_becomes_of_the_log_is_said_in_the_live_view_too(tmp_path: Path) -> None:
    with shown(Showing(quiet=True, log=tmp_path)) as here:
        (problem,) = here.state.problems
    assert problem.text == f"The log {tmp_path} cannot be written: Is a directory; improv goes on without."


def test_a_disk_that_is_full_is_said_once_and_improv_goes_on() -> None:
    said: list[str] = []
    with logging_to(Path("/dev/full"), said.append) as (log,):
        for _ in range(3):
            log_a_note(log)
    assert said == ["The log cannot be written any more: No space left on device; improv goes on without."]
