from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tiny_corpora import random_performance, random_pieces, scale, write_corpus

from improv_core.errors import DataError
from improv_core.midi_files import Track, read_performance, write_midi
from improv_core.representation import encode
from improv_training.corpora.corpus import SPLITS, Corpus, open_corpus, save_corpus
from improv_training.corpora.loading import Reading, hashed_splits, load_corpus
from improv_training.mix import Ingredient, Mix


def load(folder: Path, splits: Path | None = None) -> Corpus:
    return load_corpus(folder, splits, folder.parent / "cache")


def write_splits(path: Path, splits: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(splits), encoding="utf-8")
    return path


def test_pieces_of_every_depth_hold_the_notes_of_their_files(tmp_path: Path) -> None:
    pieces = {"a.mid": random_performance(30, seed=1), "deep/er/b.midi": random_performance(20, seed=2)}
    corpus = load(write_corpus(tmp_path / "songs", pieces))
    assert corpus.name == "songs"
    assert corpus.files == ("a.mid", "deep/er/b.midi")
    for index, name in enumerate(pieces):
        expected = encode(read_performance(tmp_path / "songs" / name))
        piece = corpus.piece(index)
        for field in ("dt_ms", "pedal", "pitch", "velocity", "duration_ms"):
            np.testing.assert_array_equal(getattr(piece, field), getattr(expected, field))


def test_counts_and_hours_are_those_of_the_split(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "songs", {"a.mid": scale(9), "b.mid": scale(17)})
    splits = write_splits(tmp_path / "s.json", {"a.mid": "train", "b.mid": "test"})
    corpus = load(folder, splits)
    assert [corpus.note_count(split) for split in ("train", "validation", "test")] == [9, 0, 17]
    assert corpus.hours("test") == pytest.approx(16 * 0.25 / 3600, rel=1e-3)


def test_a_split_file_is_honoured_and_files_it_does_not_name_are_left_out(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "songs", {name: scale(8) for name in ("a.mid", "b.mid", "c.mid")})
    splits = write_splits(tmp_path / "s.json", {"a.mid": "test", "c.mid": "train", "gone.mid": "train"})
    corpus = load(folder, splits)
    assert dict(zip(corpus.files, corpus.split, strict=True)) == {
        "a.mid": "test",
        "b.mid": "left out",
        "c.mid": "train",
    }
    assert [corpus.note_count(split) for split in SPLITS] == [8, 0, 8]
    assert [len(list(corpus.pieces(split))) for split in SPLITS] == [1, 0, 1]


def test_a_folder_of_split_files_is_looked_up_by_corpus_and_a_corpus_without_one_is_for_training(
    tmp_path: Path,
) -> None:
    named = write_corpus(tmp_path / "named", {"a.mid": scale(8)})
    other = write_corpus(tmp_path / "other", {"a.mid": scale(8)})
    splits = write_splits(tmp_path / "splits" / "named.json", {"a.mid": "validation"}).parent
    assert load(named, splits).split == ("validation",)
    assert load(other, splits).split == ("train",)


def test_the_hashed_split_of_a_file_never_changes() -> None:
    files = [f"{i}.mid" for i in range(1000)]
    chosen = hashed_splits(files)
    assert [name for name in files if chosen[name] == "validation"][:3] == ["5.mid", "9.mid", "28.mid"]
    assert [name for name in files if chosen[name] == "test"][:3] == ["19.mid", "23.mid", "54.mid"]
    counts = [list(chosen.values()).count(split) for split in ("train", "validation", "test")]
    assert counts == [892, 50, 58]


def test_the_hashed_split_of_a_file_does_not_depend_on_the_others() -> None:
    files = [f"{i}.mid" for i in range(1000)]
    chosen = hashed_splits(files)
    assert hashed_splits(files[:300:-1]) == {name: chosen[name] for name in files[301:]}


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, ["train"]), (2, ["train", "validation"]), (3, ["test", "train", "validation"])],
)
def test_a_small_folder_gets_validation_and_test_pieces_too(count: int, expected: list[str]) -> None:
    chosen = hashed_splits([f"{name}.mid" for name in "abc"[:count]])
    assert sorted(chosen.values()) == expected


