"""Reading a journal: whatever has become of it, all that is whole is there, and what is not is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import START_S, STARTED_AT, WITHIN_S, kept, make_writer, played, pulse, sounded

from improv_core.errors import StorageError
from improv_daemon import wire
from improv_daemon.journal import (
    Entry,
    Gap,
    Journal,
    WallClock,
    performances,
    read_journal,
    voices,
    what_is_missing,
)
from improv_daemon.recorder.bars import songs_of
from improv_daemon.recorder.tracks import tracks_of

NOTE = played(0x90, 60, 64, at_s=1000.5)


def journal_of_much(path: Path) -> Journal:
    """All kinds of lines, each later than the one before."""
    with make_writer(path) as journal:
        for number, message in enumerate(
            (
                played(0x90, 60, 64, at_s=1000.5),
                sounded(0, 0, 64, 1001.0),
                wire.PedalMoved(0, 127, 1001.0),
                wire.Released(0, 0, 64, 1002.0),
                *(pulse(1_004_000_000_000 + 20_000_000 * number) for number in range(5)),
                wire.SetVoice("improv", 12, 0.5, 90),
                wire.KeepTime(1000.0, 0.5, 4, 0.0, 0.0, ""),
                wire.Withhold((74,), (21,), programs=True),
                wire.Woken(),
                wire.Ready(("improv in",), (), None, ("No sound.",)),
                played(0xE0, 0, 96, at_s=1002.5),
            )
        ):
            journal.write(message, START_S + number / 4)
    return read_journal(path)


def as_older(path: Path, version: int) -> None:
    """The journal as an older improv would have written it."""
    lines = []
    for line in path.read_text().splitlines():
        fields = json.loads(line)
        del fields["crc"]
        if "improv_journal" in fields:
            fields["improv_journal"] = version
            del fields["improv_version"], fields["model_hash"]
        if "closed_at" not in fields:
            lines.append(json.dumps(fields) + "\n")
    path.write_text("".join(lines))


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty, not a session journal"),
        (b"MThd\x00\x00\x00\x06", "is not a session journal of improv"),
        (b"[1, 2]\n", "is not a session journal of improv"),
        (b'{"improv_journal": true}\n', "is not a session journal of improv"),
        (b"\xff\xfe\x00\x80\n", "is not a session journal of improv"),
        (b"[" * 200_000, "is not a session journal of improv"),
        (b"x" * 3_000_000, "is not a session journal of improv"),
        (b'{"improv_journal": 4}\n', "newer improv (journal version 4, this one reads 3); update improv"),
        (b'{"improv_journal": 1, "now_s": 3}\n', "is damaged, so the session cannot be read"),
    ],
)
def test_reader_refuses_what_is_not_a_journal(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(StorageError) as refused:
        read_journal(path)
    assert sentence in str(refused.value)
    assert str(path) in str(refused.value)


def test_reader_names_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"There is no file .*none.jsonl"):
        read_journal(tmp_path / "none.jsonl")


def test_reader_says_how_far_it_is(tmp_path: Path) -> None:
    path, shares = tmp_path / "a.jsonl", list[float]()
    with make_writer(path, settings={"padding": "x" * 600_000}) as journal:
        journal.write(NOTE, 1001.0)
    assert len(read_journal(path, shares.append).entries) == 1
    assert shares == sorted(shares)
    assert (len(shares), shares[-1]) == (3, 1.0)


def test_the_example_of_the_documentation_is_a_whole_journal(tmp_path: Path) -> None:
    text = (Path(__file__).parent.parent / "docs" / "journal.md").read_text(encoding="utf-8")
    path = tmp_path / "a.jsonl"
    path.write_text(text.partition("```jsonl\n")[2].partition("```")[0])
    journal = read_journal(path)
    assert (journal.problems, journal.closed, len(journal.entries)) == ((), True, 8)
    assert journal.header.is_whole


# --- older journals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
def test_journals_of_older_versions_are_read(tmp_path: Path, version: int) -> None:
    path = tmp_path / "a.jsonl"
    entries = journal_of_much(path).entries
    as_older(path, version)
    journal = read_journal(path)
    assert journal.entries == entries
    assert (journal.problems, journal.closed, journal.cut_short) == ((), False, None)
    assert (journal.header.model_hash, journal.header.improv_version) == ("", "")


def test_a_run_and_a_gap_of_an_older_version_are_read(tmp_path: Path) -> None:
    path = kept(tmp_path / "a.jsonl")
    as_older(path, 2)
    with path.open("ab") as file:
        file.write(b'{"run":[[0,150000],2850000],"source":"daw","from_ns":1000000000000}\n')
        file.write(b'{"lost_lines":3,"now_s":1012.0}\n')
    _, pulsed, woken, gap = read_journal(path).entries
    assert pulsed == Entry(wire.Played((0xF8,), 999.99985, "daw"), 1000.0)
    assert woken == Entry(wire.Woken(), 1000.00285)
    assert gap == Entry(Gap(3), 1012.0)


@pytest.mark.parametrize(
    "line",
    [
        b'{"kind":"Played","data":[144,60',
        b'{"kind":"Dance","now_s":1.0}',
        b'{"kind":"Quit"}',
        b'{"kind":"Quit","now_s":NaN}',
        b'{"kind":"Played","data":[144,600,3],"at_s":1.0,"source":"k","now_s":1.0}',
        b'{"kind":"Sounded","turn":0,"index":0,"pitch":60,"velocity":0,"at_s":1,"late_s":0,"now_s":1}',
        b'{"kind":"Released","turn":0,"index":0,"pitch":200,"at_s":1,"now_s":1}',
        b'{"kind":"PedalMoved","turn":0,"value":"up","at_s":1,"now_s":1}',
        b'{"kind":"SetVoice","part":"improv","program":200,"pan":0.0,"volume":0,"now_s":1}',
        b'{"kind":"KeepTime","origin_s":1,"beat_s":-1,"beats_per_bar":4,"click_from_s":1,"click_until_s":1,'
        b'"source":"","now_s":1}',
        b'{"kind":"Withhold","places":["x"],"keys":[],"programs":true,"now_s":1}',
        b'{"run":[[5,1],"x"],"source":"daw","from_ns":1}',
        b'{"run":[[5,1]],"source":null,"from_ns":1}',
        b'{"run":[5,[1,2,3]],"source":"daw","from_ns":1}',
        b'{"run":7,"source":"daw","from_ns":1}',
        b"\x00\xff\x00",
        b"7",
    ],
)
def test_damaged_lines_of_an_older_journal_are_counted_and_left_out(tmp_path: Path, line: bytes) -> None:
    path = kept(tmp_path / "a.jsonl", NOTE)
    as_older(path, 2)
    header, first, last = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join((header, line, first, line, last, b"")))
    journal = read_journal(path)
    assert [type(entry.message) for entry in journal.entries] == [wire.Played, wire.Counts]
    assert journal.problems == (
        f"2 lines of {path} could not be read and are left out (at 0:00, from 0:00 to 0:10).",
    )


# --- damage ---------------------------------------------------------------------------------------


def test_a_journal_that_is_cut_anywhere_has_all_whole_records_before_that(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    entries = journal_of_much(path).entries
    content = path.read_bytes()
    header_end = content.index(b"\n") + 1
    for size in range(header_end, len(content)):
        path.write_bytes(content[:size])
        journal = read_journal(path)
        assert journal.entries == entries[: len(journal.entries)]
        assert len(journal.entries) >= records_in(content[: content.rfind(b"\n", 0, size) + 1])
        assert (journal.damaged, journal.problems) == (0, ())
        assert journal.closed or "ends at 0:0" in str(journal.cut_short)
        assert journal.torn == (content[size - 1 : size] != b"\n")


def records_in(lines: bytes) -> int:
    """How many records whole lines hold, the header apart."""
    fields = [json.loads(line) for line in lines.splitlines()][1:]
    return sum(len(one["run"]) if "run" in one else "closed_at" not in one for one in fields)


def test_of_a_line_of_pulses_that_is_cut_the_whole_pulses_are_there(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path) as writer:
        for number in range(20):
            writer.write(pulse(1_000_000_000_000), START_S + number / 32)
    content = path.read_bytes()
    cut = content[: content.index(b"],[", len(content) // 2) + 4]
    path.write_bytes(cut)
    journal = read_journal(path)
    assert len(journal.entries) == cut.count(b"],[") > 3
    assert [entry.now_s for entry in journal.entries] == [
        START_S + number / 32 for number in range(len(journal.entries))
    ]
    assert (journal.torn, journal.problems) == (True, ())


def test_what_is_damaged_is_left_out_and_it_is_said_when_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path) as writer:
        for second in range(60, 130):
            writer.write(NOTE, START_S + second)
    lines = path.read_bytes().split(b"\n")
    for damaged in (3, 4, 60):
        lines[damaged] = lines[damaged].replace(b",60,", b",61,")
    path.write_bytes(b"\n".join(lines))
    journal = read_journal(path)
    assert [entry.now_s for entry in journal.entries] == [
        START_S + second for second in range(60, 130) if second not in (62, 63, 119)
    ]
    assert journal.problems == (
        f"3 lines of {path} could not be read and are left out (from 1:01 to 1:04, from 1:58 to 2:00).",
    )


def test_damage_at_the_very_end_is_said_with_its_time(tmp_path: Path) -> None:
    path = kept(tmp_path / "a.jsonl", NOTE)
    path.write_bytes(path.read_bytes().replace(b'"Counts"', b'"Counds"'))
    assert read_journal(path).problems == (
        f"One line of {path} could not be read and is left out (from 0:00 to 0:10).",
    )


def test_of_a_large_file_that_is_no_journal_only_the_beginning_is_read(tmp_path: Path) -> None:
    path, shares = tmp_path / "film", list[float]()
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(StorageError, match="is not a session journal of improv"):
        read_journal(path, shares.append)
    assert shares[-1] < 0.01


@pytest.mark.parametrize("lost", [b"", b"\x0b", b"\0\0\0"])
def test_lines_that_lost_the_newlines_between_them_are_all_there(tmp_path: Path, lost: bytes) -> None:
    path = tmp_path / "a.jsonl"
    entries = journal_of_much(path).entries
    path.write_bytes(path.read_bytes().replace(b"\n", lost))
    journal = read_journal(path)
    assert (journal.entries, journal.damaged, journal.header.model) == (entries, 0, "default")


def test_a_block_of_zeros_costs_what_it_covers(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    entries = journal_of_much(path).entries
    content = path.read_bytes()
    place = content.index(b'"Released"')
    path.write_bytes(content[: place - 9] + b"\0" * 30 + content[place + 21 :])
    journal = read_journal(path)
    assert journal.entries == tuple(e for e in entries if not isinstance(e.message, wire.Released))
    assert journal.damaged == 1


def test_a_journal_with_a_damaged_first_line_has_all_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    entries = journal_of_much(path).entries
    path.write_bytes(path.read_bytes().replace(b'"seed":7', b'"seed":8', 1))
    journal = read_journal(path)
    assert journal.entries == entries
    assert (journal.header.is_whole, journal.header.now_s) == (False, START_S)
    assert (journal.header.settings, journal.header.model, journal.closed) == ({}, "", True)
    assert journal.problems == (f"The first line of {path} is damaged: its settings are not known.",)


def test_when_a_journal_with_a_damaged_first_line_began_is_told_by_a_later_line(tmp_path: Path) -> None:
    path, ahead_s = tmp_path / "a.jsonl", [0.0]
    with make_writer(path, wall=lambda: ahead_s[0], clock=lambda: 0.0) as writer:
        writer.write(NOTE, 1002.0)
        assert writer.flush(WITHIN_S)
        ahead_s[0] = 100.0
        writer.write(NOTE, 1007.0)
    path.write_bytes(path.read_bytes().replace(b'"seed":7', b'"seed":8', 1))
    journal = read_journal(path)
    (told,) = (entry.message for entry in journal.entries if isinstance(entry.message, WallClock))
    assert (told.at - STARTED_AT).total_seconds() == 107.0
    assert (journal.header.started_at - STARTED_AT).total_seconds() == 102.0


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_bits_flip_all_untouched_records_are_there_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("journal") / "a.jsonl"
    entries = journal_of_much(path).entries
    content = bytearray(path.read_bytes())
    touched = set()
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        touched.add(path.read_bytes().count(b"\n", 0, place))
        content[place] ^= 1 << data.draw(st.integers(0, 7))
    whole = of_other_lines(path, touched)
    path.write_bytes(bytes(content))
    journal = read_journal(path)
    rest = iter(entries)
    assert all(entry in rest for entry in journal.entries), "something that never was, or not in its order"
    rest = iter(journal.entries)
    assert all(entry in rest for entry in whole), "something whole is lost"
    assert len(journal.entries) == len(entries) or journal.problems


def of_other_lines(path: Path, touched: set[int]) -> list[Entry]:
    """What stands in the lines that were not touched."""
    lines = path.read_bytes().splitlines(keepends=True)
    others = (line for number, line in enumerate(lines) if number == 0 or number not in touched)
    path.write_bytes(b"".join(others))
    return list(read_journal(path).entries)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_flipped_byte_of_an_older_journal_breaks_reading(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("journal") / "a.jsonl"
    journal_of_much(path)
    as_older(path, 2)
    content = bytearray(path.read_bytes())
    header_end = content.index(b"\n") + 1
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(header_end, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content))
    journal = read_journal(path)
    player, improv = performances(journal)
    assert len(player.notes) <= 1
    assert len(improv.notes) <= 1
    assert len(voices(journal)[0]) == 1
    tracks_of(journal)
    songs_of(journal, "auto", (player, improv))


# --- what is said of it ---------------------------------------------------------------------------


def test_how_a_journal_ends_is_said_by_whether_somebody_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path) as writer:
        writer.write(played(0x90, 60, 64, at_s=START_S + 2), START_S + 2)
        assert writer.flush(WITHIN_S)
        until = f"{path} is being recorded now; this is what it holds until 0:02."
        assert what_is_missing(read_journal(path)) == (until,)
    assert what_is_missing(read_journal(path)) == ()
    *whole, _ = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(whole))
    cut_short = f"{path} ends at 0:02, where improv was stopped; what came after is not known."
    assert what_is_missing(read_journal(path)) == (cut_short,)
