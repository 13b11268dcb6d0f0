"""The sound of a session, made while its journal grows."""

from __future__ import annotations

import contextlib
import heapq
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Self

from improv_daemon.journal import Entry, Header
from improv_daemon.keeper.options import KeepOptions
from improv_daemon.keeper.sounding import Sounding, Told
from improv_daemon.rendering import TAIL_S, GrowingFile, Levels, RenderOptions, Tags, VoiceChoice
from improv_daemon.whole_files import become

LATE_S: Final = 0.005
"""What is told later than this after its time was rendered is out of place."""


class GrowingSound:
    """A sound file that grows beside its final name, ``session.part.mp3``, and is playable at any time.

    Args:
        path: Its final name; nothing is there yet.
        header: Of the journal.
        options: Format and voice.
        hurried: Whether a second core may be used.

    Raises:
        SoundError: There is no instrument or encoder.
        StorageError: The file cannot be written.
    """

    def __init__(self, path: Path, header: Header, options: KeepOptions, *, hurried: bool = False) -> None:
        self._path, self._part = path, part_of(path)
        self._part.unlink(missing_ok=True)
        self._sounding = Sounding(header.now_s)
        self._start_s = header.now_s
        self._waiting: list[tuple[float, int, Told]] = []
        self._count = 0
        self._done_s = self._last_s = 0.0
        self.is_true = True
        """Whether everything stands where it was played."""
        self._file = _grower(self._part, header, options, hurried)
        self._queue(self._sounding.begin())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """What was not finished is left out."""
        self.abandon()

    @property
    def notes(self) -> int:
        """How many notes there are."""
        return self._sounding.notes

    def take(self, entries: Iterable[Entry]) -> None:
        """What the journal has more of."""
        for entry in entries:
            self._queue(self._sounding.take(entry))

    def advance(self, to_s: float, most_s: float = math.inf) -> None:
        """Make the sound up to then, but no further than something is known to happen.

        Silence is made when something follows it, since nobody wants to hear it at the end.

        Args:
            to_s: Monotonic seconds.
            most_s: No more than this is made now.

        Raises:
            StorageError: It cannot be written.
        """
        self._render(min(to_s - self._start_s, self._last_s, self._done_s + most_s))

    def finish(self, end_s: float) -> Levels:
        """Make the rest, let it ring out, and give the file its name.

        Args:
            end_s: When the session ended (monotonic).

        Raises:
            StorageError: It cannot be written; nothing is left of it then.
        """
        self._queue(self._sounding.end(end_s))
        self._render(self._last_s)
        levels = self._file.finish(TAIL_S)
        become(self._part, self._path)
        return levels

    def abandon(self) -> None:
        """Leave it, and nothing of it; harmless when it is finished."""
        self._file.close()
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)

    def _queue(self, messages: Iterable[Told]) -> None:
        for told in messages:
            if told.at_s < self._done_s - LATE_S:
                self.is_true = False
            self._count += 1
            self._last_s = max(self._last_s, told.at_s)
            heapq.heappush(self._waiting, (told.at_s, self._count, told))

    def _render(self, to_s: float) -> None:
        if to_s <= self._done_s:
            return
        while self._waiting and self._waiting[0][0] <= to_s:
            _, _, told = heapq.heappop(self._waiting)
            self._file.send(max(self._done_s, told.at_s), told.channel, told.data)
        self._file.advance(to_s)
        self._done_s = to_s


def part_of(path: Path) -> Path:
    """Where a file grows until it has its name."""
    return path.with_suffix(f".part{path.suffix}")


def _grower(path: Path, header: Header, options: KeepOptions, hurried: bool) -> GrowingFile:
    soundfont = Path(options.soundfont) if options.soundfont else None
    tags = Tags.of_session(header.started_at, header.model, header.seed)
    return GrowingFile(
        path,
        VoiceChoice(voice=options.voice, soundfont=soundfont, reverb=options.reverb),
        RenderOptions(bitrate_kbps=options.bitrate_kbps, tail_s=TAIL_S, tags=tags),
        hurried=hurried,
    )
