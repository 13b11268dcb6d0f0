"""Which soundfont is used, and what is said when it is not one."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import require

from improv_core.errors import SoundError
from improv_daemon.soundfonts import find_soundfont

SOUNDFONT = b"RIFF\x00\x00\x00\x00sfbk"


def test_named_soundfont_is_used(tmp_path: Path) -> None:
    path = tmp_path / "grand.sf2"
    path.write_bytes(SOUNDFONT)
    assert find_soundfont(str(path)) == path


def test_missing_named_soundfont_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "grand.sf2"
    with pytest.raises(SoundError, match=r"grand\.sf2: there is no such soundfont"):
        find_soundfont(path)


def test_file_that_is_no_soundfont_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "grand.sf2"
    path.write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    with pytest.raises(SoundError, match=r"grand\.sf2: not a soundfont"):
        find_soundfont(path)


def test_soundfont_in_the_home_folder_is_found_when_none_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("improv_daemon.soundfonts._FIRST", ())
    monkeypatch.setattr("improv_daemon.soundfonts._FOLDERS", ("/nowhere", "~/soundfonts"))
    monkeypatch.delenv("HOMEBREW_PREFIX", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_soundfont() is None
    folder = tmp_path / "soundfonts"
    folder.mkdir()
    (folder / "a.txt").write_bytes(SOUNDFONT)
    (folder / "b.sf2").write_bytes(b"damaged")
    (folder / "c.SF3").write_bytes(SOUNDFONT)
    assert find_soundfont() == folder / "c.SF3"


def test_installed_soundfont_is_found() -> None:
    found = find_soundfont()
    require(found, "no soundfont: apt install timgm6mb-soundfont")
    assert found is not None
    assert found.suffix in (".sf2", ".sf3")
