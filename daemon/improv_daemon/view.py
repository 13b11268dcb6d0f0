"""The conversation as text, while it happens."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final, TextIO

from improv_daemon.display import Opening
from improv_daemon.modes import IN_WORDS
from improv_daemon.partner import AnswerEnded, CallHeard, Looping, ModeChanged, Muted, Notice, Said
from improv_daemon.sparing import Sparing
from improv_daemon.wire import Event, Played, Released, Sounded, Trouble

WIDTH = 96
CHORD_S = 0.05
TOGETHER: Final = ("duet", "harmonise", "solo")
"""Modes in which both may play at once: what each plays is shown a few seconds at a time."""

TOGETHER_S: Final = 4.0
_MORE: Final = 16  # what is left of a line for how many there were besides
_PATIENCE_S = 0.2
_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def pitch_name(pitch: int) -> str:
    """Scientific pitch notation; middle C (60) is C4."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


class View:
    """Writes lines; a terminal that has gone away, or takes no text, is no reason to stop playing.

    Notes that it does not take at once are not shown; for a whole line it gets a moment.

    Args:
        out: Where to; standard output when not given.
        clock: Says how late it is, in seconds.
        sparing: Whether to say no more than can be read while playing.
    """

    def __init__(
        self,
        out: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        sparing: bool = True,
    ) -> None:
        self._out: TextIO | None = out or sys.stdout
        self._clock = clock
        self._sparing = Sparing() if sparing else None
        self._together: _Together | None = None
        self._speaker = ""
        self._column = 0
        self._last_s = 0.0

    def line(self, text: str) -> None:
        """A line of its own."""
        self._show_together()
        self._write(f"\n{text}\n" if self._column else f"{text}\n", _PATIENCE_S)
        self._column, self._speaker = 0, ""

    def end(self) -> None:
        """Nothing comes any more: what is not shown yet is shown, and the line closed."""
        self._show_together()
        if self._column:
            self._write("\n", _PATIENCE_S)
        self._column, self._speaker = 0, ""

    def note(self, text: str) -> None:
        """A line about what is not as it should be."""
        self.line(f"Note: {text}")

    def outcome(self, text: str) -> None:
        """A line about what came of the sitting."""
        self.line(text)

    def opening(self, opening: Opening) -> None:
        """What improv listens to, where it plays, which model and mode, how to stop."""
        ready = opening.ready
        self._together = _Together() if opening.mode in TOGETHER else None
        nothing = "nothing yet"
        self.line(f"improv listens to {_listed(ready.inputs) or nothing}.")
        places = [*(f'"{name}"' for name in ready.outputs), *([ready.sound] if ready.sound else [])]
        self.line(f"It plays to {', '.join(places) or nothing}.")
        model = (f"Model {opening.model}", f"mode {opening.mode}", *opening.asked)
        self.line(f"{', '.join(model)}. Ctrl-C stops.")
        for remark in opening.remarks:
            self.line(remark)
        for problem in ready.problems:
            self.note(problem)
        if opening.hint and not ready.inputs and ready.sound is None:
            self.line("Without MIDI and sound, try: improv demo")

    def event(self, event: Event) -> None:
        """Show notes as they sound, or those of a few seconds where both may play at once."""
        if isinstance(event, Played | Sounded | Released) and self._is_over(event.at_s):
            self._show_together()
        match event:
            case Played(data, at_s, _) if len(data) == 3 and data[0] & 0xF0 == 0x90 and data[2]:
                self._note("you", data[1], at_s)
            case Sounded(_, _, pitch, _, at_s, _):
                self._note("improv", pitch, at_s)
            case Trouble(text):
                self.note(text)

    def notice(self, notice: Notice) -> None:
        """Close a line when a turn ends; say what there is to say, but not more than can be read."""
        match notice:
            case ModeChanged(mode):
                self.line(f"Mode {mode}: {IN_WORDS[mode]}.")
                self._together = _Together() if mode in TOGETHER else None
            case Said(text):
                if self._sparing is None or self._sparing.takes(text, self._clock()):
                    self.note(text)
            case Muted() | Looping():
                self.line(state_in_words(notice))
            case CallHeard() | AnswerEnded() if self._together is not None:
                pass
            case CallHeard(_, call, pitches):
                self._summary("you", len(pitches), call.length_s, "")
            case AnswerEnded(_, pitches, length_s, True) if pitches and self._speaker == "you":
                # The key that cut the answer short is on the screen already.
                self._write(f"\n{'improv':>6}")
                self._speaker = "improv"
                self._summary("improv", len(pitches), length_s, ", and yielded")
            case AnswerEnded(_, pitches, length_s, yielded):
                self._summary("improv", len(pitches), length_s, ", and yielded" if yielded else "")

    def _summary(self, speaker: str, notes: int, length_s: float, ending: str) -> None:
        if self._speaker == speaker:
            self._write(f"   ({notes} {'note' if notes == 1 else 'notes'}, {length_s:.1f} s{ending})\n")
            self._column, self._speaker = 0, ""

    def _note(self, speaker: str, pitch: int, at_s: float) -> None:
        if self._together is not None:
            self._together.add(speaker, pitch, at_s)
            return
        text = pitch_name(pitch)
        if speaker != self._speaker or self._column > WIDTH:
            self._write("\n" if self._column else "")
            text = f"{speaker:>6}  {text}"
            self._column = 0
        else:
            text = ("+" if at_s - self._last_s < CHORD_S else " ") + text
        self._write(text)
        self._speaker, self._last_s = speaker, at_s
        self._column += len(text)

    def _is_over(self, at_s: float) -> bool:
        return self._together is not None and self._together.is_over(at_s)

    def _show_together(self) -> None:
        if self._together is not None:
            shown, self._together = self._together, _Together()
            self._write("".join(shown.lines()))

    def _write(self, text: str, patience_s: float = 0.0) -> None:
        if self._out is None:
            return
        try:
            if not _takes_text(self._out, patience_s):
                return
            self._out.write(_writable(text, self._out.encoding))
            self._out.flush()
        except (OSError, ValueError):
            self._out = None


