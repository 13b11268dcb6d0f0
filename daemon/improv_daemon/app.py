"""``improv play``, ``record`` and ``demo``, and every way out of them."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import traceback
from pathlib import Path

import platformdirs

from improv_core.errors import ImprovError
from improv_daemon.keeper import KeepOptions
from improv_daemon.keeping import Keeping, recover
from improv_daemon.remembering import Remembering
from improv_daemon.sessions import new_session_folder
from improv_daemon.settings import Settings
from improv_daemon.showing import Showing
from improv_daemon.shown import Shown, shown, while_live
from improv_daemon.sitting import Plan, sit
from improv_daemon.stage_link import StageLost

FAILED = 1


def run_play(settings: Settings, showing: Showing) -> int:
    """Play until stopped; returns the exit status."""
    remembering = Remembering(settings)
    with shown(showing) as here:
        status = _run(Plan(settings, "play", remembering=remembering, trace=showing.trace), here)
        remembering.end(here.display)
    return status


def run_record(settings: Settings, folder: Path, showing: Showing) -> int:
    """Play until stopped, and keep the sitting in ``folder``; returns the exit status."""
    return _recorded(Plan(settings, "record", trace=showing.trace), folder, showing)


def run_demo(settings: Settings, folder: Path, showing: Showing) -> int:
    """Play the demo's calls, hear the answers, keep them in ``folder``; returns the exit status."""
    return _recorded(Plan(settings, "demo", trace=showing.trace), folder, showing)


def _recorded(plan: Plan, folder: Path, showing: Showing) -> int:
    options = KeepOptions.of(plan.settings)
    keeping = Keeping(new_session_folder(folder, datetime.datetime.now().astimezone()), options)
    with shown(showing) as here:
        try:
            status = _run(dataclasses.replace(plan, keeping=keeping), here)
        except ImprovError:
            keeping.forget()  # what was refused at the start is no session
            raise
        has_time = keeping.end(here.display)
        if has_time and not plan.is_demo:
            recover(folder, options, here.display)
    return status


def _run(plan: Plan, here: Shown) -> int:
    """One sitting, whatever ends it. The stage lets go of every note by itself."""
    status, last_words = 0, ""
    if plan.is_demo and plan.settings.mode != "answer":
        here.display.line("The demo is in mode answer; improv play has the others.")
        plan = dataclasses.replace(plan, settings=dataclasses.replace(plan.settings, mode="answer"))
    try:
        with while_live(here.live):
            asyncio.run(sit(plan, here))
    except* StageLost as lost:
        last_words = str(_first(lost))
    except* ImprovError as errors:
        raise _first(errors) from None
    except* Exception as errors:  # noqa: BLE001 - the one boundary: it is logged, and said
        last_words = f"improv has met an error of its own and stops; {_logged(errors)}."
    here.display.end()
    if last_words:
        here.display.outcome(last_words)
        status = FAILED
    return status


def _first(group: BaseExceptionGroup[ImprovError]) -> ImprovError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


def _logged(errors: BaseExceptionGroup[Exception]) -> str:
    """Write the traceback where it can be found; returns where."""
    text = "".join(traceback.format_exception(errors))
    try:
        folder = platformdirs.user_log_path("improv", ensure_exists=True)
        path = folder / f"error-{datetime.datetime.now():%Y-%m-%d_%H-%M-%S}.txt"
        path.write_text(text, encoding="utf-8")
    except OSError:
        return f"what happened: {text.strip().splitlines()[-1]}"
    return f"{path} says what happened"
