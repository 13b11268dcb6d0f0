"""From a note to what comes back of it: the rig alone, and improv's thru."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence

from jack_player import JackPlayer, Timed

from bench.feel import playing, row, steadily
from bench.rig_rows import Effort, Row

GAP_S = 0.1
_WITHIN_S = 0.09
_NOTE_ON = 0x90
THRU_OPTIONS = ("--plain", "-o", "ports.thru=on", "-o", "ports.merge_window_s=0")


def floor(effort: Effort) -> Iterator[Row]:
    """A process that sends back at once, without improv."""
    with (
        subprocess.Popen([sys.executable, "-m", "bench.feel_echo"], stdin=subprocess.PIPE) as echo,
        JackPlayer() as player,
    ):
        player.connect("echo")
        steadily(player, effort.notes, GAP_S)
        assert echo.stdin is not None
        echo.stdin.close()
    yield _came_back("echo rig floor: note-on to its echo", "row", player)


def thru(effort: Effort) -> Iterator[Row]:
    """The same notes through improv, to a MIDI output, its mind listening."""
    with playing(*THRU_OPTIONS) as (player, _):
        steadily(player, effort.notes, GAP_S)
        yield _came_back("note-on in to thru out", "3 / 6", player)


def _came_back(name: str, must: str, player: JackPlayer) -> Row:
    times_s, lost = returns_s(list(player.sent), list(player.heard))
    name, *figures = row(f"{name} ({lost} lost)", times_s)
    return (name, must, *figures)


def returns_s(sent: Sequence[Timed], heard: Sequence[Timed]) -> tuple[list[float], int]:
    """For each note-on sent the time to the same one heard; how many did not come."""
    times_s, lost = list[float](), 0
    came = [one for one in heard if one[1][0] & 0xF0 == _NOTE_ON and one[1][2]]
    for at_s, data in sent:
        if data[0] & 0xF0 != _NOTE_ON or not data[2]:
            continue
        back_s = next((s for s, other in came if other == data and 0 < s - at_s < _WITHIN_S), None)
        if back_s is None:
            lost += 1
        else:
            times_s.append(back_s - at_s)
    return times_s, lost
