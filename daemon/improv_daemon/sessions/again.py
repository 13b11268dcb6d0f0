"""A session once more: a new partner is told the same, and its doings are held against those of then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from improv_core.representation.chord_names import pitch_name
from improv_daemon.journal import Journal, clock_text
from improv_daemon.models import DEFAULT, load_model, model_hash
from improv_daemon.partner import Partner
from improv_daemon.replaying import Given, check_replayable, commands_of, partner_of, replayed
from improv_daemon.wire import Command, MovePedal, PlayNote

Progress = Callable[[float], None]

_HOW_IT_CAN_BE: Final = (
    "Another version of improv, other versions of its libraries or another kind of processor can do that."
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was done then beside what is done now.

    Attributes:
        same: How many commands are the same, from the beginning on.
        notes: How many of them are notes.
        then: The first that is another, as it was, if there was one.
        now: What is done instead, if anything.
        begun_s: When the session began (monotonic), from where its times count.
    """

    same: int
    notes: int
    then: Given | None
    now: Given | None
    begun_s: float

    @property
    def is_same(self) -> bool:
        """Whether all of it is, to the bit."""
        return self.then is None and self.now is None

    def in_words(self) -> str:
        """One or two sentences."""
        if self.is_same:
            counted = f"{_notes(self.notes)}, {self.same} commands"
            return f"Told the same again, improv does the same to the bit: {counted}."
        at_s = min(given[0] for given in (self.then, self.now) if given is not None) - self.begun_s
        then, now = (_in_words(given, self.begun_s) for given in (self.then, self.now))
        return (
            f"Told the same again, improv does something else from {clock_text(at_s)} on, after "
            f"{_notes(self.notes)} as then: it was {then} and is {_unlike(now, then)}. {_HOW_IT_CAN_BE}"
        )


def partner_again(journal: Journal, model: str | None = None) -> Partner:
    """The partner of a session as it was at the beginning.

    Args:
        journal: The session's.
        model: Where the model is that played; None: where it was then.

    Raises:
        StorageError: It is another model, the settings mean nothing to this improv, or lines are missing.
        ModelFileError: There is no such model.
        MidiFileError: The file that a solo went on from is not there any more, or cannot be used.
    """
    check_replayable(journal)
    name = model or str(journal.header.settings.get("model", DEFAULT))
    return partner_of(journal, load_model(name), model_hash(name))


def compare(journal: Journal, again: Sequence[Given]) -> Comparison:
    """What was done then beside what is done now.

    Args:
        journal: The session's. Where it breaks off there may be more now: what its last line led to.
        again: What is done now, all of it.
    """
    then = list(commands_of(journal))
    same = 0
    while same < min(len(then), len(again)) and then[same] == again[same]:
        same += 1
    other_then, other_now = (next(iter(given[same:]), None) for given in (then, again))
    if other_then is None and other_now is not None and _breaks_off(journal, other_now):
        other_now = None
    notes = sum(isinstance(command, PlayNote) for _, command in then[:same])
    return Comparison(same, notes, other_then, other_now, journal.header.now_s)


def told_again(journal: Journal, partner: Partner, progress: Progress = lambda done: None) -> Iterator[Given]:
    """See `replayed`; says how far it is, 0..1, by the session's time."""
    begun_s = journal.header.now_s
    length_s = max(1e-3, journal.end_s - begun_s)
    for given in replayed(journal, partner):
        progress(min(1.0, max(0.0, given[0] - begun_s) / length_s))
        yield given


def _breaks_off(journal: Journal, given: Given) -> bool:
    return not journal.closed and bool(journal.entries) and given[0] >= journal.entries[-1].now_s


def _in_words(given: Given | None, begun_s: float) -> str:
    if given is None:
        return "nothing"
    command = given[1]
    match command:
        case PlayNote(pitch=pitch, velocity=velocity, onset_s=onset_s, release_s=release_s):
            times = f"from {onset_s - begun_s:.3f} to {release_s - begun_s:.3f} s"
            return f"{pitch_name(pitch)} {times} with velocity {velocity}"
        case MovePedal(value=value, at_s=at_s):
            return f"the pedal at {value} at {at_s - begun_s:.3f} s"
    return f"{_kind(command)} at {given[0] - begun_s:.3f} s"


def _notes(count: int) -> str:
    return "one note" if count == 1 else f"{count} notes"


def _unlike(now: str, then: str) -> str:
    return now if now != then else "another one only in what these digits do not show"


def _kind(command: Command) -> str:
    return f"the command {type(command).__name__}"
