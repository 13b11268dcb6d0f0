"""``--trace FILE``: the way of each note, as a Chrome trace.

Tracks from top to bottom: what came in at the stage's ports, the mind, the model, what the stage sent.
A line through them follows each of improv's notes. See docs/tracing.md.
"""

from __future__ import annotations

import contextlib
import functools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from improv_core.errors import ImprovError
from improv_core.representation.chord_names import pitch_name
from improv_daemon.partner import AnswerEnded, CallHeard, Drawn, Notice
from improv_daemon.trace_events import TraceEvents
from improv_daemon.trace_file import TraceFile
from improv_daemon.wire import (
    CancelTurn,
    Change,
    Command,
    Cue,
    Event,
    FinishTurn,
    Played,
    PlayNote,
    Sounded,
    TurnCancelled,
    Wish,
    Woken,
)
from improv_daemon.witness import NoWitness, Witness

STAGE_IN, MIND, MODEL, STAGE_OUT = 1, 2, 3, 4
_TRACKS: Final = {STAGE_IN: "stage in", MIND: "mind", MODEL: "model", STAGE_OUT: "stage out"}
_MOST_NOTES: Final = 4096


@contextlib.contextmanager
def tracing(
    path: Path | None, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
) -> Iterator[Witness]:
    """A witness that writes a trace, and its end when the sitting is over.

    Args:
        path: A file that does not exist yet; None: nobody wants a trace.
        say: Called in the mind, at most twice, with a sentence for the musician.
        clock: The stage's and the mind's.

    Raises:
        StorageError: The file exists already or cannot be written.
    """
    if path is None:
        yield NoWitness()
        return
    file = TraceFile(path)
    tracer = Tracer(file, say, clock)
    try:
        yield tracer
    except ImprovError:  # what was refused at the start is no sitting, and its second try takes the same name
        path.unlink(missing_ok=True)
        raise
    finally:
        file.end()
        tracer.end()


@dataclass(slots=True)
class _Decision:
    """Why improv plays: the player's latest note by then, if any, and when it was decided."""

    received_s: float | None
    heard_s: float
    at_s: float


@dataclass(slots=True)
class _Way:
    """How far a note has come."""

    decision: _Decision
    drawn_s: float | None = None
    queued_s: float | None = None


