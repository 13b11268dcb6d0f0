"""What a session was in short, as it stands in ``summary.json``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from improv_core.errors import StorageError
from improv_daemon import wire
from improv_daemon.journal import InForce, Journal, performances
from improv_daemon.rendering import Levels
from improv_daemon.whole_files import whole_file

SUMMARY_VERSION: Final = 1
_VERSION_KEY: Final = "improv_session"
_CLOCK_PULSE: Final = (0xF8,)
_MODE: Final = "mode"
_TEMPO: Final = "time.tempo_bpm"
_TAP: Final = "tap"


@dataclass(frozen=True, slots=True)
class Shares:
    """Of how many each of the two had how many."""

    player: int
    improv: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What a session was.

    Attributes:
        started_at: Wall clock with its offset.
        length_s: From its start to the last that happened.
        turns: See `improv_daemon.recorder.turns`.
        notes: As they sounded.
        modes: Who played when, in the order in which they came; each once.
        model: Which model played.
        model_hash: SHA-256 of its file, empty where it was not told.
        seed: What its randomness started from.
        improv_version: Of the improv that played, empty where it was not told.
        tempo: Where the beats came from: ``clock``, ``set``, ``tapped``, or empty for nowhere.
        files: Names of what was made, in the session's folder.
        level: Of its sound, where that was measured.
        problems: Sentences about what is missing and why.
        from_the_middle: Whether it had begun before, as what is kept of the last ten minutes.
    """

    started_at: datetime
    length_s: float
    turns: Shares
    notes: Shares
    modes: tuple[str, ...]
    model: str
    model_hash: str
    seed: int
    improv_version: str
    tempo: str
    files: tuple[str, ...] = ()
    level: Levels | None = None
    problems: tuple[str, ...] = ()
    from_the_middle: bool = False

    def to_fields(self) -> dict[str, Any]:
        """As a JSON object."""
        fields = {_VERSION_KEY: SUMMARY_VERSION, **dataclasses.asdict(self)}
        fields["started_at"] = self.started_at.isoformat()
        return fields

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Summary:
        """The inverse of `to_fields`; unknown fields are ignored.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: It is none.
        """
        known = {field.name: fields[field.name] for field in dataclasses.fields(cls) if field.name in fields}
        level = known.get("level")
        return cls(
            **{
                **known,
                "started_at": datetime.fromisoformat(known["started_at"]),
                "length_s": float(known["length_s"]),
                "turns": Shares(**known["turns"]),
                "notes": Shares(**known["notes"]),
                "level": None if level is None else Levels(**level),
                **{name: tuple(map(str, known[name])) for name in ("modes", "files", "problems")},
            }
        )


def summary_of(
    journal: Journal,
    *,
    files: Iterable[Path] = (),
    level: Levels | None = None,
    problems: Iterable[str] = (),
    is_over: bool = True,
) -> Summary:
    """What a journal comes to.

    Args:
        journal: The session's.
        files: What was made of it.
        level: Of its sound.
        problems: What is to be said beyond the journal's own problems.
        is_over: Whether nothing more comes, so that an end that is missing is one of them.
    """
    from improv_daemon.recorder.turns import turns_between

    header = journal.header
    player, improv = performances(journal)
    beside = str(journal.path), journal.path.name  # a session's folder may be moved with its summary
    cut_short = [journal.cut_short] if is_over and journal.cut_short else []
    turns = [turn.who for turn in turns_between(player, improv)]
    return Summary(
        started_at=header.started_at,
        length_s=round(journal.end_s - header.now_s, 3),
        turns=Shares(turns.count("player"), turns.count("improv")),
        notes=Shares(len(player.notes), len(improv.notes)),
        modes=tuple(dict.fromkeys(_modes(journal))),
        model=header.model,
        model_hash=header.model_hash,
        seed=header.seed,
        improv_version=header.improv_version,
        tempo=_tempo(journal),
        files=tuple(path.name for path in files),
        level=level,
        problems=tuple(
            dict.fromkeys(told.replace(*beside) for told in (*journal.problems, *cut_short, *problems))
        ),
        from_the_middle=header.from_the_middle,
    )


def write_summary(path: Path, summary: Summary) -> None:
    """Write it as a whole file.

    Raises:
        StorageError: There is one already, or it cannot be written.
    """
    text = json.dumps(summary.to_fields(), indent=2, ensure_ascii=False) + "\n"
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def read_summary(path: Path) -> Summary:
    """Read what `write_summary` wrote.

    Raises:
        StorageError: It is missing, damaged, or newer than this improv.
    """
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        version = fields[_VERSION_KEY]
        if isinstance(version, int) and version > SUMMARY_VERSION:
            raise StorageError(f"{path} was written by a newer improv; update this one.")
        return Summary.from_fields(fields)
    except FileNotFoundError:
        raise StorageError(f"There is no file {path}.") from None
    except OSError as failure:
        raise StorageError(f"{path} cannot be read ({failure.strerror or failure}).") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise StorageError(f"{path} is damaged: it is not the summary of a session.") from None


def _modes(journal: Journal) -> Iterator[str]:
    """Those in which something happened: one that is left before that does not count."""
    mode, has_happened = journal.header.settings.get(_MODE), False
    for entry in journal.entries:
        changed = _changed_mode(entry.message)
        if changed is None:
            has_happened = has_happened or isinstance(entry.message, wire.Played | wire.Sounded)
            continue
        if has_happened and isinstance(mode, str):
            yield mode
        mode, has_happened = changed, False
    if isinstance(mode, str):
        yield mode


def _changed_mode(message: object) -> str | None:
    match message:
        case wire.Change(key="mode", value=value):
            return str(value)
        case InForce(values={"mode": value}):  # whatever else changed it, such as a preset
            return str(value)
    return None


def _tempo(journal: Journal) -> str:
    """Where beats came from; the MIDI clock goes before what was set, and that before what was tapped."""
    time = journal.header.settings.get("time")
    settings = time if isinstance(time, dict) else {}
    was_set, was_tapped = bool(settings.get("tempo_bpm")), False
    for entry in journal.entries:
        match entry.message:
            case wire.KeepTime(source=source) if source:
                return "clock"
            case wire.Change(key=key, value=value) if key == _TEMPO and value:
                was_set = True
            case wire.Cue(name=name) if name == _TAP:
                was_tapped = True
    return "set" if was_set else "tapped" if was_tapped else ""
