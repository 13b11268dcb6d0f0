"""Files that come with improv, known by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from improv_core.errors import ConfigError
from improv_training.shipped import Shipped

MIXES = Shipped("mixes", "mix", "default")
PRESETS = Shipped("presets", "preset", "piano")


def test_a_name_is_read_from_the_package_and_a_path_from_the_disk(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('[songs]\nstyle = "pop"\n', encoding="utf-8")
    assert MIXES.read("default")["wjazzd"]["repeat"] == 2
    assert MIXES.read(str(mine)) == {"songs": {"style": "pop"}}
    first, *others = PRESETS.names()
    assert (first, others) == ("piano", sorted(others))
    assert {"piano-large", "performance-rnn"} < set(others)


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("[songs\n", encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"^There is no mix 'loud'; there is default, or name a \.toml file\.$"
    ):
        MIXES.read("loud")
    with pytest.raises(
        ConfigError,
        match=r"^There is no preset 'loud'; there are piano, frames, .*, or name a \.toml file\.$",
    ):
        PRESETS.read("loud")
    with pytest.raises(ConfigError, match=r"gone\.toml cannot be read \(No such file or directory\)\.$"):
        MIXES.read(str(tmp_path / "gone.toml"))
    with pytest.raises(ConfigError, match=r"broken\.toml is not a TOML file: "):
        MIXES.read(str(broken))
