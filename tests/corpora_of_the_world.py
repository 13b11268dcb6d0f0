"""Samples of the corpora beside the repository, for the tests that compare readers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from maestro import CORPORA

CORPUS_NAMES = ("mutopia_keyboard", "piano_midi_de", "pianolatron_exp", "pop909_main", "wjazzd", "maestro_v2")
_STEP = 9


def members_of(name: str, at_most: int) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of every ninth of a corpus' first files; the test that asks is skipped without it."""
    from improv_training.corpora.archives import Archive

    path = CORPORA / f"{name}.tar.xz"
    if not path.is_file():
        pytest.skip(f"no {name}.tar.xz in ../shared/data")
    for member in itertools.islice(Archive(path).members(), 0, _STEP * at_most, _STEP):
        assert isinstance(member.content, bytes)
        yield member.label, member.content
