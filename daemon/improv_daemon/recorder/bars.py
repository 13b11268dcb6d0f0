"""The bar lines of a session."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np

from improv_core.bar_lines import beats_before, straightened
from improv_core.beat_finding import FEWEST_BEATS, found_beats
from improv_core.notes import Performance
from improv_core.song_beats import SongBeats, song_beats
from improv_core.tempogram import FloatArray
from improv_daemon import wire
from improv_daemon.journal import Journal

_CLOCK: Final = (0xF2, 0xF8, 0xFA, 0xFB, 0xFC)
_HELD_BARS: Final = 2
_SAME_BARS: Final = 1e-3
_BEATS_PER_BAR: Final = 4
_LOOSE_S: Final = 0.01
"""So far a beat that was found may be from its place for the sake of fewer tempos."""

_TEMPO: Final = "time.tempo_bpm"


Both = tuple[Performance, Performance]
"""The player's and improv's."""


def songs_of(journal: Journal, tempo: str, both: Both) -> list[SongBeats]:
    """Where beats and bars are, in order.

    Args:
        journal: The session's.
        tempo: ``auto``: by the MIDI clock, where there is none by the tempo that was tapped or set, else by
            what was played; ``estimated``: by what was played; ``fixed``: nowhere.
        both: `improv_daemon.journal.performances` of it.
    """
    if tempo == "fixed":
        return []
    time = journal.header.settings.get("time")
    settings: dict[str, Any] = time if isinstance(time, dict) else {}
    songs: list[SongBeats] = []
    if tempo != "estimated":
        songs += _clocked(journal, settings)
        kept = list(_told(journal)) or list(_set(journal, settings, both[0]))
        songs += [part for song in kept for part in _between(song, songs)]
        songs.sort(key=lambda song: song.start_s)
    heard = _played(both, _beats_per_bar(settings))
    between = [(part, song) for song in heard for part in _between(song, songs)]
    songs += [part for part, song in between if len(part.knots) >= min(FEWEST_BEATS, len(song.knots))]
    return sorted(songs, key=lambda song: song.start_s)


def _clocked(journal: Journal, settings: dict[str, Any]) -> Iterator[SongBeats]:
    start_s, followed = journal.header.now_s, bool(settings.get("follow_clock", True))
    messages = []
    for entry in journal.entries:
        match entry.message:
            case wire.Played(data, at_s, source) if followed and data and data[0] in _CLOCK:
                messages.append((data, max(0.0, at_s - start_s), source))
            case wire.Change(key="time.follow_clock", value=value):
                followed = bool(value)
    yield from song_beats(messages, _beats_per_bar(settings))


def _told(journal: Journal) -> Iterator[SongBeats]:
    """Of a tempo that somebody holds to: one that changes all the time is the player's own."""
    start_s = journal.header.now_s
    for time, from_s, until_s in _kept(journal):
        first = -((time.origin_s - from_s) // time.beat_s)
        count = int((until_s - time.origin_s) // time.beat_s - first) + 1
        if count <= _HELD_BARS * time.beats_per_bar:
            continue
        at = ((first + i, time.origin_s + (first + i) * time.beat_s - start_s) for i in range(count))
        knots = tuple((beat, at_s) for beat, at_s in at if at_s >= 0)
        if len(knots) > 1:
            yield SongBeats(knots, time.beats_per_bar)


def _set(journal: Journal, settings: dict[str, Any], player: Performance) -> Iterator[SongBeats]:
    """Of the tempo of the settings: bars begin with the player's first note."""
    bpm, bars = settings.get("tempo_bpm"), _beats_per_bar(settings)
    if not isinstance(bpm, int | float) or bpm <= 0 or not player.notes:
        return
    first_s = player.notes[0].onset_s
    changes_s = (
        e.now_s for e in journal.entries if isinstance(e.message, wire.Change) and e.message.key == _TEMPO
    )
    until_s = next(changes_s, journal.end_s) - journal.header.now_s
    count = int((until_s - first_s) * bpm / 60) + 1
    if count > 1:
        yield SongBeats(tuple((float(i), first_s + i * 60 / bpm) for i in range(count)), bars)


def _played(both: Both, bars: int) -> Iterator[SongBeats]:
    """Of what both played, where it has clear beats; from one such stretch to the next, beats pass evenly."""
    notes = sorted((note for one in both for note in one.notes), key=lambda note: note.onset_s)
    before_s = 0.0
    for stretch in found_beats(notes, bars):
        skipped = int(np.searchsorted(stretch.beats_s, before_s, side="right"))
        beats_s = _straight(stretch.beats_s[skipped:])
        if len(beats_s) > 1:
            usual_s = float(np.median(np.diff(beats_s)))
            passing = max(1, round((float(beats_s[0]) - before_s) / usual_s))
            if before_s == 0 and stretch.downbeats:
                offset = (skipped - stretch.downbeats[0]) % bars
                natural = float(beats_s[0]) / usual_s
                passing = round(beats_before(float(beats_s[0]), natural, offset, bars) or passing)
            passed_s = np.linspace(before_s, beats_s[0], passing + 1)[:-1]
            downbeats = [passing + beat - skipped for beat in stretch.downbeats if beat >= skipped]
            yield from _songs(np.concatenate((passed_s, beats_s)).tolist(), downbeats, bars)
            before_s = float(beats_s[-1])


def _songs(beats_s: list[float], downbeats: list[int], bars: int) -> Iterator[SongBeats]:
    """From each bar line that comes sooner or later than bars are long, another."""
    cuts = [
        then for one, then in itertools.pairwise(downbeats) if then != one + bars and then < len(beats_s) - 1
    ]
    place = -downbeats[0] if downbeats else 0
    for first, last in itertools.pairwise([0, *cuts, len(beats_s) - 1]):
        # Never from beat 0 on: that is where a song begins that somebody started.
        number = bars + place % bars
        yield SongBeats(tuple((float(number + i), s) for i, s in enumerate(beats_s[first : last + 1])), bars)
        place = 0


def _straight(beats_s: FloatArray) -> FloatArray:
    """About the same with few tempos."""
    numbered = [(float(i), at_s) for i, at_s in enumerate(beats_s.tolist())]
    lines = np.array(straightened(numbered, _LOOSE_S)) if numbered else np.zeros((1, 2))
    straight: FloatArray = np.interp(np.arange(len(beats_s)), *lines.T)
    return straight


def _beats_per_bar(settings: dict[str, Any]) -> int:
    bars = settings.get("beats_per_bar")
    return bars if isinstance(bars, int) and bars > 0 else _BEATS_PER_BAR


def _kept(journal: Journal) -> Iterator[tuple[wire.KeepTime, float, float]]:
    """The beats that no clock gave, and from when until when they were these."""
    since: tuple[wire.KeepTime, float] | None = None
    for entry in journal.entries:
        time = entry.message
        if not isinstance(time, wire.KeepTime) or (since is not None and _same_beats(since[0], time)):
            continue
        if since is not None:
            yield *since, entry.now_s
        since = None if time.source or time.beat_s == 0 else (time, entry.now_s)
    if since is not None:
        yield *since, journal.end_s


def _same_beats(one: wire.KeepTime, other: wire.KeepTime) -> bool:
    if (one.beat_s, one.beats_per_bar, one.source) != (other.beat_s, other.beats_per_bar, other.source):
        return False
    bars = (other.origin_s - one.origin_s) / (one.beat_s * one.beats_per_bar)
    return abs(bars - round(bars)) < _SAME_BARS


def _between(song: SongBeats, others: Iterable[SongBeats]) -> Iterator[SongBeats]:
    """What is left of a song where others go on."""
    from_s = song.start_s
    for other in others:
        if other.end_s > from_s and other.start_s < song.end_s:
            part = song.cut(from_s, other.start_s)
            if part is not None:
                yield part
            from_s = other.end_s
    rest = song.cut(from_s, song.end_s + 1.0)
    if rest is not None:
        yield rest
