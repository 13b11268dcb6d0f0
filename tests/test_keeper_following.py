"""The sound of a session that is made while it is played."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from made_sessions import START_S, struck, writer

from improv_daemon import wire
from improv_daemon.journal import JournalWriter
from improv_daemon.keeper import KeepOptions
from improv_daemon.keeper.following import MOST_S, NICENESS, Ending, aside, follow
from improv_daemon.keeper.growing import GrowingSound
from improv_daemon.sessions import SessionFolder

WAV = KeepOptions(audio="wav")
BYTES_A_SECOND = 44_100 * 4


class Sitting:
    """Is played between two looks at its journal.

    Args:
        folder: The session's.
        script: Writes what happens in between.
    """

    def __init__(
        self,
        folder: SessionFolder,
        script: Callable[[JournalWriter], Iterator[None]],
        *,
        closes: bool = True,
    ) -> None:
        self.folder = folder
        self.sizes: list[int] = []
        self._journal = writer(folder.journal)
        self._journal.__enter__()
        self._script, self._closes = script(self._journal), closes

    def __enter__(self) -> Sitting:
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.__exit__()

    def wait(self, within_s: float) -> bool:
        part = self.folder.audio(".part.wav")
        self.sizes.append(part.stat().st_size if part.exists() else 0)
        try:
            next(self._script)
        except StopIteration:
            if self._closes:
                self._journal.__exit__()
            return True
        assert self._journal.flush()
        return False

    def follow(self, options: KeepOptions = WAV) -> GrowingSound | None:
        return follow(self.folder, options, Ending(self.wait))


def note_each_second(journal: JournalWriter) -> Iterator[None]:
    for second in range(1, 7):
        journal.write_batch(struck(0, 60 + second, second - 0.6), START_S + second)
        yield


def test_sound_grows_a_little_behind_what_is_played(tmp_path: Path) -> None:
    with Sitting(SessionFolder(tmp_path), note_each_second) as sitting:
        sound = sitting.follow()
    assert sound is not None
    with sound:
        assert (sound.notes, sound.is_true) == (6, True)
        # A note that ends 0.1 s before each second; the sound ends with one, two seconds before the latest.
        assert seconds_of(sitting.sizes[3:]) == pytest.approx([0.9, 1.9, 2.9, 3.9], abs=0.15)
        sound.finish(START_S + 7.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal.jsonl", "session.wav"]


def a_note_and_then_nothing(journal: JournalWriter) -> Iterator[None]:
    """Nothing that sounds, for two minutes."""
    journal.write_batch(struck(0, 60, 1.0), START_S + 2.0)
    yield
    for second in (10.0, 70.0, 130.0):
        journal.write(wire.Counts(0, 0, 0), START_S + second)
        yield


def seconds_of(sizes: Sequence[int]) -> list[float]:
    return [size / BYTES_A_SECOND for size in sizes]


def test_silence_is_made_only_when_something_follows_it_and_little_by_little(tmp_path: Path) -> None:
    def resumed(journal: JournalWriter) -> Iterator[None]:
        yield from a_note_and_then_nothing(journal)
        journal.write_batch(struck(0, 60, 130.0), START_S + 133.0)
        yield
        yield
        yield

    with Sitting(SessionFolder(tmp_path), resumed) as sitting:
        sound = sitting.follow()
    assert sound is not None
    grown_s = seconds_of(sitting.sizes)
    assert grown_s[4] == pytest.approx(1.5, abs=0.15)
    assert grown_s[5:] == pytest.approx(
        [1.5 + MOST_S * step for step in range(1, len(grown_s[5:]) + 1)], abs=0.2
    )
    with sound:
        assert sound.is_true
        assert sound.finish(START_S + 200.0).length_s == pytest.approx(133.5, abs=0.01)


def test_what_comes_later_than_the_sound_makes_it_untrue(tmp_path: Path) -> None:
    def held_up(journal: JournalWriter) -> Iterator[None]:
        journal.write_batch(struck(0, 60, 10.0), START_S + 15.0)
        yield
        journal.write_batch(struck(0, 60, 9.0), START_S + 16.0)
        yield

    with Sitting(SessionFolder(tmp_path), held_up) as sitting:
        sound = sitting.follow()
    assert sound is not None
    with sound:
        assert not sound.is_true


def test_without_an_instrument_or_without_a_wish_for_it_it_is_only_waited_for_the_end(tmp_path: Path) -> None:
    missing = KeepOptions(audio="wav", voice="soundfont", soundfont=str(tmp_path / "none.sf2"))
    for number, options in enumerate((missing, KeepOptions(audio="off"))):
        folder = SessionFolder(tmp_path / str(number))
        folder.path.mkdir()
        with Sitting(folder, note_each_second) as sitting:
            assert sitting.follow(options) is None
        assert len(sitting.sizes) == 7
        assert [path.name for path in folder.path.iterdir()] == ["journal.jsonl"]


@contextlib.contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As on a disk that has no room for more."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_sound_that_cannot_be_written_is_given_up_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    with files_of_at_most(300_000), Sitting(SessionFolder(tmp_path), note_each_second) as sitting:
        assert sitting.follow() is None
    assert 0 < max(sitting.sizes) <= 300_000
    assert sitting.sizes[-1] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["journal.jsonl"]


def test_a_journal_that_is_not_closed_after_the_end_was_told_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("improv_daemon.keeper.following.OVER_WITHIN_S", 0.1)
    with Sitting(SessionFolder(tmp_path), note_each_second, closes=False) as sitting:
        sound = sitting.follow()
        assert sound is not None
        with sound:
            assert sound.notes == 6


def test_a_journal_that_is_over_already_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path)
    with writer(folder.journal) as journal:
        journal.write_batch(struck(0, 60, 1.0), START_S + 2.0)
        journal.write(wire.Counts(0, 0, 0), START_S + 3.0)
    sound = follow(folder, WAV, Ending(lambda within_s: True))
    assert sound is not None
    with sound:
        assert sound.notes == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a priority is the whole process's")
def test_it_is_done_with_low_priority_and_only_it() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    seen = list[int]()

    def work() -> None:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    assert aside(work) is None
    assert seen == [max(before, NICENESS)]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
