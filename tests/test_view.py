"""The conversation as text."""

from __future__ import annotations

import contextlib
import io
import os

import pytest

from improv_core.turns import Call
from improv_daemon.display import Opening
from improv_daemon.modes import IN_WORDS
from improv_daemon.partner import AnswerEnded, CallHeard, Looping, ModeChanged, Muted, Said
from improv_daemon.settings import MODES
from improv_daemon.sparing import AGAIN_AFTER_S
from improv_daemon.view import TOGETHER_S, WIDTH, View, pitch_name
from improv_daemon.wire import PedalMoved, Played, Ready, Released, Sounded, Trouble


def you(pitch: int, at_s: float, velocity: int = 64) -> Played:
    return Played((0x90, pitch, velocity), at_s, "keyboard")


def improv(pitch: int, at_s: float) -> Sounded:
    return Sounded(1, 0, pitch, 64, at_s, 0.0)


CALL = CallHeard(1, Call(0.0, 1.0, 1.24, notes=3, onsets=3), (60, 64, 67))


@pytest.mark.parametrize(
    ("pitch", "name"), [(0, "C-1"), (21, "A0"), (60, "C4"), (61, "C#4"), (70, "Bb4"), (127, "G9")]
)
def test_middle_c_is_c4(pitch: int, name: str) -> None:
    assert pitch_name(pitch) == name


def test_the_opening_says_what_is_heard_where_it_plays_and_how_to_stop() -> None:
    out = io.StringIO()
    ready = Ready(("improv in", "Keys"), ("improv out",), "FluidSynth with a piano", ("A pedal is missing.",))
    View(out).opening(Opening("default", "answer", ready))
    assert out.getvalue().splitlines() == [
        'improv listens to "improv in", "Keys".',
        'It plays to "improv out", FluidSynth with a piano.',
        "Model default, mode answer. Ctrl-C stops.",
        "Note: A pedal is missing.",
    ]


def test_the_opening_says_what_is_asked_of_the_music() -> None:
    out = io.StringIO()
    View(out).opening(
        Opening("mine", "answer", Ready((), (), None, ()), asked=["style pop", "density 2"], hint=False)
    )
    assert out.getvalue().splitlines()[2:] == ["Model mine, mode answer, style pop, density 2. Ctrl-C stops."]


def test_the_opening_has_a_line_for_each_remark_about_the_model() -> None:
    out = io.StringIO()
    sentences = [
        "The model knows nothing of timing: improv takes it from what was played last.",
        "The model has not learned to heed style: it plays as it would without.",
    ]
    View(out).opening(
        Opening("mine", "answer", Ready(("in",), ("out",), None, ("Note.",)), remarks=sentences)
    )
    assert out.getvalue().splitlines()[2:] == [
        "Model mine, mode answer. Ctrl-C stops.",
        *sentences,
        "Note: Note.",
    ]


def test_without_ports_and_sound_the_opening_names_the_demo() -> None:
    out = io.StringIO()
    View(out).opening(Opening("default", "answer", Ready((), (), None, ())))
    assert out.getvalue().splitlines() == [
        "improv listens to nothing yet.",
        "It plays to nothing yet.",
        "Model default, mode answer. Ctrl-C stops.",
        "Without MIDI and sound, try: improv demo",
    ]


def test_a_call_and_its_answer_are_a_line_each_with_chords_joined() -> None:
    out = io.StringIO()
    view = View(out)
    for event in (you(60, 0.0), you(64, 0.5), you(67, 0.51), you(67, 0.9, velocity=0)):
        view.event(event)
    view.notice(CALL)
    for event in (improv(72, 2.0), PedalMoved(1, 127, 2.1), improv(76, 2.3), Released(1, 0, 72, 2.4)):
        view.event(event)
    view.notice(AnswerEnded(1, (72, 76), 1.0, False))
    assert out.getvalue() == "   you  C4 E4+G4   (3 notes, 1.2 s)\nimprov  C5 E5   (2 notes, 1.0 s)\n"


def test_an_answer_that_was_cut_short_says_so_though_the_players_key_is_shown_already() -> None:
    out = io.StringIO()
    view = View(out)
    view.event(improv(72, 2.0))
    view.event(you(60, 2.2))
    view.notice(AnswerEnded(1, (72,), 0.2, True))
    view.event(you(62, 2.6))
    assert out.getvalue() == "improv  C5\n   you  C4\nimprov   (1 note, 0.2 s, and yielded)\n   you  D4"


def test_an_answer_that_never_sounded_is_not_spoken_of() -> None:
    out = io.StringIO()
    view = View(out)
    view.event(you(60, 2.2))
    view.notice(AnswerEnded(1, (), 0.0, True))
    assert out.getvalue() == "   you  C4"


def test_trouble_is_a_line_of_its_own() -> None:
    out = io.StringIO()
    view = View(out)
    view.event(you(60, 0.0))
    view.event(Trouble("The output is gone."))
    view.event(you(62, 1.0))
    assert out.getvalue() == "   you  C4\nNote: The output is gone.\n   you  D4"


def test_long_lines_are_broken() -> None:
    out = io.StringIO()
    view = View(out)
    for i in range(100):
        view.event(you(61, 0.3 * i))
    lines = out.getvalue().splitlines()
    assert len(lines) > 2
    assert all(line.startswith("   you  C#4") and len(line) <= WIDTH + 8 for line in lines)


