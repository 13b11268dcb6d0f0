"""What there is to know of a model file, for ``improv show``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from improv_core.model import Model

Facts = dict[str, Any]
"""What `facts_of` gives: JSON."""

_LSTM_GATES: Final = 4
_UNSAID: Final = "not stated"


def facts_of(model: Model, path: Path) -> Facts:
    """All that a model says of itself and can be seen in it, as JSON."""
    data, representation = path.read_bytes(), model.representation
    told = {column.name for column in (*representation.asked, *representation.columns)}
    return {
        "name": model.name,
        "file": str(path),
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "preset": model.preset,
        "representation": str(model.metadata["representation"]["kind"]),
        "predicts": {
            attribute.name: len(biases)
            for attribute, biases in zip(representation.attributes, model.heads.biases, strict=True)
        },
        "shape": model.metadata["shape"],
        "lstm_weights": _lstm_weights(model.metadata["shape"]),
        "precision": model.metadata.get("precision", "float32"),
        "window": model.window,
        "openings": len(model.metadata.get("openings", ())),
        "heeds": {
            "styles": list(model.styles) if "style" in told else [],
            "density": "density" in told,
            "tempo": model.beats and "beat_period" in told,
            "length": "left" in told,
            "roles": "part" in told,
        },
        "lacks": list(representation.lacks),
        **{
            key: model.metadata.get(key) for key in ("trained", "date", "data", "split", "licence", "figures")
        },
    }


def facts_in_lines(facts: Facts) -> Iterator[tuple[str, str]]:
    """(what, which) for a musician to read; the figures are apart, see `figure_rows`."""
    yield "model", str(facts["name"])
    size = facts["bytes"]
    size_text = f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"
    yield "file", f"{facts['file']}, {size_text}, {facts['precision']}"
    yield "sha256", str(facts["sha256"])
    yield "preset", str(facts["preset"])
    yield "representation", f"{facts['representation']}: {_predicted(facts['predicts'])}"
    yield "size", _size(facts)
    yield "memory", _memory(facts["window"])
    yield "heeds", "; ".join(_heeded(facts["heeds"])) or "the notes before, and nothing else"
    if facts["lacks"]:
        yield "knows nothing of", f"{', '.join(facts['lacks'])}; takes them from what was played last"
    if facts["openings"]:
        yield "openings", f"{facts['openings']} of training pieces, to begin from alone"
    for key in ("trained", "date", "split"):
        if facts[key]:
            yield key, _trained(facts[key]) if key == "trained" else str(facts[key])
    yield "licence", str(facts["licence"] or _UNSAID)
    yield from _data(facts["data"] or _UNSAID)
    if not facts["figures"]:
        yield "figures", _UNSAID


def figure_rows(figures: object) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The figures of a model as a table: headings, and a row for each corpus; empty where there are none."""
    if not isinstance(figures, Mapping):
        return (), []
    corpora = {name: row for name, row in figures.items() if isinstance(row, Mapping)}
    measured = list(dict.fromkeys(str(key) for row in corpora.values() for key in row))
    about = ", ".join(str(figures[key]) for key in ("unit", "split") if key in figures)
    rows = [(str(name), *(_figure(row.get(key)) for key in measured)) for name, row in corpora.items()]
    return (about, *measured), rows


def _figure(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "" if value is None else str(value)


def _lstm_weights(shape: Mapping[str, Any]) -> int | None:
    """Of one whose inputs are embedded; what others read is as wide as their vocabulary."""
    hidden, layers, inputs = (int(shape[key]) for key in ("hidden", "layers", "inputs"))
    if not inputs:
        return None
    read = inputs + (layers - 1) * hidden
    return _LSTM_GATES * hidden * (read + layers * (hidden + 2))


def _predicted(predicts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({classes:,})" if classes > 1 else name for name, classes in predicts.items())


def _size(facts: Facts) -> str:
    shape, weights = facts["shape"], facts["lstm_weights"]
    layers = f"LSTM, {shape['layers']} layer{'' if shape['layers'] == 1 else 's'} of {shape['hidden']}"
    if weights is None:
        return layers
    return (
        f"{layers} ({weights / 1e6:.1f} M weights)" if weights >= 1e5 else f"{layers} ({weights:,} weights)"
    )


def _memory(window: int | None) -> str:
    return "carried on from note to note" if window is None else f"the latest {window} steps"


def _heeded(heeds: Mapping[str, Any]) -> Iterator[str]:
    if heeds["styles"]:
        yield f"style ({', '.join(heeds['styles'])})"
    if heeds["density"]:
        yield "density"
    if heeds["tempo"]:
        yield "tempo and beat"
    if heeds["length"]:
        yield "how much is left of the answer"
    if heeds["roles"]:
        yield "who plays"


def _trained(trained: object) -> str:
    if not isinstance(trained, Mapping):
        return str(trained)
    return ", ".join(f"{value:,} {key}" for key, value in trained.items())


def _data(data: object) -> Iterator[tuple[str, str]]:
    """A line for each corpus that is described as the default model's are, else what is there."""
    for corpus in data if isinstance(data, list) else [data]:
        if isinstance(corpus, Mapping):
            parts = [str(corpus[key]) for key in ("what", "licence", "attribution") if corpus.get(key)]
            yield "data", f"{corpus.get('name', '')}: {'; '.join(parts)}" if parts else json.dumps(corpus)
        else:
            yield "data", str(corpus)
