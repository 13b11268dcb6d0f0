"""The events of a Chrome trace: slices on tracks, counters, and lines that link slices."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from improv_daemon.trace_file import TraceFile

MOMENT_US: Final = 50
"""What takes no time is shown as long as this, to be seen and clicked."""


class TraceEvents:
    """Writes events to a file; quick, for it runs in the mind.

    Args:
        file: Takes them.
        tracks: Their numbers, from 1 on, and names, from top to bottom.
        begun_s: Times count from here.
    """

    def __init__(self, file: TraceFile, tracks: Mapping[int, str], begun_s: float) -> None:
        self._file, self._begun_s = file, begun_s
        self._latest = dict.fromkeys(tracks, (0, 0))
        self._lines = 0
        self._name(tracks)

    def _us(self, at_s: float) -> int:
        return round((at_s - self._begun_s) * 1e6)

    def moment(self, track: int, name: str, at_s: float, more: str = "", *, for_us: int = MOMENT_US) -> None:
        """A slice that stands for a moment.

        Args:
            track: Its number.
            name: Holds nothing that JSON would write otherwise.
            at_s: When.
            more: Fields of a JSON object, for whoever clicks it.
            for_us: So long it is.
        """
        begun_us = self._us(at_s)
        self._put(track, name, begun_us, begun_us + for_us, more)

    def slice(self, track: int, name: str, begun_s: float, ended_s: float, more: str = "") -> None:
        """A slice from one moment to another; the rest as for `moment`."""
        self._put(track, name, self._us(begun_s), self._us(ended_s), more)

    def counter(self, name: str, unit: str, value: str, at_s: float) -> None:
        """What a number is from then on."""
        self._file.put(
            f'{{"name":"{name}","ph":"C","pid":1,"ts":{self._us(at_s)},"args":{{"{unit}":{value}}}}}'
        )

    def link(self, name: str, passed: Sequence[tuple[int, float]]) -> None:
        """A line through the slices that begin at these moments: (track, when)."""
        self._lines += 1
        last = len(passed) - 1
        for place, (track, at_s) in enumerate(passed):
            kind = '"s"' if place == 0 else '"f","bp":"e"' if place == last else '"t"'
            self._file.put(
                f'{{"name":"{name}","cat":"{name}","ph":{kind},"id":{self._lines},"pid":1,"tid":{track},'
                f'"ts":{self._us(at_s)}}}'
            )

    def _put(self, track: int, name: str, begun_us: int, ended_us: int, more: str) -> None:
        # Those of a track must lie within one another or apart.
        latest_begun_us, latest_ended_us = self._latest[track]
        ended_us = max(ended_us, begun_us + 1)
        if latest_begun_us <= begun_us < latest_ended_us:
            ended_us = min(ended_us, latest_ended_us)
        else:
            if begun_us < latest_begun_us:
                ended_us = min(ended_us, latest_begun_us)
            self._latest[track] = (begun_us, ended_us)
        self._file.put(
            f'{{"name":"{name}","ph":"X","pid":1,"tid":{track},"ts":{begun_us},"dur":{ended_us - begun_us},'
            f'"args":{{{more}}}}}'
        )

    def _name(self, tracks: Mapping[int, str]) -> None:
        names: list[dict[str, Any]] = [{"name": "process_name", "args": {"name": "improv"}}]
        for track, name in tracks.items():
            names.append({"name": "thread_name", "tid": track, "args": {"name": name}})
            names.append({"name": "thread_sort_index", "tid": track, "args": {"sort_index": track}})
        names.append({"name": "begun", "args": {"monotonic_s": self._begun_s}})
        for one in names:
            self._file.put(json.dumps({"ph": "M", "pid": 1, **one}))
