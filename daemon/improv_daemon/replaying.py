"""A sitting once more from its journal: the same inputs to a new partner give the same notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast, get_args

from improv_core.errors import StorageError
from improv_core.model import Model
from improv_daemon.building import prime_partner, sitting_partner
from improv_daemon.journal import Journal
from improv_daemon.partner import Partner
from improv_daemon.settings import Preset, Settings
from improv_daemon.settings.schema import RULES, SECTIONS
from improv_daemon.wire import Command, Event, Wish, Woken

Given = tuple[float, Command]
"""A command and when it was given, in monotonic seconds."""

_COMMANDS: Final = get_args(Command)
_OF_FILES: Final = "record"
"""Settings that no note depends on, and that were others before sessions were folders."""

_HANDLED: Final = (*get_args(Event), *get_args(Wish))


def replayed(journal: Journal, partner: Partner) -> Iterator[Given]:
    """What a partner does when everything that it was told in a sitting is told it again, at the same times.

    On the machine, with the model and by the version of improv that played the sitting, it does what was done
    then, to the bit.

    Args:
        journal: Of the sitting. A last line that is cut short is no harm.
        partner: Who has heard nothing, see `partner_of`.

    Raises:
        StorageError: Lines of the journal are missing, or it begins in the middle of the sitting.
    """
    check_replayable(journal)
    return _replayed(journal, partner)


def check_replayable(journal: Journal) -> None:
    """All that improv's notes depend on is in a journal.

    Raises:
        StorageError: Lines of it are missing, or it begins in the middle of the sitting.
    """
    if journal.header.from_the_middle:
        raise StorageError(
            f"{journal.path} holds the last minutes of a sitting, and what improv plays depends on all that "
            "came before, so it cannot be replayed; improv record keeps a sitting from its beginning."
        )
    if journal.problems:
        raise StorageError(
            f"{' '.join(journal.problems)} What improv plays depends on all that came before, so this "
            "sitting cannot be replayed."
        )


def _replayed(journal: Journal, partner: Partner) -> Iterator[Given]:
    begun_s = _begun_s(journal)
    yield from ((begun_s, command) for command in partner.begin(begun_s))
    for entry in journal.entries:
        message, commands = entry.message, list[Command]()
        if isinstance(message, Woken):
            commands = partner.wake(entry.now_s)
        elif isinstance(message, _HANDLED):
            commands = partner.handle(cast(Event | Wish, message), entry.now_s)
        yield from ((entry.now_s, command) for command in commands)


def _begun_s(journal: Journal) -> float:
    """When the partner began: what it said then, if anything, is the first that was kept."""
    for entry in journal.entries[:1]:
        if isinstance(entry.message, _COMMANDS):
            return entry.now_s
    return journal.header.now_s


def commands_of(journal: Journal) -> Iterator[Given]:
    """What the partner did in a sitting."""
    for entry in journal.entries:
        if isinstance(entry.message, _COMMANDS):
            yield entry.now_s, cast(Command, entry.message)


def partner_of(journal: Journal, model: Model, model_hash: str = "") -> Partner:
    """The partner of a sitting as it was at the beginning.

    Args:
        journal: Of the sitting.
        model: That played.
        model_hash: SHA-256 of its file, see `improv_daemon.models.model_hash`; empty: only its name counts.

    Raises:
        StorageError: It was another model, or the settings are not known or mean nothing to this version of
            improv.
        MidiFileError: The file that a solo went on from is not there any more, or cannot be used.
    """
    header = journal.header
    if not header.is_whole:
        raise StorageError(
            f"The first line of {journal.path} is damaged: with which settings and model it was played is "
            "not known, so it cannot be replayed."
        )
    if header.model != model.name:
        raise StorageError(
            f"The sitting in {journal.path} was played by the model {header.model!r}, and this one is "
            f"{model.name!r}; replay it with the one that played."
        )
    if model_hash and header.model_hash and model_hash != header.model_hash:
        raise StorageError(
            f"The sitting in {journal.path} was played by another model of the name {model.name!r} than this "
            "one; replay it with the one that played."
        )
    try:
        settings = _settings(header.settings)
    except (KeyError, TypeError, ValueError):
        raise StorageError(
            f"{journal.path} was written by another version of improv, with other settings; replay it with "
            "that version."
        ) from None
    partner = sitting_partner(settings, model, header.seed)
    prime_partner(partner, header.now_s)
    return partner


def _settings(plain: Mapping[str, Any]) -> Settings:
    values: dict[str, Any] = {}
    for name, value in plain.items():
        if name == _OF_FILES:
            continue
        if name in SECTIONS:
            values[name] = SECTIONS[name](
                **{k: RULES[f"{name}.{k}"].check(v) for k, v in dict(value).items()}
            )
        elif name == "presets":
            values[name] = tuple(
                Preset(one["name"], tuple((key, RULES[key].check(v)) for key, v in one["changes"]))
                for one in value
            )
        else:
            values[name] = RULES[name].check(value)
    return Settings(**values)
