"""A sitting while it goes on: the parts put together."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from improv_core.errors import ImprovError
from improv_core.model import Model
from improv_daemon.building import prime_partner, sitting_partner, stage_config_of
from improv_daemon.conversation import Conversation
from improv_daemon.demo import play_demo
from improv_daemon.directions import in_words, unheeded
from improv_daemon.display import Opening
from improv_daemon.journal import JournalWriter, Keeper, RecentJournal
from improv_daemon.keeping import Keeping
from improv_daemon.learned import keep_learned
from improv_daemon.models import borrowing, load_model, model_hash
from improv_daemon.osc import osc_messages
from improv_daemon.partner import AnswerEnded, KeepWanted, Learned, Notice, new_seed
from improv_daemon.remembering import Remembering
from improv_daemon.screen.snapshot import Snapshot
from improv_daemon.settings import Settings
from improv_daemon.shown import Shown
from improv_daemon.signalling import around_suspension, stop_on_signals
from improv_daemon.stage_link import StageLink, StageLost
from improv_daemon.status import Status, answering_status, status_of
from improv_daemon.tracing import tracing
from improv_daemon.wire import NO_BEATS, Counts, Event, Panic, Played, Sounded, Wish
from improv_daemon.witness import Witness, Witnesses

_LOOK_AT_JOURNAL_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sitting is to be.

    Attributes:
        settings: To begin with.
        command: As it was started, ``play``.
        keeping: Keeps all of it.
        remembering: Keeps the last minutes of it when that is wanted.
        trace: Where to write the way of each note; None not to.
    """

    settings: Settings
    command: str
    keeping: Keeping | None = None
    remembering: Remembering | None = None
    trace: Path | None = None

    @property
    def is_demo(self) -> bool:
        """Whether improv plays the player, too."""
        return self.command == "demo"


async def sit(plan: Plan, shown: Shown) -> None:
    """Play until stopped, or until the demo is over.

    Args:
        plan: What it is to be.
        shown: Is told what happens.

    Raises:
        ImprovError: It cannot begin.
        ExceptionGroup: With a `StageLost` when the stage is gone.
    """
    stop = stop_on_signals()
    model = load_model(plan.settings.model)
    seed = plan.settings.seed or new_seed()

    async def play() -> None:
        with tracing(plan.trace, shown.display.note) as tracer:
            await _Sitting(plan, shown, model, seed, tracer, stop.set).run()

    await _until(stop, play)