class Tracer:
    """Tells a trace file of each step of each note; quick, for it runs in the mind.

    Args:
        file: Takes the events.
        say: As for `tracing`.
        clock: As for `tracing`.
    """

    def __init__(self, file: TraceFile, say: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._file, self._say, self._clock = file, say, clock
        self._events = TraceEvents(file, _TRACKS, clock())
        self._told_failure = False
        self._notices: list[tuple[float, Notice]] = []
        self._ways: dict[tuple[int, int], _Way] = {}
        self._heard: tuple[float, float] | None = None
        self._turn: int | None = None
        self._decision: _Decision | None = None
        self._decided: list[str] = []
        self._queued = 0

    def notice(self, notice: Notice) -> None:
        """See `Witness`."""
        self._notices.append((self._clock(), notice))

    def saw(
        self, message: Event | Wish | Woken, commands: Sequence[Command], begun_s: float, ended_s: float
    ) -> None:
        """See `Witness`."""
        notices, self._notices = self._notices, []
        if self._file.failure is not None:
            self._tell_failure()
            return
        match message:
            case Played() if len(message.data) == 3 and message.data[0] & 0xE0 == 0x80:
                self._received(message, begun_s)
            case Played() if not (commands or notices):
                return  # clock pulses, controllers
            case Sounded():
                self._sent(message)
            case TurnCancelled():
                self._silent(message)
        drawn = any(isinstance(notice, Drawn) for _, notice in notices)
        self._events.slice(MIND, _step(message, commands, drawn=drawn), begun_s, ended_s)
        self._decide(message, commands, notices, begun_s)
        self._draw(notices, begun_s)
        self._queue(commands, begun_s, max((at_s for at_s, _ in notices), default=begun_s), ended_s)
        for what in self._decided:
            self._events.moment(MIND, f"decided: {what}", begun_s, for_us=1)
        self._decided.clear()

    def end(self) -> None:
        """The file is closed."""
        self._tell_failure()
        if self._file.left_out:
            self._say(f"The trace lacks {self._file.left_out} events, for which the disk was too slow.")

    # --- the stages ---------------------------------------------------------------------------------

    def _received(self, played: Played, begun_s: float) -> None:
        status, pitch, velocity = played.data
        is_on = status & 0xF0 == 0x90 and velocity > 0
        more = (
            f'"velocity":{velocity},"port":{_text(played.source)},"to_mind_ms":{_ms(begun_s - played.at_s)}'
        )
        name = f"{_name(pitch)} received" if is_on else f"{_name(pitch)} up"
        self._events.moment(STAGE_IN, name, played.at_s, more)
        if is_on:
            self._heard = (played.at_s, begun_s)

    def _decide(
        self,
        message: Event | Wish | Woken,
        commands: Sequence[Command],
        notices: Sequence[tuple[float, Notice]],
        begun_s: float,
    ) -> None:
        for command in commands:
            if isinstance(command, CancelTurn | FinishTurn):
                how = "yield" if isinstance(message, Played) else "end"
                self._decided.append(f"{how}, turn {command.turn}")
                self._turn = None
        for _, notice in notices:
            if isinstance(notice, CallHeard):
                how = "hand over" if isinstance(message, Cue) else "the call is over"
                self._begin(notice.turn, begun_s, how)
            elif isinstance(notice, AnswerEnded) and notice.turn == self._turn:
                self._turn = None
        is_new = self._heard is not None and self._heard[1] == begun_s
        if is_new and self._turn is not None and isinstance(message, Played):
            self._begin(self._turn, begun_s, "plan anew")  # from here on it answers to this note too

    def _begin(self, turn: int, at_s: float, why: str) -> None:
        received_s, heard_s = (None, at_s) if self._heard is None else self._heard
        self._turn, self._decision = turn, _Decision(received_s, heard_s, at_s)
        self._decided.append(f"{why}, turn {turn}")

    def _draw(self, notices: Sequence[tuple[float, Notice]], begun_s: float) -> None:
        from_s = begun_s
        for at_s, notice in notices:
            if isinstance(notice, Drawn):
                known = self._ways.get((notice.turn, notice.index))
                if known is not None and known.queued_s is not None:
                    continue  # it stands, and the one after it was taken back
                if notice.turn != self._turn:  # one that begins unasked, as in a duet
                    self._begin(notice.turn, begun_s, "a turn")
                self._way(notice.turn, notice.index).drawn_s = from_s
                self._events.slice(MODEL, f"drawn {notice.turn}.{notice.index}", from_s, at_s)
                self._events.counter("model", "ms", _ms(at_s - from_s), at_s)
                from_s = at_s

    def _queue(self, commands: Sequence[Command], begun_s: float, from_s: float, ended_s: float) -> None:
        notes = [command for command in commands if isinstance(command, PlayNote)]
        for note in notes:
            way = self._ways.get((note.turn, note.index))
            if way is None:  # nobody drew it: something is repeated
                if note.turn != self._turn:
                    self._begin(note.turn, begun_s, "a turn")
                way = self._way(note.turn, note.index)
            self._queued += way.queued_s is None
            way.queued_s = from_s
            ahead = f'"note":"{note.turn}.{note.index}","ahead_ms":{_ms(note.onset_s - ended_s)}'
            self._events.slice(MIND, f"{_name(note.pitch)} queued", from_s, ended_s, ahead)
        if notes:
            self._events.counter("queue", "notes", str(self._queued), ended_s)

    def _sent(self, note: Sounded) -> None:
        lateness = (
            f'"note":"{note.turn}.{note.index}","velocity":{note.velocity},"late_ms":{_ms(note.late_s)}'
        )
        self._events.moment(STAGE_OUT, f"{_name(note.pitch)} sent", note.at_s, lateness)
        self._events.counter("lateness", "ms", _ms(note.late_s), note.at_s)
        way = self._ways.pop((note.turn, note.index), None)
        if way is None:
            return
        self._queued -= way.queued_s is not None
        self._events.counter("queue", "notes", str(self._queued), note.at_s)
        decision = way.decision
        passed = [
            (STAGE_IN, decision.received_s),
            (MIND, decision.at_s),
            (MODEL, way.drawn_s),
            (MIND, way.queued_s),
            (STAGE_OUT, note.at_s),
        ]
        self._events.link("note", [(track, at_s) for track, at_s in passed if at_s is not None])

    def _silent(self, cancelled: TurnCancelled) -> None:
        self._events.moment(STAGE_OUT, f"turn {cancelled.turn} silent", cancelled.at_s)
        for key in [key for key in self._ways if key[0] == cancelled.turn]:
            self._queued -= self._ways.pop(key).queued_s is not None
        self._events.counter("queue", "notes", str(self._queued), cancelled.at_s)

    def _way(self, turn: int, index: int) -> _Way:
        """A new one, even where the note was drawn before: it was taken back then."""
        assert self._decision is not None
        if len(self._ways) >= _MOST_NOTES:  # nothing is told of the oldest any more
            self._ways.pop(next(iter(self._ways)))
        way = self._ways[(turn, index)] = _Way(self._decision)
        return way

    def _tell_failure(self) -> None:
        if self._file.failure is not None and not self._told_failure:
            self._told_failure = True
            self._say(self._file.failure)


_name = functools.cache(pitch_name)


@functools.lru_cache(maxsize=64)
def _text(text: str) -> str:
    return json.dumps(text)


def _ms(time_s: float) -> str:
    return f"{1e3 * time_s:.3f}"


def _step(message: Event | Wish | Woken, commands: Sequence[Command], *, drawn: bool) -> str:
    """What the mind did, in a word or two."""
    match message:
        case Woken():
            return "play on" if drawn or commands else "think"
        case Played():
            return "listen"
        case Cue(name):
            return f"cue {name}" if name.isidentifier() else "cue"
        case Change(key):
            return f"set {key}" if key.replace(".", "").isidentifier() else "set"
    return f"told {type(message).__name__}"
