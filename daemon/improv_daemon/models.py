"""Which model plays: the one that ships with improv, or a file of the musician's own."""

from __future__ import annotations

import contextlib
import hashlib
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from improv_core.errors import ModelFileError

if TYPE_CHECKING:
    from improv_core.model import Model

DEFAULT = "default"


def model_path(name: str) -> Path:
    """The file of a model setting.

    Args:
        name: ``default`` or the path of an .onnx file.

    Raises:
        ModelFileError: There is no such file.
    """
    if name == DEFAULT:
        path = Path(str(resources.files("improv_daemon") / "models" / "default.onnx"))
        if not path.is_file():
            raise ModelFileError(
                "The default model is missing from this installation; install improv again, or name "
                "a model file with --model FILE.onnx."
            )
        return path
    path = Path(name)
    with contextlib.suppress(RuntimeError):  # nobody has such a home
        path = path.expanduser()
    try:
        there = path.is_file()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read ({error.strerror or error}).") from error
    if not there:
        raise ModelFileError(
            f"There is no model file {path}; --model takes an .onnx file of improv export, or {DEFAULT!r}."
        )
    return path


def model_hash(name: str) -> str:
    """SHA-256 of the file of a model setting, in hexadecimal; it says which model it was once it is replaced.

    Raises:
        ModelFileError: There is no such file, or it cannot be read.
    """
    path = model_path(name)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read ({error.strerror or error}).") from error


def borrowing(model: Model) -> str | None:
    """A sentence that says what improv takes from the player because the model knows nothing of it, if so."""
    *others, last = model.representation.lacks or ("",)
    if not last:
        return None
    lacks, them = (f"{', '.join(others)} and {last}", "them") if others else (last, "it")
    return (
        f"The model {model.name!r} (preset {model.preset}) knows nothing of {lacks}: improv takes {them} "
        "from what was played last."
    )


def load_model(name: str) -> Model:
    """Load the model of a setting.

    Raises:
        ModelFileError: Missing, not ours, damaged, or newer than this improv.
    """
    from improv_core.model import Model

    return Model.load(model_path(name))