class _Sitting:
    """One sitting; its parts know each other through it."""

    def __init__(
        self,
        plan: Plan,
        shown: Shown,
        model: Model,
        seed: int,
        tracer: Witness,
        stop: Callable[[], None],
    ) -> None:
        self._plan, self._display, self._state, self._live = plan, shown.display, shown.state, shown.live
        self._model, self._seed, self._stop = model, seed, stop
        self._witness: Witness = Witnesses(tracer, self._state, *([self._live] if self._live else []))
        self._answered = asyncio.Event()
        self._writing: set[asyncio.Task[None]] = set()
        self._writing_one = asyncio.Lock()
        self._recent: RecentJournal | None = None
        self._being_kept: asyncio.Task[None] | None = None
        self._has_played = False
        self._began_at = datetime.datetime.now().astimezone()
        self._counts: Counts | None = None
        self._partner = sitting_partner(plan.settings, model, seed, self._notify)

    async def run(self) -> None:
        settings = self._plan.settings
        async with (
            StageLink(stage_config_of(settings)) as stage,
            self._journal() as (journal, begun_s),
        ):
            prime_partner(self._partner, begun_s)
            self._conversation = Conversation(stage, self._partner, journal, self._show, self._witness)
            self._when_suspended(stage)
            if self._live is not None:
                self._live.begin(self._snapshot, lambda: self._partner.settings, self._wish, self._stop)
            self._open(stage)
            try:
                async with (
                    answering_status(self._status, self._display.note),
                    osc_messages(settings.controls.osc_port, self._wish, self._notify) as osc,
                    asyncio.TaskGroup() as group,
                ):
                    if osc is not None:
                        port = settings.controls.osc_port
                        self._display.line(f"OSC messages are taken at UDP port {port}.")
                    conversing = group.create_task(self._conversation.run())
                    if self._plan.is_demo:
                        await play_demo(stage, self._answered, self._display)
                        conversing.cancel()
            finally:
                self._conversation.keep_last(await stage.end())
                await asyncio.gather(*self._writing)

    # --- what happens ---------------------------------------------------------------------------------

    def _show(self, event: Event) -> None:
        match event:
            case Counts():
                self._counts = event
            case Played() | Sounded():
                self._has_played = True
        self._display.event(event)

    def _notify(self, notice: Notice) -> None:
        self._witness.notice(notice)
        self._display.notice(notice)
        if isinstance(notice, AnswerEnded) and not notice.yielded:
            self._answered.set()
        match notice:
            case Learned():
                self._write(lambda: keep_learned(notice))
            case KeepWanted():
                self._keep()

    def _keep(self) -> None:
        """What was played in the last minutes is to be kept."""
        remembering, recent = self._plan.remembering, self._recent
        if self._plan.keeping is not None:
            self._display.line(f"All of this sitting is being kept in {self._plan.keeping.folder.path}.")
        elif remembering is None or recent is None:
            self._display.line("improv remembers nothing that it could keep: record.last_minutes is 0.")
        elif not self._has_played:
            self._display.line("Nothing was played yet: there is nothing to keep.")
        elif self._being_kept is None or self._being_kept.done():  # a switch that bounces means it once
            self._being_kept = self._write(lambda: remembering.keep(recent))

    def _write(self, work: Callable[[], str]) -> asyncio.Task[None]:
        """Something that waits for a disk is done in a thread, one after the other, and then said."""
        writing = asyncio.get_running_loop().create_task(self._written(work))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
        return writing

    async def _written(self, work: Callable[[], str]) -> None:
        async with self._writing_one:  # the next reads what this one has written
            try:
                sentence = await asyncio.to_thread(work)
            except ImprovError as failure:
                self._display.note(str(failure))
            else:
                self._display.line(sentence)

    def _wish(self, wished: Wish) -> None:
        with contextlib.suppress(StageLost):  # the conversation will say so
            self._conversation.wish(wished)

    def _when_suspended(self, stage: StageLink) -> None:
        """Ctrl-Z stops the mind but not the stage: nothing may sound or tick on, nor a pedal stay down."""

        def before() -> None:
            with contextlib.suppress(StageLost):
                if self._partner.told_beats is not None:
                    stage.send(NO_BEATS)
                stage.send(Panic())
            if self._live is not None:
                self._live.suspend()

        def after() -> None:
            with contextlib.suppress(StageLost):
                if self._partner.told_beats is not None:
                    stage.send(self._partner.told_beats)
            if self._live is not None:
                self._live.resume()

        around_suspension(before, after)

    # --- what is told ---------------------------------------------------------------------------------

    def _open(self, stage: StageLink) -> None:
        settings, model = self._plan.settings, self._model
        self._display.opening(
            Opening(
                model.name,
                settings.mode,
                stage.ready,
                asked=in_words(settings),
                remarks=[said for said in (borrowing(model), unheeded(model, settings.answer)) if said],
                hint=not self._plan.is_demo,
            )
        )

    def _snapshot(self, now_s: float) -> Snapshot:
        return self._state.snapshot(self._partner, now_s)

    def _status(self) -> Status:
        now_s = asyncio.get_running_loop().time()
        return status_of(
            self._snapshot(now_s),
            now_s,
            command=self._plan.command,
            started_at=self._began_at.isoformat(timespec="seconds"),
            counts=self._counts,
        )

    @contextlib.asynccontextmanager
    async def _journal(self) -> AsyncIterator[tuple[Keeper | None, float]]:
        """What keeps the sitting, if it is kept, and when it begins."""
        now_s = asyncio.get_running_loop().time()
        keeping, remembering = self._plan.keeping, self._plan.remembering
        if keeping is not None:
            with JournalWriter(
                keeping.journal, on_trouble=self._display.note, **self._header(now_s)
            ) as journal:
                keeping.begin()
                saying = asyncio.create_task(say_troubles(journal))
                try:
                    yield journal, now_s
                finally:
                    saying.cancel()
        else:
            with contextlib.ExitStack() as stack:
                if remembering is not None and remembering.span_s:
                    recent = RecentJournal(remembering.span_s, **self._header(now_s))
                    self._recent = stack.enter_context(recent)
                yield self._recent, now_s

    def _header(self, now_s: float) -> dict[str, Any]:
        return {
            "model": self._model.name,
            "seed": self._seed,
            "settings": dataclasses.asdict(self._plan.settings),
            "started_at": datetime.datetime.now().astimezone(),
            "now_s": now_s,
            "model_hash": model_hash(self._plan.settings.model),
            "settings_now": lambda: self._partner.settings,
        }


async def say_troubles(journal: Keeper) -> None:
    """A disk that is full is said while nobody plays, too: a journal says so when it is written to."""
    while True:
        await asyncio.sleep(_LOOK_AT_JOURNAL_EVERY_S)
        journal.write_batch((), asyncio.get_running_loop().time())


async def _until(stop: asyncio.Event, play: Callable[[], Coroutine[None, None, None]]) -> None:
    """Play until it is over or ``stop`` is set, be it in the middle of starting."""

    async def to_the_end() -> None:
        await play()
        stop.set()

    async with asyncio.TaskGroup() as group:
        playing = group.create_task(to_the_end())
        await stop.wait()
        playing.cancel()
