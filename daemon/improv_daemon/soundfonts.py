"""FluidSynth's library, and where a General MIDI soundfont may be found on this computer."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from improv_core.errors import SoundError

_SUFFIXES = (".sf2", ".sf3")
_FIRST = (
    "/usr/share/sounds/sf3/default-GM.sf3",
    "/usr/share/sounds/sf2/default-GM.sf2",
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/sounds/sf3/MuseScore_General.sf3",
    "/usr/share/soundfonts/default.sf2",
    "/usr/share/soundfonts/FluidR3_GM.sf2",
    "/usr/share/sounds/sf2/TimGM6mb.sf2",
)
_FOLDERS = (
    "/usr/share/sounds/sf3",
    "/usr/share/sounds/sf2",
    "/usr/share/soundfonts",
    "/usr/local/share/soundfonts",
    "/opt/homebrew/share/soundfonts",
    "/opt/homebrew/share/fluid-synth",
    "/usr/local/share/fluid-synth",
    "~/Library/Audio/Sounds/Banks",
    "~/.local/share/soundfonts",
    "~/soundfonts",
)

INSTALL_HINT = (
    'on Debian or Ubuntu "sudo apt install libfluidsynth3 fluid-soundfont-gm", '
    'on macOS "brew install fluid-synth" and a soundfont named with -o sound.soundfont=FILE.sf2'
)
"""How a musician gets FluidSynth and a soundfont; ends without a full stop."""


def load_fluidsynth() -> ModuleType:
    """The binding, with FluidSynth's library behind it.

    Raises:
        SoundError: One of the two is missing; the sentence says what to install.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # where CI is set it prints what it found
            return importlib.import_module("fluidsynth")
    except (ImportError, OSError, AttributeError):
        raise SoundError(f"FluidSynth's library is missing: {INSTALL_HINT}.") from None


def find_soundfont(setting: str | Path = "") -> Path | None:
    """The soundfont of the settings, or else the first one installed.

    Args:
        setting: The setting ``sound.soundfont``; empty means: look in the usual places.

    Returns:
        A readable soundfont file, or None when none is named and none is installed.

    Raises:
        SoundError: A soundfont is named, but there is no such file or it is not a soundfont.
    """
    if str(setting):
        path = Path(setting).expanduser()
        if not path.is_file():
            raise SoundError(
                f"{path}: there is no such soundfont; set sound.soundfont to an .sf2 or .sf3 file, "
                'or to "" to use an installed one.'
            )
        if not _is_soundfont(path):
            raise SoundError(f"{path}: not a soundfont; set sound.soundfont to an .sf2 or .sf3 file.")
        return path
    return next((path for path in _installed() if path.is_file() and _is_soundfont(path)), None)


def _installed() -> Iterable[Path]:
    yield from map(Path, _FIRST)
    prefix = os.environ.get("HOMEBREW_PREFIX")
    for folder in (*_FOLDERS, *([f"{prefix}/share/soundfonts"] if prefix else [])):
        try:
            yield from sorted(p for p in Path(folder).expanduser().iterdir() if p.suffix.lower() in _SUFFIXES)
        except (OSError, RuntimeError):  # no such folder, or no home directory
            continue


def _is_soundfont(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return False
    return head[:4] == b"RIFF" and head[8:12] == b"sfbk"
