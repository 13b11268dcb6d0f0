"""The live view as text, at every size."""

from __future__ import annotations

import pytest
from snapshots import DIALS, NOW_S, SITTING, said, sitting

from improv_daemon.screen.desk import Desk
from improv_daemon.screen.drawing import Look, draw
from improv_daemon.screen.snapshot import PROBLEM_SHOWN_S, SAID_SHOWN_S, Snapshot, Tempo, Timing

USUAL = Look(80, 24)
GONE = "The Keystation is gone; it is taken up again when it comes back."


def lines(
    snapshot: Snapshot = SITTING, look: Look = USUAL, desk: Desk | None = None, now_s: float = NOW_S
) -> list[str]:
    return [line.plain.rstrip() for line in draw(snapshot, desk or Desk(), look, now_s)]


def text(snapshot: Snapshot = SITTING, look: Look = USUAL, desk: Desk | None = None) -> str:
    return "\n".join(lines(snapshot, look, desk))


def test_80_by_24() -> None:
    assert lines(sitting(said=(said(GONE),))) == [
        "  IMPROV   answer: improv answers when you stop       120 bpm  MIDI clock  ●○○○",
        "",
        "               ┊               ┊               ┊               ┊",
        "               ┊               ┊               ┊               ┊",
        "               ┊               ┊               ┊               ┊",
        "               ┊               ┊               ┊               ┊",
        "  C5           ┊               ┊               ┊       ▄▄▄▄▄▄▄▄▄",
        "               ┊               ┊               ┊               ┊",
        "               ┊               ┊               ┊               ┊",
        "               ┊               ┊               ▀▀▀▀▀▀▀▀        ┊",
        "               ┊               ┊       ▄▄▄▄    ┊               ┊",
        "               ┊               ┊               ┊               ┊",
        "  C4           ┊               ▄▄▄▄▄▄▄▄        ┊               ┊",
        "",
        " › temperature    1        ━━━━━─────     style          jazz line",
        "   density        free                    follow         0.2      ━━━━──────",
        "   sampling.temperature: all of it",
        "",
        " hears improv in, Keystation 88  ·  plays improv out, FluidSynth with default-…",
        " model default  ·  thinks 2.3 ms a note  ·  notes 0.1 ms late, 0.4 at worst",
        "",
        f" {GONE}",
        "",
        " ⏎ hand over   tab mode   p panic   m mute   a again   ? help   q quit",
    ]


def test_60_by_16_without_colours_has_two_forms_of_notes() -> None:
    found = lines(look=Look(60, 16, colour=False))
    assert found[0] == " [IMPROV]  answer: improv answers when you stop     120 bpm"
    assert "●━━━━━━━" in text(look=Look(60, 16, colour=False))
    assert "○───" in text(look=Look(60, 16, colour=False))
    assert not any(letter in text(look=Look(60, 16, colour=False)) for letter in "▀▄█")
    assert len(found) == 16


def test_120_by_40_has_room_for_all() -> None:
    found = text(look=Look(120, 40))
    for binding in ("hand over", "mode", "panic", "mute", "again", "another", "loop", "undo", "tap"):
        assert f" {binding}" in found
    assert "FluidSynth with default-GM.sf3" in found


def test_with_ascii_alone_there_is_nothing_else() -> None:
    for desk in (Desk(), Desk(help=True)):
        assert text(sitting(said=(said(GONE),)), Look(80, 24, ascii_only=True), desk).isascii()


@pytest.mark.parametrize("columns", [1, 2, 3, 7, 15, 17, 20, 33, 40, 59, 80, 121, 300])
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 9, 12, 16, 20, 24, 60])
@pytest.mark.parametrize("look", [{}, {"colour": False}, {"ascii_only": True}])
def test_it_fits_every_terminal(columns: int, rows: int, look: dict[str, bool]) -> None:
    full = sitting(said=(said(GONE), said("Nor is there any sound. " * 9)), states=("muted",), preset="calm")
    for desk in (Desk(), Desk(chosen=3), Desk(help=True)):
        drawn = draw(full, desk, Look(columns, rows, **look), NOW_S)
        assert len(drawn) == rows
        assert max(line.cell_len for line in drawn) <= columns


