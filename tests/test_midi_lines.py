"""Messages as they came, on the ticks of a file."""

from __future__ import annotations

from pathlib import Path

import mido
import pytest

from improv_core.errors import StorageError
from improv_core.midi_lines import Line, Timed, on_ticks, write_lines
from improv_core.tempo_map import Conductor, TempoMap

TICK_S = 0.5 / 960
EVEN = TempoMap(960, [(0, 500_000)])


def ticks(*messages: Timed) -> list[tuple[int, str]]:
    return [(tick, message.type) for tick, message in on_ticks(Line("", 0, messages), EVEN)][1:]


def on(tick: float, pitch: int = 60) -> Timed:
    return tick * TICK_S, (0x90, pitch, 64)


def off(tick: float, pitch: int = 60) -> Timed:
    return tick * TICK_S, (0x80, pitch, 0)


def test_each_is_on_the_tick_that_is_nearest() -> None:
    assert ticks(on(10.4), off(20.6)) == [(10, "note_on"), (21, "note_off")]


def test_a_note_of_no_length_lasts_a_tick() -> None:
    assert ticks(on(10.0), off(10.0)) == [(10, "note_on"), (11, "note_off")]


def test_what_begins_where_another_of_its_pitch_had_to_end_a_tick_later_begins_there_too() -> None:
    found = ticks(on(10.0), off(10.1), on(10.2), off(30.0))
    assert found == [(10, "note_on"), (11, "note_off"), (11, "note_on"), (30, "note_off")]


def test_nothing_is_moved_further_than_a_tick_however_much_comes_at_once() -> None:
    found = ticks(*(one for i in range(5) for one in (on(10 + 0.01 * i), off(10.005 + 0.01 * i))))
    assert [tick for tick, _ in found] == [10] + [11] * 9
    assert [kind for _, kind in found] == ["note_on", "note_off"] * 5


def test_a_note_on_of_velocity_0_ends_notes() -> None:
    assert ticks(on(10.0), (10.0 * TICK_S, (0x90, 60, 0))) == [(10, "note_on"), (11, "note_on")]


def test_of_one_tick_the_order_is_that_in_which_they_came() -> None:
    told = ((0.0, (0xB0, 0, 1)), (0.0, (0xC0, 5)), (0.0, (0xB0, 64, 127)), on(0.0))
    found = [message.bytes() for _, message in on_ticks(Line("", 2, told), EVEN)]
    assert found == [[0xB2, 0, 1], [0xC2, 5], [0xB2, 64, 127], [0x92, 60, 64]]


def test_a_line_whose_program_nobody_chose_begins_with_the_first(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.mid", [Line("Left ☺", 3, (on(5.0), off(9.0)))], Conductor.steady(120), ["Hi"])
    conductor, line = mido.MidiFile(tmp_path / "a.mid").tracks
    assert [message.text for message in conductor if message.type == "text"] == ["Hi"]
    assert (line.name, line[1].type, line[1].program, line[1].channel) == ("Left ?", "program_change", 0, 3)


def test_a_file_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "a.mid").mkdir()
    with pytest.raises(StorageError, match=r"a\.mid cannot be written"):
        write_lines(tmp_path / "a.mid", [], Conductor.steady(120))
    assert [path.name for path in tmp_path.iterdir()] == ["a.mid"]
