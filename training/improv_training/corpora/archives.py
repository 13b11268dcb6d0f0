"""MIDI files in zip and tar archives, read from memory: nothing is ever unpacked to disk.

An archive is a stranger's: names that lead out of it, links, locked members and members that are too large
are left out, each with a sentence, and what unpacks to more than `LARGEST_ARCHIVE` is refused.
"""

from __future__ import annotations

import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from improv_core.errors import DataError
from improv_training.corpora.sources import LARGEST_FILE, Member, is_midi, too_large

LARGEST_ARCHIVE = 16 << 30
"""Bytes that an archive may unpack to."""

_LARGEST_HEADER = 1 << 20
"""Between two members of a tar archive; its names and comments are read into memory."""

_ZIP_SUFFIXES = (".zip",)
_TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz")
_DAMAGE = (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile)
_ENCRYPTED = 0x1


def is_archive(path: Path) -> bool:
    """Whether a file's name is that of an archive that can be read."""
    return path.is_file() and path.name.lower().endswith(_ZIP_SUFFIXES + _TAR_SUFFIXES)


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip or tar archive, compressed or not.

    A top folder of the archive's own name counts for nothing: the files of songs.zip are called the same
    whether it holds them in a folder songs or not.
    """

    path: Path

    @property
    def name(self) -> str:
        """Its file name without .zip, .tar.gz and the like."""
        suffixes = sorted(_ZIP_SUFFIXES + _TAR_SUFFIXES, key=len, reverse=True)
        suffix = next(one for one in suffixes if self.path.name.lower().endswith(one))
        return self.path.name[: -len(suffix)]

    @property
    def state(self) -> str:
        """What changes when the archive does."""
        found = self.path.stat()
        return f"{found.st_size} {found.st_mtime_ns}"

    def members(self) -> Iterator[Member]:
        """Every MIDI file in it, in its order.

        Raises:
            DataError: It is damaged, or unpacks to too much.
        """
        is_zip = self.path.name.lower().endswith(_ZIP_SUFFIXES)
        try:
            yield from self._without_doubles(_zip_members(self.path) if is_zip else _tar_members(self.path))
        except PermissionError as error:
            raise DataError(f"{self.path} cannot be read ({error.strerror}).") from error
        except _DAMAGE as error:
            raise DataError(
                f"{self.path} is damaged and cannot be unpacked; copy or download it again."
            ) from error

    def _without_doubles(self, members: Iterator[Member]) -> Iterator[Member]:
        seen: set[str] = set()
        for member in members:
            name = PurePosixPath(member.name).as_posix().removeprefix(f"{self.name}/")
            label = f"{name} in {self.path}"
            content = member.content
            if isinstance(content, str):
                content = f"{label} {content}"
            elif not _is_inside(member.name):
                content = f"{label} is left out, as its name leads out of the archive."
            elif name in seen:
                content = f"{label} is left out, as there is another of its name."
            seen.add(name)
            yield Member(name, label, content, member.done, member.total)


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not (path.is_absolute() or ".." in path.parts or "\\" in name or ":" in path.parts[0])


def _is_wanted(name: str) -> bool:
    # Archives made on a Mac hold a file of attributes beside each file, under the same suffix.
    return is_midi(name) and not PurePosixPath(name).name.startswith("._")


def _zip_members(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        wanted = [info for info in archive.infolist() if _is_wanted(info.filename) and not info.is_dir()]
        unpacked = 0
        for done, info in enumerate(wanted, start=1):
            content = _zip_content(archive, info)
            unpacked += len(content)
            _check_total(path, unpacked)
            yield Member(info.filename, "", content, done, len(wanted))


def _zip_content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | str:
    """The bytes of a member, or why it is left out."""
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is left out, as it is a link."
    if info.flag_bits & _ENCRYPTED:
        return "is left out, as it is locked with a password."
    if info.file_size > LARGEST_FILE:
        return too_large(info.file_size)
    try:
        with archive.open(info) as file:
            content = file.read(LARGEST_FILE + 1)
    except (*_DAMAGE, NotImplementedError, RuntimeError):
        return "is damaged and cannot be unpacked."
    return content if len(content) <= LARGEST_FILE else too_large(len(content))


class _Readable(Protocol):
    """What gives bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """As of any file."""


class _Bounded:
    """A stream that gives no more than it is told to, so that no header fills the memory."""

    def __init__(self, stream: _Readable, path: Path) -> None:
        self._stream, self._path = stream, path
        self.position, self.end = 0, 0

    def read(self, size: int = -1) -> bytes:
        """As of any file."""
        if self.position >= self.end:
            raise tarfile.ReadError("a header that is far too large")
        data = self._stream.read(size)
        self.position += len(data)
        _check_total(self._path, self.position)
        return data


def _tar_members(path: Path) -> Iterator[Member]:
    total = path.stat().st_size
    with path.open("rb") as packed, _unpacking(path, packed) as stream:
        bounded = _Bounded(stream, path)
        bounded.end = _LARGEST_HEADER
        # The annotations of tarfile want a whole file where reading is all that it does.
        with tarfile.open(fileobj=bounded, mode="r|") as archive:  # type: ignore[call-overload]
            while (member := archive.next()) is not None:
                _check_total(path, archive.offset)
                bounded.end = archive.offset + _LARGEST_HEADER
                if _is_wanted(member.name) and not member.isdir():
                    yield Member(member.name, "", _tar_content(archive, member), packed.tell(), total)
                archive.members = []  # it keeps every header that it has read


def _tar_content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes | str:
    if member.issym() or member.islnk():
        return "is left out, as it is a link."
    if not member.isreg() or member.issparse():
        return "is left out, as it is no plain file."
    if member.size > LARGEST_FILE:
        return too_large(member.size)
    file = archive.extractfile(member)
    return b"" if file is None else file.read()


@contextmanager
def _unpacking(path: Path, packed: IO[bytes]) -> Iterator[_Readable]:
    name = path.name.lower()
    if name.endswith((".gz", ".tgz")):
        with gzip.open(packed) as unpacked:
            yield unpacked
    elif name.endswith((".xz", ".txz")):
        with lzma.open(packed) as unpacked:
            yield unpacked
    else:
        yield packed


def _check_total(path: Path, unpacked: int) -> None:
    if unpacked > LARGEST_ARCHIVE:
        raise DataError(
            f"{path} unpacks to more than {LARGEST_ARCHIVE >> 30} GB; if you trust it, unpack it yourself "
            "and name the folder."
        )