def test_the_last_that_remains_is_whose_turn_it_is() -> None:
    assert lines(look=Look(12, 1)) == ["  IMPROV"]
    assert lines(look=Look(30, 1)) == ["  IMPROV   answer     120 bpm"]


@pytest.mark.parametrize(
    ("phase", "who"),
    [("listening", "YOU"), ("yielding", "YOU"), ("answering", "IMPROV"), ("together", "TOGETHER")],
)
def test_whose_turn_it_is(phase: str, who: str) -> None:
    assert lines(sitting(phase=phase))[0].split()[0] == who


def test_what_else_is_the_case_stands_beside_the_mode() -> None:
    assert lines(sitting(states=("muted",), preset="calm", tempo=None), Look(120, 24))[0].split("  ")[
        2:5
    ] == [
        " answer: improv answers when you stop",
        "preset calm",
        "muted",
    ]


def test_without_a_tempo_it_says_so_and_a_guessed_one_has_no_beats() -> None:
    assert lines(sitting(tempo=None))[0].endswith("no tempo")
    guessed = Tempo(0.5, 100.0, 4, "your playing", steady=False)
    assert lines(sitting(tempo=guessed))[0].endswith("120 bpm  your playing")


def test_the_beat_goes_round() -> None:
    lamps = [lines(now_s=100.0 + 0.5 * beat)[0][-4:] for beat in range(5)]
    assert lamps == ["●○○○", "○●○○", "○○●○", "○○○●", "●○○○"]


def test_sentences_stand_for_a_while_problems_longer() -> None:
    known = said("The model has not learned to heed style.", 0.0, is_problem=False)
    both = sitting(said=(said(GONE, 0.0), known))
    for now_s, shown in ((0.0, {GONE, known.text}), (SAID_SHOWN_S, {GONE}), (PROBLEM_SHOWN_S, set())):
        found = {line.strip() for line in lines(both, now_s=NOW_S + now_s)}
        assert found & {GONE, known.text} == shown


def test_of_things_that_are_only_good_to_know_the_latest_stands() -> None:
    found = text(sitting(said=tuple(said(f"Known {n}.", is_problem=False) for n in (1, 2))))
    assert ("Known 1." in found, "Known 2." in found) == (False, True)


def test_while_a_controller_is_awaited_that_is_what_is_said() -> None:
    found = text(sitting(learning="memory.follow", said=(said(GONE),)))
    assert "Move the knob, fader or pedal that is to be for follow (Esc: none)." in found
    assert GONE not in found


def test_the_chosen_dial_is_marked_and_explained_and_its_controller_named() -> None:
    found = text(desk=Desk(chosen=2))
    assert "› style" in found
    assert "answer.style (cc 20): in which style" in found


def test_where_not_all_dials_have_room_the_chosen_one_has() -> None:
    for chosen, dial in enumerate(DIALS):
        assert f"> {dial.name}" in text(look=Look(40, 9, ascii_only=True), desk=Desk(chosen=chosen))


def test_a_narrow_window_has_room_for_a_value() -> None:
    assert lines(look=Look(20, 4))[1].split() == ["›", "tempera…", "1"]


def test_before_the_first_note_nothing_is_said_of_its_timing() -> None:
    found = text(sitting(timing=Timing(None, None, None), inputs=(), outputs=(), sound=None))
    assert " hears nothing yet  ·  plays nothing yet\n model default\n" in found


def test_the_page_of_keys_has_every_key_and_what_was_said() -> None:
    found = text(sitting(said=(said(GONE, 500.0),)), Look(80, 30), Desk(help=True))
    assert "   p       silence everything at once" in found
    assert "   ← →     change it" in found
    assert GONE in found


def test_a_port_may_be_called_anything() -> None:
    found = text(sitting(inputs=("\x1b[2Jevil\n", "鍵盤" * 30)))
    assert "?[2Jevil?" in found
    assert "\x1b" not in found
