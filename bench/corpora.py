"""The corpora beside the repository, unpacked for a measurement."""

from __future__ import annotations

import argparse
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parents[2] / "shared" / "data"
SPLITS = HERE / "splits"
NAMES = ("mutopia_keyboard", "piano_midi_de", "pianolatron_exp", "pop909_main", "wjazzd", "maestro_v2")
TRAINING = ("pianolatron_exp", "pop909_main", "piano_midi_de", "wjazzd", "mutopia_keyboard")
"""The mix that the default model was trained on."""


def add_corpora_options(parser: argparse.ArgumentParser) -> None:
    """Where held-out pieces are, and the training splits in which they must not recur."""
    parser.add_argument("--training", nargs="*", default=TRAINING, metavar="NAME", help="the training mix")
    parser.add_argument("--data", type=Path, default=HERE, help="holds a folder for each NAME")
    parser.add_argument("--splits", type=Path, default=SPLITS, help="folder of NAME.json")
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="folder for encoded corpora")


@contextmanager
def unpacked(where: Path, at_most: int | None = None, names: Sequence[str] = NAMES) -> Iterator[list[Path]]:
    """A folder for each corpus, made of the archives in ``where``.

    Args:
        where: Holds NAME.tar.xz, or NAME unpacked already.
        at_most: MIDI files of each archive.
        names: Of the corpora.
    """
    with TemporaryDirectory() as temporary:
        folders = []
        for name in names:
            archive = where / f"{name}.tar.xz"
            if (where / name).is_dir():
                folders.append(where / name)
            elif archive.is_file():
                _unpack(archive, Path(temporary), at_most)
                folders.append(Path(temporary) / name)
        yield folders


def midi_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".mid", ".midi"))


def _unpack(archive: Path, target: Path, at_most: int | None) -> None:
    found = 0
    with tarfile.open(archive, "r|xz") as packed:
        for member in packed:
            packed.extract(member, target, filter="data")
            found += member.name.lower().endswith((".mid", ".midi"))
            if found == at_most:
                return
