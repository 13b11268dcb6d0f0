"""Small MIDI files, corpora and checkpoints for the tests of the trainer and exporter."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path
from typing import Any

import numpy as np
from conftest import require

from improv_core.midi_files import Track, write_midi
from improv_core.notes import SUSTAIN_CONTROLLER, ControlChange, Note, Performance

TINY = ("--hidden", "16", "--layers", "1", "--width", "16", "--lanes", "2", "--chunk", "16")


def require_training_extra() -> None:
    """Skip a test, or fail it in strict runs, where torch is not installed."""
    missing = [name for name in ("torch", "lightning", "onnx") if importlib.util.find_spec(name) is None]
    require(not missing, f"no {', '.join(missing)}: pip install -e '.[train]'")


def random_performance(notes: int = 60, seed: int = 1) -> Performance:
    """Chords and single notes of random lengths with a pedal, on whole hundredths of a second."""
    rng = np.random.default_rng(seed)
    played, pedal, onset_s = [], [], 0.0
    for i in range(notes):
        onset_s += int(rng.choice([0, 0, 12, 25, 50])) / 100
        duration_s = int(rng.integers(3, 90)) / 100
        pitch = 40 + (7 * i + int(rng.integers(7))) % 49  # no chord has a pitch twice
        played.append(Note(pitch, int(rng.integers(20, 110)), onset_s, duration_s))
        if i % 7 == 0:
            pedal.append(ControlChange(SUSTAIN_CONTROLLER, 127 * int(rng.integers(2)), onset_s))
    return Performance.of(played, pedal)


def midi_bytes(*tracks: bytes, division: int = 96, kind: int = 1) -> bytes:
    """A file of tracks that are written by hand."""
    header = b"MThd" + struct.pack(">LhhH", 6, kind, len(tracks), division)
    return header + b"".join(b"MTrk" + struct.pack(">L", len(track)) + track for track in tracks)


def scale(notes: int = 60) -> Performance:
    """The same eight notes over and over."""
    pitches = (60, 62, 64, 65, 67, 69, 71, 72)
    return Performance.of(Note(pitches[i % 8], 64, i * 0.25, 0.2) for i in range(notes))


def write_corpus(folder: Path, pieces: dict[str, Performance]) -> Path:
    """A folder of MIDI files."""
    for name, performance in pieces.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_midi(path, [Track("piano", performance)])
    return folder


def random_pieces(count: int = 12, notes: int = 40) -> dict[str, Performance]:
    """Pieces of different lengths."""
    return {f"{i:02}.mid": random_performance(notes + 13 * i, seed=i) for i in range(count)}


def make_corpus(
    pieces: dict[str, Performance], split: dict[str, str] | None = None, name: str = "tiny"
) -> Any:
    """A corpus in memory; what ``split`` does not name is for training."""
    from improv_core.representation import encode
    from improv_training.corpora.corpus import Corpus
    from improv_training.corpora.encoded import COLUMNS, FIELDS

    encoded = [encode(performance) for performance in pieces.values()]
    rows = []
    for notes in encoded:
        piece = np.zeros((len(notes), len(COLUMNS)), dtype=np.int32)
        piece[:, : len(FIELDS)] = np.stack([getattr(notes, field) for field in FIELDS], axis=1)
        rows.append(piece)
    return Corpus(
        name=name,
        files=tuple(pieces),
        split=tuple((split or {}).get(file, "train") for file in pieces),
        offsets=np.cumsum([0, *(len(piece) for piece in rows)]),
        rows=np.concatenate(rows),
    )


def make_network(layers: int = 2, seed: int = 0, representation: Any = None, **sizes: Any) -> Any:
    """A small untrained network with large weights, so that mistakes show."""
    import torch

    from improv_core.representation import Piano
    from improv_training.engine.network import Network
    from improv_training.shape import Shape

    torch.manual_seed(seed)
    chosen = {"inputs": 12, "hidden": 16, "layers": layers, "projected": 10, "dropout": 0.5, **sizes}
    network = Network(representation or Piano(), Shape(**chosen))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.uniform_(-0.7, 0.7)
    return network.eval()


def write_checkpoint(path: Path, network: Any, **changes: Any) -> Path:
    """What a training run leaves, of a network."""
    from dataclasses import asdict

    import torch

    from improv_training.engine.checkpoints import CHECKPOINT_VERSION
    from improv_training.plan import Plan

    plan = Plan(shape=network.shape, representation=network.representation.spec(), hours=2.0)
    stored = {
        "improv_checkpoint": CHECKPOINT_VERSION,
        "plan": asdict(plan),
        "hours": 0.5,
        "global_step": 7,
        "position": [1, 3],
        "openings": [],
        "state_dict": {f"average.module.{name}": value for name, value in network.state_dict().items()},
        **changes,
    }
    torch.save(stored, path)
    return path
