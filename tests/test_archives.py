from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from tiny_corpora import midi_bytes

from improv_core.errors import DataError
from improv_training.corpora import archives, sources
from improv_training.corpora.archives import Archive, is_archive

SONG = midi_bytes(b"\x00\x90\x3c\x40\x60\x80\x3c\x40\x00\xff\x2f\x00")
NAMES = ("songs.zip", "songs.tar", "songs.tar.gz", "songs.tgz", "songs.tar.xz", "songs.txz")


def pack(path: Path, members: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return path
    compression = {".gz": "gz", ".tgz": "gz", ".xz": "xz", ".txz": "xz"}.get(path.suffix, "")
    with tarfile.open(path, f"w:{compression}") as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def read(path: Path) -> dict[str, object]:
    return {member.name: member.content for member in Archive(path).members()}


@pytest.mark.parametrize("name", NAMES)
def test_midi_files_of_every_depth_are_read_and_nothing_else(tmp_path: Path, name: str) -> None:
    files = {"b.mid": SONG, "deep/er/a.MIDI": SONG + b"!", "notes.txt": b"text", "__MACOSX/._b.mid": b"mac"}
    path = pack(tmp_path / name, files)
    assert is_archive(path)
    assert Archive(path).name == "songs"
    assert read(path) == {"b.mid": SONG, "deep/er/a.MIDI": SONG + b"!"}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["songs.zip", "songs.tar.xz"])
def test_a_top_folder_of_the_archives_name_counts_for_nothing(tmp_path: Path, name: str) -> None:
    path = pack(tmp_path / name, {"songs/a.mid": SONG, "other/b.mid": SONG, "./songs/c.mid": SONG})
    assert list(read(path)) == ["a.mid", "other/b.mid", "c.mid"]


@pytest.mark.parametrize("name", ["songs.zip", "songs.tar"])
def test_how_far_reading_is_ends_at_all_there_is(tmp_path: Path, name: str) -> None:
    members = list(Archive(pack(tmp_path / name, {"a.mid": SONG, "b.mid": SONG})).members())
    assert [0 < member.done <= member.total for member in members] == [True, True]
    assert members[-1].done == members[-1].total


@pytest.mark.parametrize("name", ["songs.zip", "songs.tar"])
@pytest.mark.parametrize("member", ["../a.mid", "x/../../a.mid", "/etc/a.mid", "C:/a.mid", "x\\..\\a.mid"])
def test_a_name_that_leads_out_of_the_archive_is_left_out(tmp_path: Path, name: str, member: str) -> None:
    path = pack(tmp_path / name, {member: SONG, "good.mid": SONG})
    (content, good) = read(path).values()
    assert isinstance(content, str)
    assert content.endswith(f"in {path} is left out, as its name leads out of the archive.")
    assert good == SONG
    assert not (tmp_path.parent / "a.mid").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_of_a_tar_archive_are_left_out(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "songs.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("link.mid")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    assert read(path) == {"link.mid": f"link.mid in {path} is left out, as it is a link."}


def test_links_of_a_zip_archive_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "songs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("link.mid")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert read(path) == {"link.mid": f"link.mid in {path} is left out, as it is a link."}


def test_devices_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "songs.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("device.mid")
        info.type = tarfile.CHRTYPE
        archive.addfile(info)
    assert read(path) == {"device.mid": f"device.mid in {path} is left out, as it is no plain file."}


def test_a_locked_member_is_left_out(tmp_path: Path) -> None:
    path = pack(tmp_path / "songs.zip", {"a.mid": SONG})
    content = bytearray(path.read_bytes())
    content[6] |= 1  # in the member's own header
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and in the archive's list
    path.write_bytes(content)
    assert read(path) == {"a.mid": f"a.mid in {path} is left out, as it is locked with a password."}


@pytest.mark.parametrize("name", ["songs.zip", "songs.tar.gz"])
def test_a_member_that_is_too_large_is_left_out(tmp_path: Path, name: str) -> None:
    path = pack(tmp_path / name, {"bomb.mid": bytes(sources.LARGEST_FILE + 1), "good.mid": SONG})
    assert read(path) == {
        "bomb.mid": f"bomb.mid in {path} is left out: no MIDI file of music has 8 MB, the limit is 8.",
        "good.mid": SONG,
    }


def test_a_member_that_understates_its_size_is_left_out(tmp_path: Path) -> None:
    path = pack(tmp_path / "songs.zip", {"a.mid": bytes(5000)})
    content = bytearray(path.read_bytes())
    for at in (22, content.index(b"PK\x01\x02") + 24):
        content[at : at + 4] = (7).to_bytes(4, "little")
    path.write_bytes(content)
    assert read(path) == {"a.mid": f"a.mid in {path} is damaged and cannot be unpacked."}


@pytest.mark.parametrize("name", ["songs.zip", "songs.tar.gz"])
def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "LARGEST_ARCHIVE", 1 << 20)
    path = pack(tmp_path / name, {f"{i}.mid": bytes(600_000) for i in range(2)})
    with pytest.raises(DataError, match=r"songs\.\S+ unpacks to more than 0 GB; if you trust it, unpack it"):
        read(path)


def test_what_is_no_midi_counts_among_what_an_archive_unpacks_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "LARGEST_ARCHIVE", 1 << 20)
    path = pack(tmp_path / "songs.tar.gz", {"film.avi": bytes(2_000_000), "a.mid": SONG})
    with pytest.raises(DataError, match="unpacks to more than"):
        read(path)


def test_a_header_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "songs.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a.mid")
        info.pax_headers = {"comment": "x" * (8 << 20)}
        archive.addfile(info)
    with pytest.raises(DataError, match=r"songs\.tar\.gz is damaged and cannot be unpacked"):
        read(path)


@pytest.mark.parametrize("name", ["songs.zip", "songs.tar"])
def test_of_two_members_of_one_name_the_first_is_read(tmp_path: Path, name: str) -> None:
    path = pack(tmp_path / name, {"songs/a.mid": SONG, "a.mid": b"another"})
    first, second = Archive(path).members()
    assert first.content == SONG
    assert second.content == f"a.mid in {path} is left out, as there is another of its name."


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", ["cut", "noise", "empty"])
def test_a_damaged_archive_is_one_sentence(tmp_path: Path, name: str, damage: str) -> None:
    songs = {f"{i}.mid": bytes([i]) * 3000 + bytes(range(256)) * 40 for i in range(4)}
    path = pack(tmp_path / name, songs)
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[: len(whole) * 6 // 10], "noise": b"noise" * 500, "empty": b""}[damage])
    with pytest.raises(DataError) as error:
        read(path)
    assert str(error.value) == f"{path} is damaged and cannot be unpacked; copy or download it again."


def test_a_damaged_member_of_a_zip_archive_is_left_out_and_the_others_are_read(tmp_path: Path) -> None:
    path = pack(tmp_path / "songs.zip", {"a.mid": SONG * 50, "b.mid": SONG})
    content = bytearray(path.read_bytes())
    content[45] ^= 0xFF
    path.write_bytes(content)
    assert read(path) == {"a.mid": f"a.mid in {path} is damaged and cannot be unpacked.", "b.mid": SONG}
