"""What `improv play` remembers of the last minutes, and keeps when it is asked to."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from made_sessions import START_S, STARTED_AT, struck

from improv_core.errors import StorageError
from improv_daemon.journal import RecentJournal, read_journal
from improv_daemon.keeper.link import KeeperLink
from improv_daemon.remembering import Remembering, in_words
from improv_daemon.settings import Record, Settings
from improv_daemon.view import View


@pytest.fixture
def recent() -> Iterator[RecentJournal]:
    about: dict[str, Any] = {"model": "default", "seed": 1, "settings": {}}
    with RecentJournal(60.0, started_at=STARTED_AT, now_s=START_S, **about) as journal:
        journal.write_batch(struck(0, 60, 1.0), START_S + 2.0)
        journal.write_batch(struck(0, 64, 30.0), START_S + 31.0)
        yield journal


def remembering(root: Path, **record: Any) -> Remembering:
    return Remembering(Settings(record=Record(folder=str(root), audio="off", **record)))


def test_what_is_kept_has_all_its_files_when_it_is_over(tmp_path: Path, recent: RecentJournal) -> None:
    kept, out = remembering(tmp_path), io.StringIO()
    sentences = [kept.keep(recent) for _ in range(3)]
    kept.end(View(out))
    folders = sorted(tmp_path.iterdir())
    assert sentences == [f"Kept the last 31 seconds in {folder}." for folder in folders]
    assert out.getvalue().splitlines() == [f"Kept {folder}: session.mid." for folder in folders]
    for folder in folders:
        assert sorted(path.name for path in folder.iterdir()) == [
            *("journal.jsonl", "session.mid", "summary.json")
        ]
        assert len(read_journal(folder / "journal.jsonl").entries) == 4


def test_sessions_are_named_by_when_they_were_kept(tmp_path: Path, recent: RecentJournal) -> None:
    before = datetime.now().replace(microsecond=0)
    kept = remembering(tmp_path)
    kept.keep(recent)
    kept.end(View(io.StringIO()))
    (folder,) = tmp_path.iterdir()
    assert before <= datetime.strptime(folder.name, "%Y-%m-%d_%H-%M-%S") <= datetime.now()


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path, recent: RecentJournal) -> None:
    (tmp_path / "file").touch()
    kept = remembering(tmp_path / "file")
    with pytest.raises(StorageError, match="is not a folder"):
        kept.keep(recent)
    kept.end(View(out := io.StringIO()))
    assert out.getvalue() == ""


@pytest.mark.parametrize(("minutes", "span_s"), [(0, 0.0), (10, 600.0)])
def test_as_much_is_remembered_as_is_set(tmp_path: Path, minutes: int, span_s: float) -> None:
    assert remembering(tmp_path, last_minutes=minutes).span_s == span_s


@pytest.mark.parametrize(
    ("length_s", "words"),
    [(0.2, "second"), (40.4, "40 seconds"), (89.0, "89 seconds"), (95.0, "2 minutes"), (599.7, "10 minutes")],
)
def test_lengths_are_said_as_a_musician_would(length_s: float, words: str) -> None:
    assert in_words(length_s) == words


def test_ctrl_c_leaves_all_that_is_not_finished_for_later(
    tmp_path: Path, recent: RecentJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(KeeperLink, "finish", interrupted)
    kept = remembering(tmp_path)
    for _ in range(2):
        kept.keep(recent)
    kept.end(View(out := io.StringIO()))
    assert out.getvalue().splitlines() == [
        f'Stopped; the sitting is safe in {folder}, and "improv sessions recover {folder}" makes the rest.'
        for folder in sorted(tmp_path.iterdir())
    ]
