"""What the musician asks of improv's music beside its length, and whether the model knows what that means."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from improv_core.improvising import Ask
from improv_core.scales import OFF
from improv_daemon.settings import FREE, Answer, Sampling, Settings
from improv_daemon.wire import Change

if TYPE_CHECKING:
    from improv_core.model import Model
    from improv_core.turns import Call


def ask_of(answer: Answer, call: Call | None, length_s: float | None = None) -> Ask:
    """What an answer is to be like.

    Args:
        answer: What is set.
        call: Whose density the answer's is measured by; one that is too short to tell leaves it free.
        length_s: From its first onset to its last.
    """
    notes_per_s = call.notes_per_s if call is not None and answer.density_ratio else None
    return Ask(
        style=None if answer.style == FREE else answer.style,
        notes_per_s=None if notes_per_s is None else answer.density_ratio * notes_per_s,
        length_s=length_s,
    )


def in_words(settings: Settings) -> tuple[str, ...]:
    """What is set beside the usual, as ``style pop``; of the mode what it is about."""
    answer, sampling = settings.answer, settings.sampling
    said = {
        f"style {answer.style}": answer.style != FREE,
        f"density {answer.density_ratio:g}": answer.density_ratio,
        f"scale {sampling.scale}": sampling.scale != OFF,
        f"temperature {sampling.temperature:g}": sampling.temperature != Sampling().temperature,
    }
    return (*_of_the_mode(settings), *(words for words, is_set in said.items() if is_set))


def preset_in_words(settings: Settings) -> str:
    """A sentence about the preset in force, which says what is set beside the usual."""
    words = ", ".join(in_words(settings))
    return f"Preset {settings.preset}: {words}." if words else f"Preset {settings.preset}."


def _of_the_mode(settings: Settings) -> tuple[str, ...]:
    match settings.mode:
        case "trade":
            trade = settings.trade
            length = f"{trade.seconds:g} s" if trade.seconds else _counted(trade.bars, "bar")
            return (f"{length} each",)
        case "duet":
            return (f"role {settings.duet.role}",)
        case "harmonise":
            voices, side = _counted(settings.harmonise.voices, "voice"), settings.harmonise.side
            return (f"{voices} {'below and above' if side == 'both' else side}",)
        case "solo" if settings.solo.prime:
            return (f"from {Path(settings.solo.prime).name}",)
    return ()


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def heeded(model: Model, answer: Answer) -> Answer:
    """What is asked without a style that the model was not trained on.

    What it would be told of such a style are weights as they were before any training: noise.
    """
    return answer if answer.style in model.styles else replace(answer, style=FREE)


def unheeded_change(model: Model, change: Change, answer: Answer) -> str | None:
    """`unheeded`, when the musician has just asked for it.

    Args:
        model: Who plays.
        change: What is another now, if it was allowed.
        answer: What is set now.
    """
    if change.key == "preset":
        return unheeded(model, answer)
    named = replace(answer, style=FREE) if change.key == "answer.density_ratio" else answer
    named = replace(named, density_ratio=0.0) if change.key == "answer.style" else named
    return unheeded(model, named) if change.key in ("answer.style", "answer.density_ratio") else None


def unheeded(model: Model, answer: Answer, tempo_bpm: float | None = None) -> str | None:
    """A sentence that says what is asked but means nothing to the model, if so."""
    representation = model.representation
    told = {column.name for column in (*representation.asked, *representation.columns)}
    styles = model.styles if "style" in told else ()
    in_vain = {
        f"the style {answer.style}" if styles else "style": answer.style not in (FREE, *styles),
        "density": answer.density_ratio > 0 and "density" not in told,
        "tempo": tempo_bpm is not None and not (model.beats and "beat_period" in told),
    }
    if not any(in_vain.values()):
        return None
    *others, last = [word for word, is_in_vain in in_vain.items() if is_in_vain]
    listed = f"{', '.join(others)} and {last}" if others else last
    return (
        f"The model {model.name!r} (preset {model.preset}) has not learned to heed {listed}: it plays as it "
        "would without."
    )
