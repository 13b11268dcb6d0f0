"""A journal as the tracks of a MIDI file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from improv_core.midi_files import DRUM_CHANNEL, PROGRAM, ChannelMessage, Track
from improv_core.midi_lines import Line
from improv_core.notes import Performance
from improv_daemon.journal import Journal, Voice, voices

IMPROV_CHANNEL: Final = 1
_SHORTEST_S: Final = 0.001
_BANKS: Final = (0, 32)


def tracks_of(journal: Journal) -> tuple[Track, ...]:
    """The player's, one for each keyboard and channel, and improv's, which is the last."""
    return tuple(_track(name, voice, channel) for name, voice, channel in _placed(journal))


def lines_of(journal: Journal) -> tuple[Line, ...]:
    """The same with every message as it came or went."""
    return tuple(Line(name, channel, voice.sent) for name, voice, channel in _placed(journal))


def _placed(journal: Journal) -> Iterator[tuple[str, Voice, int]]:
    """(name, what was played, channel) of each track."""
    players, improv = voices(journal)
    yield from zip(_names(players), players, _channels([voice.channel for voice in players]), strict=True)
    yield "improv", improv, IMPROV_CHANNEL


def _names(players: Sequence[Voice]) -> Iterator[str]:
    """What tells them apart."""
    channels_of = Counter(voice.source for voice in players)
    for voice in players:
        if len(players) == 1:
            yield "player"
        elif channels_of[voice.source] == 1:
            yield f"player, {voice.source}"
        else:
            yield f"player, {voice.source}, channel {voice.channel + 1}"


def _channels(wanted: Sequence[int]) -> Iterator[int]:
    """The only one on the first, drums on theirs, others on their own, or one that is free."""
    if len(wanted) == 1:
        yield DRUM_CHANNEL if wanted[0] == DRUM_CHANNEL else 0
        return
    free = [channel for channel in range(16) if channel not in (IMPROV_CHANNEL, DRUM_CHANNEL)]
    for channel in wanted:
        if channel == DRUM_CHANNEL:
            yield DRUM_CHANNEL
            continue
        taken = channel if channel in free else next(iter(free), 0)
        if taken in free:
            free.remove(taken)
        yield taken


def _track(name: str, voice: Voice, channel: int) -> Track:
    # Every note lasts a moment: one of none would be let go before it is struck.
    notes = [replace(n, duration_s=max(_SHORTEST_S, n.duration_s)) for n in voice.performance.notes]
    performance = Performance.of(notes, voice.performance.controls)
    program, messages = _program(performance, voice.messages)
    return Track(name, performance, program, channel, messages)


def _program(
    performance: Performance, messages: tuple[ChannelMessage, ...]
) -> tuple[int, tuple[ChannelMessage, ...]]:
    """What is chosen before the first note counts from the beginning, unless a bank is chosen too."""
    begun_s = performance.notes[0].onset_s if performance.notes else float("inf")
    early = [m for m in messages if m.data[0] == PROGRAM and m.at_s <= begun_s]
    if not early or any(control.controller in _BANKS for control in performance.controls):
        return 0, messages
    return early[-1].data[1], tuple(message for message in messages if message not in early)