class _Together:
    """What each has played in a few seconds of playing at once."""

    def __init__(self) -> None:
        self._begun_s: float | None = None
        self._notes: dict[str, list[tuple[int, float]]] = {"you": [], "improv": []}

    def is_over(self, at_s: float) -> bool:
        """Whether a note then belongs to the next few seconds."""
        return self._begun_s is not None and at_s - self._begun_s >= TOGETHER_S

    def add(self, speaker: str, pitch: int, at_s: float) -> None:
        """One of them has struck a note."""
        self._begun_s = at_s if self._begun_s is None else self._begun_s
        self._notes[speaker].append((pitch, at_s))

    def lines(self) -> list[str]:
        """A line each, of those who have played; what does not fit is counted."""
        return [f"{speaker:>6}  {_on_one_line(notes)}\n" for speaker, notes in self._notes.items() if notes]


def _on_one_line(notes: Sequence[tuple[int, float]]) -> str:
    text, last_s = "", float("-inf")
    for number, (pitch, at_s) in enumerate(notes):
        if len(text) > WIDTH - _MORE:
            return f"{text} and {len(notes) - number} more"
        joint = "+" if at_s - last_s < CHORD_S else " "
        text += joint * bool(text) + pitch_name(pitch)
        last_s = at_s
    return text


def state_in_words(notice: Muted | Looping) -> str:
    """A sentence for it."""
    match notice:
        case Muted(muted):
            return "improv is muted." if muted else "improv is no longer muted."
        case Looping(looping):
            return "It goes round until you stop it." if looping else "It goes round no more."


def _takes_text(out: TextIO, within_s: float) -> bool:
    """False while writing would wait: a reader that does not read, or Ctrl-S at the terminal."""
    if os.name != "posix":  # elsewhere select is for sockets only
        return True
    try:
        fd = out.fileno()
    except OSError:  # text in memory
        return True
    return bool(select.select([], [fd], [], within_s)[1])


def _writable(text: str, encoding: str | None) -> str:
    """With question marks for what the terminal has no letters for (a port may have any name)."""
    return text.encode(encoding, "replace").decode(encoding) if encoding else text


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)
