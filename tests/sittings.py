"""A player and improv at real ports: whole sittings, and what can be measured of them."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from improv_process import ImprovProcess
from jack_player import JackPlayer, Timed
from midi_checks import Matches, balance, match_notes, notes_of, pedals_down

from improv_core.notes import Note, Performance
from improv_daemon import wire
from improv_daemon.journal import Journal, read_journal
from improv_daemon.phrases import key_messages
from improv_daemon.sessions import SessionFolder

JACK = ("--no-sound", "-o", "ports.api=jack")
IMPROV_CHANNEL = 1
QUIET_S = 1.0
"""An answer that has been silent for so long counts as over; improv may think otherwise, and yields."""
ANSWER_WITHIN_S = 25.0
FILES_WITHIN_S = 180.0
ONSET_TOLERANCE_S = 0.005
SEEN_LATE_S = 0.2
JACK_ENDURES_S = 0.05
RETURN_WITHIN_S = 0.3
"""improv never begins a turn this soon after an onset: what it still plays then belongs to the old one."""


Stalls = Sequence[tuple[float, float]]
"""When the machine stood still: (start, end). That time counts against nobody."""


@dataclass(frozen=True, slots=True)
class Played:
    """A call as it was played."""

    first_onset_s: float
    last_onset_s: float


@dataclass(frozen=True, slots=True)
class Sitting:
    """What there is after ``improv record``: at the ports, on the terminal, in the folder."""

    calls: tuple[Played, ...]
    sent: tuple[Timed, ...]
    heard: tuple[Timed, ...]
    stalls: Stalls
    status: int
    text: str
    journal: Journal
    midi: Path
    mp3: Path


def recorded_sitting(
    folder: Path, phrases: Sequence[Performance], *options: str, interrupt: frozenset[int] = frozenset()
) -> Sitting:
    """Start ``improv record kept`` in a folder, converse with it, stop it with Ctrl-C; see `converse`."""
    with ImprovProcess("record", "kept", *JACK, *options, folder=folder) as improv, JackPlayer() as player:
        improv.wait_until_playing()
        player.connect()
        calls = converse(player, phrases, interrupt)
        status, _ = improv.stop(timeout_s=FILES_WITHIN_S)
        player.wait_for(lambda: not _sounds(player.heard), 1.0)
        sent, heard, stalls = tuple(player.sent), tuple(player.heard), tuple(player.stalls)
        text = improv.text
    (path,) = (folder / "kept").glob("*/journal.jsonl")
    journal, session = read_journal(path), SessionFolder(path.parent)
    return Sitting(calls, sent, heard, stalls, status, text, journal, session.midi, session.audio(".mp3"))


def undisturbed_sitting(
    folder: Path, phrases: Sequence[Performance], *options: str, interrupt: frozenset[int] = frozenset()
) -> Sitting:
    """As `recorded_sitting`, once more if the machine stood still so long that JACK may lose messages."""
    for attempt in ("first", "second"):
        (folder / attempt).mkdir()
        sitting = recorded_sitting(folder / attempt, phrases, *options, interrupt=interrupt)
        if all(end_s - start_s < JACK_ENDURES_S for start_s, end_s in sitting.stalls):
            break
    return sitting


def phrase_of(performance: Performance, start_s: float, end_s: float) -> Performance:
    """The notes that begin between two times, and the pedal between them, from time zero."""
    notes = [
        replace(note, onset_s=note.onset_s - start_s)
        for note in performance.notes
        if start_s <= note.onset_s < end_s
    ]
    pedal = [
        replace(move, at_s=max(0.0, move.at_s - start_s))
        for move in performance.pedal
        if start_s <= move.at_s < end_s
    ]
    if pedal and pedal[-1].value:
        pedal.append(replace(pedal[-1], value=0, at_s=max(note.release_s for note in notes)))
    return Performance.of(notes, pedal)


def converse(
    player: JackPlayer, phrases: Sequence[Performance], interrupt: frozenset[int] = frozenset()
) -> tuple[Played, ...]:
    """Play each phrase once the answer to the one before is over.

    Args:
        player: Connected to improv.
        phrases: What to play.
        interrupt: Numbers of the phrases whose answers the next phrase interrupts in full flow.
    """
    calls = []
    for number, phrase in enumerate(phrases):
        start_s = time.monotonic() + 0.03
        player.play((start_s + at_s, data) for at_s, data in key_messages(phrase))
        call = Played(start_s + phrase.notes[0].onset_s, start_s + phrase.notes[-1].onset_s)
        calls.append(call)
        if number in interrupt:
            player.wait_until(start_s + phrase.end_s)
            player.wait_for(
                lambda last_s=call.last_onset_s: _is_in_full_flow(player, last_s), ANSWER_WITHIN_S
            )
        else:
            player.wait_until(start_s + phrase.end_s)
            player.wait_for_quiet(call.last_onset_s, QUIET_S, ANSWER_WITHIN_S)
    return tuple(calls)


def _is_in_full_flow(player: JackPlayer, since_s: float) -> bool:
    answer = [(at_s, data) for at_s, data in player.heard if at_s > since_s]
    onsets = sum(data[0] & 0xF0 == 0x90 for _, data in answer)
    return onsets >= 4 and bool(balance(player.heard).hanging)


def play_until(player: JackPlayer, phrases: Iterable[Performance], wanted_pedal: bool = True) -> bool:
    """Play phrases until notes of an answer sound (and its pedal is down); whether it came to that."""

    def sounding() -> bool:
        down = balance(player.heard).hanging
        return bool(down) and (not wanted_pedal or pedals_down(player.heard) == (IMPROV_CHANNEL,))

    for phrase in phrases:
        start_s = time.monotonic() + 0.03
        player.play((start_s + at_s, data) for at_s, data in key_messages(phrase))
        player.wait_until(start_s + phrase.end_s)
        if player.wait_for(sounding, phrase.end_s + 4.0):
            return True
    return False


# --- what can be measured -------------------------------------------------------------------------


def elapsed_s(start_s: float, end_s: float, stalls: Stalls) -> float:
    """The time between two moments, without what the machine stood still in it."""
    overlaps = (max(0.0, min(end_s, end) - max(start_s, start)) for start, end in stalls)
    return end_s - start_s - sum(overlaps)


def note_ons(messages: Iterable[Timed]) -> list[float]:
    """The times of all note-ons."""
    return [at_s for at_s, data in messages if data[0] & 0xF0 == 0x90 and data[2] > 0]


def unanswered(calls: Sequence[Played], heard: Sequence[Timed]) -> tuple[int, ...]:
    """Calls (by number) after which improv played nothing before the next one."""
    onsets = note_ons(heard)
    ends = [*(call.first_onset_s for call in calls[1:]), float("inf")]
    return tuple(
        number
        for number, (call, end_s) in enumerate(zip(calls, ends, strict=True))
        if not any(call.last_onset_s < onset_s < end_s for onset_s in onsets)
    )


def first_answers_s(calls: Sequence[Played], heard: Sequence[Timed]) -> list[float]:
    """For each answered call, from its last onset to the first of the answer."""
    onsets = note_ons(heard)
    ends = [*(call.first_onset_s for call in calls[1:]), float("inf")]
    after = (
        [onset_s for onset_s in onsets if call.last_onset_s < onset_s < end_s]
        for call, end_s in zip(calls, ends, strict=True)
    )
    return [onsets[0] - call.last_onset_s for call, onsets in zip(calls, after, strict=True) if onsets]


def decisions_s(journal: Journal) -> list[float]:
    """For each answer, from the decision that the turn is over to its first onset."""
    decided: dict[int, float] = {}
    latencies = []
    for entry in journal.entries:
        match entry.message:
            case wire.PlayNote(turn=turn):
                decided.setdefault(turn, entry.now_s)
            case wire.Sounded(turn=turn, at_s=at_s) if turn in decided:
                latencies.append(at_s - decided[turn])
                decided[turn] = float("-inf")
    return [latency for latency in latencies if latency != float("inf")]


def yields_s(sent: Iterable[Timed], heard: Sequence[Timed], stalls: Stalls = ()) -> list[float]:
    """For each of the player's returns into an answer, when the last of it was heard after the note-on.

    Infinite where notes or pedal stay on.
    """
    latencies: list[float] = []
    counted_s = float("-inf")
    for at_s in note_ons(sent):
        before = [message for message in heard if message[0] <= at_s]
        after = [message for message in heard if at_s < message[0] < at_s + RETURN_WITHIN_S]
        if at_s < counted_s + RETURN_WITHIN_S or not (_sounds(before) or after):
            continue
        counted_s = at_s
        last_s = max((heard_s for heard_s, _ in after), default=at_s)
        lasting = _sounds([*before, *after])
        latencies.append(float("inf") if lasting else elapsed_s(at_s, last_s, stalls))
    return latencies


def _sounds(heard: Sequence[Timed]) -> bool:
    return bool(balance(heard).hanging or pedals_down(heard))


def recorded_as(
    messages: Sequence[Timed], start_s: float, recorded: Sequence[Note], tolerance_s: float
) -> Matches:
    """How a recorded track pairs up with the messages at the ports of a sitting that began at ``start_s``."""
    played = [replace(note, onset_s=note.onset_s - start_s) for note in notes_of(messages)]
    return match_notes(played, recorded, tolerance_s=tolerance_s)


def onset_errors_s(matches: Matches, start_s: float = 0.0, stalls: Stalls = ()) -> list[float]:
    """How far each pair is apart; its times count from ``start_s``."""
    bounds = [sorted((start_s + a.onset_s, start_s + b.onset_s)) for a, b in matches.pairs]
    return [elapsed_s(first_s, last_s, stalls) for first_s, last_s in bounds]


def is_recorded(
    messages: Sequence[Timed], sitting: Sitting, recorded: Sequence[Note], *, realtime: bool
) -> bool:
    """Whether a track holds exactly the notes of the ports, with their onsets within 5 ms.

    Where JACK itself may not run with real-time priority, one in a hundred may be further off: on a busy
    machine it passes messages on late, and both sides are right about when they saw them.
    """
    start_s = sitting.journal.header.now_s
    matches = recorded_as(messages, start_s, recorded, SEEN_LATE_S)
    errors_s = onset_errors_s(matches, start_s, sitting.stalls)
    off = sum(error_s > ONSET_TOLERANCE_S for error_s in errors_s)
    same = all(a.velocity == b.velocity for a, b in matches.pairs)
    return not (matches.missing or matches.extra) and off <= (0 if realtime else len(errors_s) / 100) and same


def is_realtime(pid: int) -> bool:
    """Whether a thread of a process has real-time priority."""
    threads = (int(path.name) for path in Path(f"/proc/{pid}/task").iterdir())
    return any(os.sched_getscheduler(thread) in (os.SCHED_FIFO, os.SCHED_RR) for thread in threads)


# --- real pieces ----------------------------------------------------------------------------------


def phrases_at_gaps(
    performance: Performance, *, least_gap_s: float = 0.45, shortest_s: float = 3.0, longest_s: float = 9.0
) -> list[Performance]:
    """A performance cut where nothing begins for a while and every key is up, or at its widest gaps.

    A phrase lasts at least ``shortest_s``; one longer than ``longest_s`` is cut at the widest gap between
    two onsets in it.
    """
    notes = performance.notes
    starts = [notes[0].onset_s]
    for before, after in itertools.pairwise(notes):
        if after.onset_s - before.onset_s >= least_gap_s and after.onset_s - starts[-1] >= shortest_s:
            starts.append(after.onset_s)
    bounds = [*starts, notes[-1].release_s + 1.0]
    cut: list[Performance] = []
    for start_s, end_s in itertools.pairwise(bounds):
        for begin_s, finish_s in _no_longer_than(longest_s, shortest_s, performance, start_s, end_s):
            cut.append(phrase_of(performance, begin_s, finish_s))
    return [phrase for phrase in cut if phrase.notes]


def _no_longer_than(
    longest_s: float, shortest_s: float, performance: Performance, start_s: float, end_s: float
) -> list[tuple[float, float]]:
    if end_s - start_s <= longest_s:
        return [(start_s, end_s)]
    onsets = [note.onset_s for note in performance.notes if start_s <= note.onset_s < end_s]
    gaps = [
        (after - before, after)
        for before, after in itertools.pairwise(onsets)
        if after - start_s >= shortest_s and end_s - after >= shortest_s / 2
    ]
    if not gaps:
        return [(start_s, end_s)]
    cut_s = max(gaps)[1]
    left = _no_longer_than(longest_s, shortest_s, performance, start_s, cut_s)
    return left + _no_longer_than(longest_s, shortest_s, performance, cut_s, end_s)