def test_damaged_files_are_skipped_and_named(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "songs", random_pieces(3))
    (folder / "broken.mid").write_bytes(b"MThd\x00\x00\x00\x06\x00\x01")
    (folder / "noise.mid").write_bytes(b"not midi at all")
    corpus = load(folder)
    assert corpus.files == ("00.mid", "01.mid", "02.mid")
    assert len(corpus.skipped) == 2
    assert corpus.skipped[0].startswith(f"{folder / 'broken.mid'} is damaged")
    assert corpus.skipped[1] == f"{folder / 'noise.mid'} is not a MIDI file."
    assert load(folder).skipped == corpus.skipped


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ('{"a.mid": "exam"}', "must map paths to train, validation or test."),
        ('{"a.mid": ["train"]}', "must map paths to train, validation or test."),
        ("[]", "must map paths to train, validation or test."),
        ("{", "is not a readable split file"),
        ('{"z.mid": "train"}', "names no file of"),
    ],
)
def test_a_split_file_that_cannot_be_used_is_an_error(tmp_path: Path, splits: str, message: str) -> None:
    folder = write_corpus(tmp_path / "songs", {"a.mid": scale(8)})
    path = tmp_path / "s.json"
    path.write_text(splits, encoding="utf-8")
    with pytest.raises(DataError) as error:
        load(folder, path)
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_a_missing_split_file_is_an_error(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "songs", {"a.mid": scale(8)})
    with pytest.raises(
        DataError, match=r"s\.json is not a readable split file \(No such file or directory\)"
    ):
        load(folder, tmp_path / "s.json")


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="songs is not a folder; name a folder of MIDI files or an archive of"
    ):
        load(tmp_path / "songs")


def test_an_archive_is_read_as_the_folder_that_it_would_unpack_to(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "songs", {"deep/a.mid": scale(8), "b.mid": scale(9)})
    splits = write_splits(tmp_path / "splits" / "songs.json", {"deep/a.mid": "test", "b.mid": "train"}).parent
    with zipfile.ZipFile(tmp_path / "songs.zip", "w") as archive:
        for name in ("deep/a.mid", "b.mid"):
            archive.write(folder / name, f"songs/{name}")
    packed = load_corpus(tmp_path / "songs.zip", splits, tmp_path / "cache")
    assert (packed.name, packed.files, packed.split) == ("songs", ("deep/a.mid", "b.mid"), ("test", "train"))


def test_a_piece_knows_its_voices_its_beats_and_what_the_mix_says_of_its_corpus(tmp_path: Path) -> None:
    (tmp_path / "songs").mkdir()
    write_midi(tmp_path / "songs" / "a.mid", [Track("right", scale(3)), Track("left", scale(2), channel=1)])
    mix = Mix({"songs": Ingredient("pop", beats="ticks")})
    setting = load_corpus(tmp_path / "songs", None, tmp_path / "cache", Reading(mix=mix)).piece(0).setting
    assert setting is not None
    assert setting.style == "pop"
    assert setting.voice.tolist() == [0, 0, 0]
    assert setting.beat_ticks.tolist() == [0, 240, 480]
    assert setting.beat_ms.tolist() == [500, 500, 500]
    setting = load(tmp_path / "songs").piece(0).setting
    assert setting is not None
    assert (setting.style, setting.beat_ms.tolist()) == (None, [0, 0, 0])


def test_annotations_are_not_looked_for_in_an_archive(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "songs", {"a.mid": scale(8)})
    with zipfile.ZipFile(tmp_path / "songs.zip", "w") as archive:
        archive.write(folder / "a.mid", "a.mid")
    mix = Mix({"songs": Ingredient(beats="annotations")})
    with pytest.raises(DataError) as error:
        load_corpus(tmp_path / "songs.zip", None, tmp_path / "cache", Reading(mix=mix))
    assert str(error.value) == (
        f"{tmp_path / 'songs.zip'} is an archive, and annotations of beats are read beside the files of a "
        "folder: unpack it, and name the folder."
    )


def test_a_corpus_goes_to_another_machine_as_two_files(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "songs", random_pieces(5))
    mix = Mix({"songs": Ingredient("jazz line", beats="ticks")})
    corpus = load_corpus(folder, None, tmp_path / "cache", Reading(mix=mix))
    index = save_corpus(corpus, tmp_path / "there")
    assert sorted(path.suffix for path in index.parent.iterdir()) == [".json", ".npy"]
    opened = open_corpus(index)
    assert (opened.name, opened.files, opened.split) == (corpus.name, corpus.files, corpus.split)
    assert opened.style == "jazz line"
    np.testing.assert_array_equal(opened.rows, corpus.rows)
    np.testing.assert_array_equal(opened.offsets, corpus.offsets)