def opened(out: io.StringIO, mode: str) -> View:
    """A view in a mode, its opening forgotten."""
    view = View(out, clock=lambda: 0.0)
    view.opening(Opening("default", mode, Ready(("in",), ("out",), None, ())))
    out.seek(0)
    out.truncate()
    return view


@pytest.mark.parametrize("mode", ["duet", "harmonise", "solo"])
def test_where_both_may_play_at_once_each_has_a_line_for_a_few_seconds(mode: str) -> None:
    out = io.StringIO()
    view = opened(out, mode)
    for event in (you(60, 0.0), improv(72, 0.1), you(64, 0.5), improv(76, 0.6), improv(79, 0.61)):
        view.event(event)
    assert out.getvalue() == ""
    view.event(Released(1, 0, 72, TOGETHER_S))
    assert out.getvalue() == "   you  C4 E4\nimprov  C5 E5+G5\n"
    view.event(improv(72, TOGETHER_S + 0.1))
    view.event(you(62, 3 * TOGETHER_S))
    view.end()
    assert out.getvalue().splitlines()[2:] == ["improv  C5", "   you  D4"]


def test_where_both_play_at_once_turns_are_not_summed_up() -> None:
    out = io.StringIO()
    view = opened(out, "duet")
    view.event(improv(72, 0.0))
    view.notice(CALL)
    view.notice(AnswerEnded(1, (72,), 0.2, True))
    view.end()
    assert out.getvalue() == "improv  C5\n"


def test_what_does_not_fit_on_the_line_of_a_few_seconds_is_counted() -> None:
    out = io.StringIO()
    view = opened(out, "duet")
    for i in range(100):
        view.event(you(60, 0.01 * i))
    view.end()
    (line,) = out.getvalue().splitlines()
    assert line == f"   you  {'+'.join(['C4'] * 28)} and 72 more"
    assert len(line) <= WIDTH + 8


def test_another_mode_is_said_in_plain_words_and_shown_in_its_own_way() -> None:
    out = io.StringIO()
    view = opened(out, "answer")
    view.event(you(60, 0.0))
    view.notice(ModeChanged("duet"))
    view.event(you(62, 0.5))
    view.event(improv(72, 0.6))
    view.notice(ModeChanged("answer"))
    view.event(you(64, 1.0))
    view.end()
    assert out.getvalue().splitlines() == [
        "   you  C4",
        "Mode duet: both play at once.",
        "   you  D4",
        "improv  C5",
        "Mode answer: improv answers when you stop.",
        "   you  E4",
    ]


def test_what_is_muted_or_goes_round_is_said() -> None:
    out = io.StringIO()
    view = opened(out, "answer")
    for notice in (Muted(True), Muted(False), Looping(True), Looping(False)):
        view.notice(notice)
    assert out.getvalue().splitlines() == [
        *("improv is muted.", "improv is no longer muted."),
        *("It goes round until you stop it.", "It goes round no more."),
    ]


def test_every_mode_has_its_words() -> None:
    assert tuple(IN_WORDS) == MODES


def test_what_cannot_be_is_said_but_not_over_and_over() -> None:
    out, now_s = io.StringIO(), 100.0
    view = View(out, clock=lambda: now_s)
    for _ in range(50):
        view.notice(Said("That cannot be."))
    for number in range(50):
        view.notice(Said(f"Nor can {number}."))
    assert out.getvalue().splitlines() == ["Note: That cannot be.", "Note: Nor can 0.", "Note: Nor can 1."]
    now_s += AGAIN_AFTER_S
    view.notice(Said("That cannot be."))
    assert out.getvalue().splitlines()[3:] == ["Note: That cannot be."]


def test_other_messages_show_nothing() -> None:
    out = io.StringIO()
    view = View(out)
    for data in ((), (0xB0, 64, 127), (0x80, 60, 0), (0xC0, 1), (0xF8,)):
        view.event(Played(data, 0.0, "keyboard"))
    assert out.getvalue() == ""


class GoneTerminal(io.StringIO):
    """A terminal window that was closed."""

    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        raise BrokenPipeError


def test_a_terminal_that_is_gone_is_written_to_once_and_no_more() -> None:
    out = GoneTerminal()
    view = View(out)
    for i in range(5):
        view.event(you(60 + i, 0.1 * i))
    view.line("Stopped.")
    assert out.writes == 1


def test_a_closed_output_is_no_reason_to_stop() -> None:
    out = io.StringIO()
    out.close()
    View(out).line("Stopped.")
    assert out.closed


def test_a_name_the_terminal_has_no_letters_for_is_shown_with_question_marks() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    view = View(out)
    view.line('improv listens to "Flügel".')
    view.line("Still here.")
    assert raw.getvalue() == b'improv listens to "Fl?gel".\nStill here.\n'
    out.detach()


def test_a_reader_that_does_not_read_never_makes_improv_wait() -> None:
    read_fd, write_fd = os.pipe()
    with open(read_fd, "rb"), open(write_fd, "w", encoding="utf-8") as out:  # noqa: PTH123 - descriptors
        view = View(out)
        os.set_blocking(write_fd, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(write_fd, bytes(1 << 16))
        os.set_blocking(write_fd, True)
        view.event(you(60, 0.0))
        view.line("Stopped.")
        assert len(os.read(read_fd, 1 << 20)) > 0
        view.line("Still here.")
        assert os.read(read_fd, 1 << 20).endswith(b"Still here.\n")
