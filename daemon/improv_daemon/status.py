"""``improv status``: how the sittings stand that are going on on this computer.

Each running improv answers at a Unix socket of its own in the user's runtime folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import socket
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import platformdirs

from improv_daemon.screen.snapshot import Snapshot
from improv_daemon.wire import Counts

ANSWERS_WITHIN_S: Final = 1.0
_LARGEST: Final = 1 << 20
_PROBLEMS: Final = 3

Status = dict[str, Any]


def status_folder(*, make: bool = False) -> Path:
    """Where the sockets are.

    Args:
        make: Whether to make the folder.

    Raises:
        OSError: It cannot be had, or is somebody else's.
    """
    with warnings.catch_warnings(action="ignore"):  # of a system without such folders; it has another one
        return platformdirs.user_runtime_path("improv", ensure_exists=make)


def status_of(
    snapshot: Snapshot, now_s: float, *, command: str, started_at: str, counts: Counts | None = None
) -> Status:
    """A sitting as a JSON object.

    Args:
        snapshot: How it stands.
        now_s: When that is.
        command: As it was started, ``play``.
        started_at: When, in ISO form.
        counts: What the stage had to leave out, as far as it has said so.
    """
    tempo, timing = snapshot.tempo, snapshot.timing
    return {
        "pid": os.getpid(),
        "command": command,
        "started_at": started_at,
        "mode": snapshot.mode,
        "turn": snapshot.phase,
        "states": [*snapshot.states],
        "model": snapshot.model,
        "preset": snapshot.preset,
        "tempo": None
        if tempo is None
        else {
            "bpm": round(60 / tempo.beat_s, 2),
            "beats_per_bar": tempo.beats_per_bar,
            "source": tempo.source,
        },
        "inputs": [*snapshot.inputs],
        "outputs": [*snapshot.outputs],
        "sound": snapshot.sound,
        "notes_late_ms": {"median": timing.late_ms, "worst": timing.worst_ms},
        "model_ms_a_note": timing.model_ms,
        "left_out": dataclasses.asdict(counts or Counts(0, 0, 0)),
        "settings": {dial.key: dial.value for dial in snapshot.dials},
        "problems": [
            {"text": said.text, "seconds_ago": round(max(0.0, now_s - said.at_s), 1)}
            for said in snapshot.said
            if said.is_problem
        ],
    }


@contextlib.asynccontextmanager
async def answering_status(
    status: Callable[[], Status], on_trouble: Callable[[str], None], folder: Path | None = None
) -> AsyncIterator[None]:
    """Tell how things stand to whoever asks, for as long as this lasts.

    Args:
        status: How they do.
        on_trouble: Called with a sentence when it cannot be.
        folder: Of the socket; the user's runtime folder by default.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(json.dumps(status()).encode() + b"\n")
            await writer.drain()
        writer.close()

    path = Path(f"{os.getpid()}.socket")
    try:
        path = (status_folder(make=True) if folder is None else folder) / path
        path.unlink(missing_ok=True)  # of a process of this number that was killed
        server = await asyncio.start_unix_server(answer, path)
    except (OSError, NotImplementedError, AttributeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        on_trouble(f"improv status will not see this sitting: {path} cannot be made ({reason}).")
        yield
        return
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


def running(folder: Path | None = None) -> list[Status]:
    """How every sitting stands that answers; what a killed one has left is cleared away."""
    try:
        place = status_folder() if folder is None else folder
    except OSError:
        return []
    found = (_asked(path) for path in sorted(place.glob("*.socket")))
    return sorted((one for one in found if one is not None), key=lambda one: str(one["started_at"]))


def _asked(path: Path) -> Status | None:
    text = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.settimeout(ANSWERS_WITHIN_S)
        try:
            other.connect(str(path))
            while len(text) < _LARGEST and (chunk := other.recv(1 << 16)):
                text += chunk
        except ConnectionRefusedError:
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        except FileNotFoundError:  # it has ended just now
            return None
        except OSError:
            return {"pid": int(path.stem), "started_at": "", "busy": True} if path.stem.isdigit() else None
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def in_lines(statuses: Sequence[Status]) -> list[str]:
    """The same for reading."""
    lines: list[str] = []
    for number, one in enumerate(statuses):
        lines += [""] * bool(number)
        try:
            lines += _lines_of(one)
        except (KeyError, TypeError, ValueError, AttributeError):
            lines.append(
                f"improv (process {one.get('pid', '?')}) is of another version; ask that one's status."
            )
    return ["".join(sign if sign.isprintable() else "?" for sign in line) for line in lines]


def _lines_of(one: Status) -> list[str]:
    if one.get("busy"):
        return [f"improv (process {one['pid']}) does not answer just now."]
    tempo, late = one["tempo"], one["notes_late_ms"]
    states = "".join(f", {state}" for state in one["states"])
    preset = f", preset {one['preset']}" if one["preset"] else ""
    lines = [
        f"improv {one['command']} (process {one['pid']}), since {one['started_at'].replace('T', ' ')[:19]}",
        f"  mode {one['mode']}, {one['turn']}{states}; model {one['model']}{preset}",
        f"  tempo {tempo['bpm']:g} bpm ({tempo['source']})" if tempo else "  no tempo",
        f"  hears {', '.join(one['inputs']) or 'nothing yet'}",
        f"  plays {', '.join([*one['outputs'], *([one['sound']] if one['sound'] else [])]) or 'nothing yet'}",
    ]
    if late["median"] is not None:
        lines.append(f"  notes {late['median']:.1f} ms late, {late['worst']:.1f} at worst")
    if one["model_ms_a_note"] is not None:
        lines.append(f"  the model thinks {one['model_ms_a_note']:.1f} ms a note")
    lost = one["left_out"]["inputs_dropped"] + one["left_out"]["events_unsent"]
    if lost:
        lines.append(f"  {lost} messages were left out, as more came in than could be taken")
    for problem in one["problems"][-_PROBLEMS:]:
        lines.append(f"  {problem['seconds_ago']:.0f} s ago: {problem['text']}")
    return lines