def test_encoded_corpora_are_opened_without_any_library_that_reads_midi(tmp_path: Path) -> None:
    index = save_corpus(load(write_corpus(tmp_path / "songs", {"a.mid": scale(8)})), tmp_path / "there")
    program = (
        "import sys; from pathlib import Path; from improv_training.corpora.corpus import open_corpus;"
        f"print(len(open_corpus(Path({str(index)!r})).rows), {{'mido', 'pretty_midi'}} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "8 set()\n"


@pytest.mark.parametrize("content", ["", "[]", '{"improv_encoding": 4}'])
def test_what_is_no_encoded_corpus_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "songs.json").write_text(content)
    with pytest.raises(DataError, match=r"songs\.json is no encoded corpus of this improv, or is damaged"):
        open_corpus(tmp_path / "songs.json")


def test_a_corpus_of_a_style_that_nobody_knows_is_an_error(tmp_path: Path) -> None:
    index = save_corpus(load(write_corpus(tmp_path / "songs", {"a.mid": scale(8)})), tmp_path / "there")
    index.write_text(json.dumps(json.loads(index.read_text()) | {"style": "salsa"}))
    with pytest.raises(DataError) as error:
        open_corpus(index)
    assert str(error.value) == (
        f"{index} has the style 'salsa', which is none of classical, roll era, pop, jazz line."
    )


# --- recorded sessions ----------------------------------------------------------------------------


def write_session(path: Path, player: int, improv: int) -> None:
    path.parent.mkdir(exist_ok=True)
    write_midi(path, [Track("player", scale(player)), Track("improv", scale(improv), channel=1)])


def test_of_a_recorded_session_the_players_part_is_read(tmp_path: Path) -> None:
    write_session(tmp_path / "evenings" / "a.mid", player=12, improv=30)
    (tmp_path / "evenings" / "a.jsonl").write_text('{"improv_journal": 1}\n')
    corpus = load(tmp_path / "evenings")
    assert (corpus.files, len(corpus.rows), corpus.skipped) == (("a.mid",), 12, ())


def test_a_session_is_a_folder_of_its_own(tmp_path: Path) -> None:
    for name in ("monday", "tuesday"):
        session = tmp_path / "evenings" / name
        session.mkdir(parents=True)
        (session / "journal.jsonl").write_text('{"improv_journal": 1}\n')
    write_session(tmp_path / "evenings" / "monday" / "session.mid", player=12, improv=30)
    tuesday = tmp_path / "evenings" / "tuesday"
    corpus = load(tmp_path / "evenings")
    assert (corpus.files, len(corpus.rows)) == (("monday/session.mid",), 12)
    assert corpus.skipped == (
        f"{tuesday / 'journal.jsonl'} is a session without its MIDI file; make it with: "
        f"improv sessions recover {tuesday}",
    )


def test_sessions_of_the_same_second_are_pieces_of_their_own(tmp_path: Path) -> None:
    names = ("2026-01-02_03-04-05", "2026-01-02_03-04-05-2", "2026-01-02_03-04-05-3")
    for number, name in enumerate(names):
        session = tmp_path / "evenings" / name
        session.mkdir(parents=True)
        (session / "journal.jsonl").write_text('{"improv_journal": 1}\n')
        (session / "session.part.mp3").touch()
        (session / ".session.mid.part").touch()
        write_session(session / "session.mid", player=10 + number, improv=30)
    corpus = load(tmp_path / "evenings")
    assert sorted(corpus.files) == sorted(f"{name}/session.mid" for name in names)
    assert sorted(corpus.split) == ["test", "train", "validation"]
    assert (len(corpus.rows), corpus.skipped) == (10 + 11 + 12, ())


def test_a_session_in_which_only_improv_played_is_skipped(tmp_path: Path) -> None:
    write_session(tmp_path / "evenings" / "a.mid", player=12, improv=30)
    write_session(tmp_path / "evenings" / "b.mid", player=0, improv=30)
    corpus = load(tmp_path / "evenings")
    sentence = f"{tmp_path / 'evenings' / 'b.mid'} holds nothing that a player played, only improv's part."
    assert corpus.skipped == (sentence,)


def test_a_journal_without_its_midi_file_is_named_with_what_makes_it(tmp_path: Path) -> None:
    write_session(tmp_path / "evenings" / "a.mid", player=12, improv=30)
    journal = tmp_path / "evenings" / "b.jsonl"
    journal.write_text('{"improv_journal": 1}\n')
    (tmp_path / "evenings" / "other.jsonl").write_text('{"some": "json"}\n')
    sentence = f"{journal} is a session without its MIDI file; make it with: improv render {journal}"
    assert load(tmp_path / "evenings").skipped == (sentence,)


def test_a_folder_of_nothing_but_journals_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "evenings").mkdir()
    (tmp_path / "evenings" / "a.jsonl").write_text('{"improv_journal": 1}\n')
    with pytest.raises(DataError, match="is a session without its MIDI file; make it with: improv render"):
        load(tmp_path / "evenings")
