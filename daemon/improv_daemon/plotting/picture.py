"""From what was named to a picture in a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from improv_core.errors import ConfigError, StorageError
from improv_daemon.plotting.axes_of_time import clock
from improv_daemon.plotting.counts import counts, draw_counts
from improv_daemon.plotting.distributions import DISTRIBUTIONS, PITCHES, distributions, draw_distribution
from improv_daemon.plotting.groups import Subject, groups_of
from improv_daemon.plotting.over_time import density, draw_density, draw_tempo, tempo
from improv_daemon.plotting.palette import Palette
from improv_daemon.plotting.roll import draw_roll, roll
from improv_daemon.plotting.sheets import Look, Sheet, drawing, write
from improv_daemon.plotting.training import metrics_of, read_run, training
from improv_daemon.plotting.windows import Window
from improv_daemon.studio.loading import load, midi_files_in, pieces_in
from improv_daemon.studio.pieces import Piece

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROLLS: Final = 8
TRAINING: Final = "training"

Say = Callable[[str], None]


def picture(
    sources: Sequence[str],
    what: str | None,
    look: Look,
    window: Window,
    *,
    sessions: Path | None = None,
    say: Say = lambda sentence: None,
    progress: Callable[[float], None] = lambda done: None,
) -> Sheet:
    """Draw a picture; to be called within `drawing`.

    Args:
        sources: MIDI files, journals, folders of MIDI files, sessions or training runs.
        what: One of `improv_daemon.plotting.WHAT`; None: a roll, or curves of training runs.
        look: How it is to look.
        window: What of the pieces is shown.
        sessions: The folder that sessions are kept in; that of the settings by default.
        say: Told which files of a folder were left out.
        progress: Told how much has been read, 0..1.

    Raises:
        ImprovError: Something cannot be read, or there is nothing of this kind to see.
    """
    runs = [path for path in map(Path, sources) if metrics_of(path) is not None]
    if what == TRAINING or (what is None and runs):
        return training([read_run(Path(source)) for source in sources], look)
    chosen = what or "roll"
    needs_beats = chosen == "tempo" or (chosen == "roll" and window.bars)
    subjects = []
    for i, source in enumerate(sources):
        subjects.append(subject_of(source, sessions=sessions, beats=needs_beats, say=say))
        progress((i + 1) / len(sources))
    return draw(subjects, chosen, look, window)


def draw(subjects: Sequence[Subject], what: str, look: Look, window: Window) -> Sheet:
    """A picture of what was loaded.

    Raises:
        ConfigError: It cannot be shown so.
    """
    check_window(subjects, window)
    shown = [cut_subject(subject, window) for subject in subjects]
    if what != "roll" and len(subjects) > len(look.palette.series):
        raise ConfigError(
            f"{len(subjects)} are too many to be told apart by their colours, {len(look.palette.series)} at"
            " most; name fewer, or a folder of them."
        )
    if what in ("roll", "tempo") and (many := sum(len(one.pieces) for one in shown)) > MOST_ROLLS:
        raise ConfigError(
            f"{many} pieces are too many for one picture of this kind, {MOST_ROLLS} at most; name fewer, or"
            " choose --what distributions."
        )
    match what:
        case "roll":
            return roll(subjects, look, window)
        case "distributions":
            return distributions(shown, look, tuple(DISTRIBUTIONS))
        case "pitches":
            return distributions(shown, look, PITCHES)
        case "counts":
            return counts(shown, look)
        case "density":
            return density(subjects, look, window)
        case "tempo":
            return tempo(subjects, look, window)
    return distributions(shown, look, (what,))


def check_window(subjects: Sequence[Subject], window: Window) -> None:
    """Whether there is something to see there.

    Raises:
        ConfigError: Every piece has ended before.
    """
    length_s = max((piece.length_s for subject in subjects for piece in subject.pieces), default=0.0)
    if window.from_s > 0 and window.from_s >= length_s:
        names = " and ".join(subject.label for subject in subjects)
        raise ConfigError(
            f"There is nothing of {names} from {clock(window.from_s)} on; it ends at {clock(length_s)}."
        )


def save_picture(
    sources: Sequence[str],
    out: Path,
    what: str | None,
    look: Look,
    window: Window,
    *,
    sessions: Path | None = None,
    say: Say = lambda sentence: None,
    progress: Callable[[float], None] = lambda done: None,
) -> None:
    """`picture`, written as PNG, SVG or PDF by the file's ending.

    Raises:
        ImprovError: As `picture`; also when it cannot be written.
    """
    with drawing():
        sheet = picture(sources, what, look, window, sessions=sessions, say=say, progress=progress)
        write(sheet, out)


def subject_of(source: str, *, sessions: Path | None, beats: bool, say: Say) -> Subject:
    """What somebody named.

    Raises:
        ImprovError: It cannot be read.
    """
    path = Path(source)
    if not _is_folder(path):
        piece = load(source, sessions=sessions, beats=beats, say=say)
        return Subject(piece.name, (piece,))
    if not midi_files_in(path):
        raise StorageError(f"There are no MIDI files in {path}, and it is no session and no training run.")
    pieces = []
    for found in pieces_in(path):
        if isinstance(found, Piece):
            pieces.append(found)
        else:
            say(f"Left out: {found}")
    return Subject(path.resolve().name, tuple(pieces))


def _is_folder(path: Path) -> bool:
    """Of MIDI files: a session's folder is one piece."""
    try:
        return path.is_dir() and not (path / "journal.jsonl").is_file()
    except OSError:
        return False


def cut_subject(subject: Subject, window: Window) -> Subject:
    """The same with only the notes that begin within the window."""
    if window.from_s <= 0 and window.until_s is None:
        return subject
    return replace(subject, pieces=tuple(_cut_piece(piece, window) for piece in subject.pieces))


def _cut_piece(piece: Piece, window: Window) -> Piece:
    end_s = float("inf") if window.until_s is None else window.until_s
    tracks = []
    for track in piece.tracks:
        notes = tuple(n for n in track.performance.notes if window.from_s <= n.onset_s < end_s)
        tracks.append(replace(track, performance=replace(track.performance, notes=notes)))
    return replace(piece, tracks=tuple(tracks))


def draw_into(axes: Axes, subjects: Sequence[Subject], what: str, window: Window, palette: Palette) -> None:
    """Draw into axes of one's own, without heading and legend.

    Raises:
        ConfigError: It takes more than one panel, or cannot be shown so.
    """
    check_window(subjects, window)
    groups = groups_of([cut_subject(subject, window) for subject in subjects], palette)
    match what:
        case "roll" if len(subjects) == 1 and len(subjects[0].pieces) == 1:
            draw_roll(axes, subjects[0].pieces[0], window, palette)
        case "density":
            draw_density(axes, groups_of(subjects, palette), window, palette)
        case "tempo":
            pieces = [piece for subject in subjects for piece in subject.pieces]
            draw_tempo(axes, [(piece, palette.of(i)) for i, piece in enumerate(pieces)], window, palette)
        case "notes" | "chords":
            draw_counts(axes, groups, what, palette)
        case _ if what in DISTRIBUTIONS:
            draw_distribution(axes, groups, what, palette)
        case _:
            fitting = ", ".join(("roll", "density", "tempo", *DISTRIBUTIONS))
            raise ConfigError(
                f"{what!r} of {len(subjects)} does not fit into one pair of axes; {fitting} of one do."
            )
