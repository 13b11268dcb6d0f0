"""Real human performances to play: test pieces of MAESTRO, from the folder of corpora by the repository."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

CORPORA = Path(__file__).resolve().parents[2] / "shared" / "data"
CORPUS = "maestro_v2"


def piece_of_the_test_split(folder: Path, number: int = 0) -> Path:
    """Unpack the n-th piece of the archive that the official split marks as test.

    The test that asks is skipped, strict run or not, where the corpus is not there: not everyone has it.
    """
    archive, split_file = CORPORA / f"{CORPUS}.tar.xz", CORPORA / "splits" / f"{CORPUS}.json"
    if not (archive.is_file() and split_file.is_file()):
        pytest.skip(f"no {CORPUS}.tar.xz with its split in ../shared/data")
    split: dict[str, str] = json.loads(split_file.read_text(encoding="utf-8"))
    with tarfile.open(archive, "r|xz") as members:
        of_test = (
            member for member in members if split.get(member.name.removeprefix(f"{CORPUS}/")) == "test"
        )
        for found, member in enumerate(of_test):
            if found == number:
                piece = folder / Path(member.name).name
                with members.extractfile(member) as file:  # type: ignore[union-attr]  # it is a file
                    piece.write_bytes(file.read())
                return piece
    raise LookupError(f"fewer than {number + 1} test pieces")
