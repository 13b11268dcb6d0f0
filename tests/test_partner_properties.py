"""Whatever the player, the musician's wishes and the stage do, in whatever order: nothing hangs, nothing is
cut that is the player's, and what was dropped stays silent."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import hypothesis
import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from playing import Room, improviser_of, partner_of
from scripted_improviser import ScriptedImproviser

from improv_core.improvised_turn import LOOKED_BACK
from improv_core.improvising import Improvising, PlannedNote
from improv_core.performer import Acknowledgement, Outcome, Performer
from improv_core.scheduler import Rank
from improv_core.thru import Way
from improv_daemon.controls import CUES
from improv_daemon.partner import Phase
from improv_daemon.partner.partner import MODES
from improv_daemon.settings import Memory, Settings
from improv_daemon.wire import (
    CancelTurn,
    Change,
    Command,
    Cue,
    Event,
    FinishTurn,
    MovePedal,
    PedalMoved,
    Played,
    PlayNote,
    Released,
    Sounded,
    TurnCancelled,
    Wish,
)

IMPROVS_CHANNEL = 1
SUSTAIN, ALL_OFF = 64, (120, 123)
UNTIL_SILENT_S = 120.0
"""Longer than an answer, the silence after which improv invites, and the invitation."""

LAST_NOTE_S = 30.0
"""Longer than any note."""

ENDLESS = ("solo", "trade")
"""Modes in which improv goes on although nobody plays."""

MOST_UNFINISHED = 400
"""Entries of an open turn, or of the schedule."""

MOST_HELD = 3
"""Commands that are drawn and not sent: a note and how the pedal moves with it."""

MOST_REMEMBERED = 100
"""Notes of the window, as the musician may set it here."""

CHANGES = (
    *(Change("yielding.how", how) for how in ("cut", "finish_note", "finish_phrase", "overlap")),
    *(Change("yielding.min_velocity", velocity) for velocity in (1, 64)),
    *(Change("answer.length_max_s", length_s) for length_s in (5.0, 9.0)),
    *(Change("answer.lookahead_s", lookahead_s) for lookahead_s in (0.05, 2.0)),
    *(Change("answer.candidates", count) for count in (1, 2)),
    *(Change("duet.role", role) for role in ("support", "sparse", "lead")),
    *(Change("duet.plan_s", plan_s) for plan_s in (0.02, 1.0)),
    *(Change("harmonise.voices", voices) for voices in (1, 4)),
    *(Change("harmonise.side", side) for side in ("below", "above", "both")),
    *(Change("trade.seconds", seconds) for seconds in (0.0, 1.0, 4.0)),
    *(Change("time.tempo_bpm", tempo_bpm) for tempo_bpm in (0.0, 120.0)),
    *(Change("memory.initiative", is_on) for is_on in (False, True)),
    *(Change("memory.initiative_after_s", after_s) for after_s in (5.0, 30.0)),
    *(Change("memory.recall", often) for often in (0.0, 1.0)),
    *(Change("memory.follow", much) for much in (0.0, 0.5)),
    *(Change("memory.window_notes", count) for count in (16, MOST_REMEMBERED)),
    *(Change("sampling.polyphony", count) for count in (0, 1)),
    *(Change("sampling.highest_pitch", pitch) for pitch in (70, 108)),
    *(Change("turn.silence_max_s", silence_s) for silence_s in (0.5, 1.5)),
    *(Change("controls.hand_over", gesture) for gesture in ("", "cc 80", "note 62", "notes 60+64")),
    Change("ports.channel", 3),  # refused
    Change("answer.length_max_s", -1.0),  # refused
)
"""What the musician may change in the middle of everything, and what is refused."""

pitches = st.integers(58, 66)
"""So few that the player's keys and improv's are often the same."""
channels = st.sampled_from((0, 0, 0, IMPROVS_CHANNEL, 15))
seconds = st.one_of(st.sampled_from((0.0, 0.01, 0.1, 0.4, 1.6, 3.0, 10.0)), st.floats(0.0, 10.0))
modes = st.sampled_from(sorted(MODES)).map(lambda mode: Change("mode", mode))
cues = st.sampled_from((*CUES, "hand_over", "unheard of")).map(Cue)
repeating = st.sampled_from(("panic", "mute", "again", "another", "loop", "undo")).map(Cue)
told = st.sets(st.sampled_from((Sounded, Released, PedalMoved, TurnCancelled)))


class Unpredictable(ScriptedImproviser):
    """Draws notes close together and far apart, short and long, with and without pedal."""

    def draw(self, earliest_s: float, latest_s: float) -> PlannedNote:
        dice = np.random.default_rng((self._turn, len(self._plan)))
        onset_s = min(latest_s, earliest_s + float(dice.choice((0.0, 0.0, 0.1, 0.4, 2.0))))
        duration_s = float(dice.choice((0.01, 0.2, 0.9, 8.0)))
        pitch, velocity, pedal = int(dice.integers(58, 67)), int(dice.integers(1, 128)), int(dice.integers(2))
        key = self._turn, len(self._plan), pitch, velocity, pedal
        self._plan.append(PlannedNote(*key, onset_s, onset_s + duration_s))
        return self._plan[-1]


@dataclass
class SharedRoom(Room):
    """A room whose one output sounds the player as well, and whose stage may be slow to tell.

    Attributes:
        players_channel: On which the player sounds there.
        late_s: How long what the stage tells is on its way.
        down: Keys that sound at the output, by channel and pitch.
        pedals: Where pedals are at the output, by channel.
        keys: The player's keys that are down and sound.
        pedal: The player's pedal.
        left: The latest turn of the mode before.
        ended: Turns that the partner has ended before their time.
        dropped: Those, and what the stage has dropped by itself.
    """

    players_channel: int = 0
    late_s: float = 0.0
    down: set[tuple[int, int]] = field(default_factory=set)
    pedals: dict[int, int] = field(default_factory=dict)
    keys: set[int] = field(default_factory=set)
    pedal: int = 0
    left: int = 0
    ended: set[int] = field(default_factory=set)
    dropped: set[int] = field(default_factory=set)
    on_the_way: deque[tuple[float, Acknowledgement]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.performer = Performer(("out",), IMPROVS_CHANNEL)

    # --- the player -------------------------------------------------------------------------------

    def play(self, *data: int, early_s: float = 0.0, source: str = "keyboard") -> None:
        """The player does this now: it sounds first, and is told then."""
        self._account_for(data)
        ways = [Way("out", self.players_channel)]
        self._send(sending.data for sending in self.performer.thru(data, ways))
        self.tell(Played(data, self.now_s - early_s, source))

    def _account_for(self, data: tuple[int, ...]) -> None:
        kind, number, value = data[0] & 0xF0, *data[1:]
        if kind == 0x90 and value:
            self.keys.add(number)
        elif kind in (0x80, 0x90):
            self.keys.discard(number)
        elif kind == 0xB0 and number == SUSTAIN:
            self.pedal = value
        elif kind == 0xB0 and number in ALL_OFF:
            self.keys.clear()

    def let_go(self) -> None:
        """The player stops altogether."""
        self.release(*sorted(self.keys))
        self.play(0xB0, SUSTAIN, 0)

    # --- the stage --------------------------------------------------------------------------------

    def panic(self) -> None:
        """The stage lets go of everything, the player's keys too, whoever wants that."""
        self.keys.clear()
        self.pedal = 0
        outcome = self.performer.panic(self.now_s)
        self.dropped |= {ack.turn for ack in outcome.acknowledgements if isinstance(ack, TurnCancelled)}
        self.carry_out(outcome)

    def wish(self, wish: Wish) -> None:
        """The musician wants something now; of a mode that is left nothing more begins to sound."""
        mode, turns = self.partner.mode, self.partner._all.turns
        super().wish(wish)
        if self.partner.mode != mode:
            self.left = turns

    def obey(self, commands: list[Command]) -> None:
        """Do what the stage would; of a turn that the partner has ended nothing more may be commanded."""
        for command in commands:
            match command:
                case PlayNote(turn=turn) | MovePedal(turn=turn):
                    assert turn not in self.ended, f"{command} after the end of its turn"
                case CancelTurn(turn) | FinishTurn(turn):
                    self.ended.add(turn)
                    self.dropped.add(turn)
        super().obey(commands)

    def carry_out(self, outcome: Outcome) -> None:
        """What goes out, and what is told of it sooner or later, in order."""
        self._send(sending.data for sending in outcome.sendings)
        for told in outcome.acknowledgements:
            if isinstance(told, Sounded):
                assert told.turn not in self.dropped, f"{told} after its turn"
                assert told.turn > self.left, f"{told} after its mode"
            if not isinstance(told, self.deaf):
                before_s = self.on_the_way[-1][0] if self.on_the_way else self.now_s
                self.on_the_way.append((max(before_s, self.now_s + self.late_s), told))
        while self.on_the_way and self.on_the_way[0][0] <= self.now_s:
            self.tell(self.on_the_way.popleft()[1])

    def next_s(self) -> float | None:
        """When something falls due, or is told."""
        times = (super().next_s(), self.on_the_way[0][0] if self.on_the_way else None)
        return min((at_s for at_s in times if at_s is not None), default=None)

    def _send(self, messages: Iterable[tuple[int, ...]]) -> None:
        for data in messages:
            kind, channel, number = data[0] & 0xF0, data[0] & 0x0F, data[1]
            if kind == 0x90:
                assert (channel, number) not in self.down, "struck again without a note-off"
                self.down.add((channel, number))
            elif kind == 0x80:
                assert (channel, number) in self.down, "a note-off of nothing"
                self.down.remove((channel, number))
            elif kind == 0xB0 and number == SUSTAIN:
                self.pedals[channel] = data[2]


# --- what may happen --------------------------------------------------------------------------------


class Sitting(RuleBasedStateMachine):
    """Anything in any order, with an improviser that draws anything."""

    room: SharedRoom

    @initialize(mode=st.sampled_from(sorted(MODES)), players_channel=st.sampled_from((0, IMPROVS_CHANNEL)))
    def begin(self, mode: str, players_channel: int) -> None:
        """The player sounds on a channel of their own, or on improv's."""
        chosen = replace(Settings(), mode=mode, memory=replace(Memory(), window_notes=MOST_REMEMBERED))
        partner = partner_of(improviser=self.improviser(), settings=chosen, length_min_s=5.0)
        self.room = SharedRoom(partner, players_channel=players_channel)

    def improviser(self) -> Improvising:
        """Who draws."""
        return Unpredictable()

    # --- the player ---

    @rule(pitch=pitches, velocity=st.integers(0, 127), channel=channels, early_s=st.sampled_from((0, 0.03)))
    def press(self, pitch: int, velocity: int, channel: int, early_s: float) -> None:
        self.room.play(0x90 | channel, pitch, velocity, early_s=early_s)

    @rule(pitch=pitches, channel=channels)
    def release(self, pitch: int, channel: int) -> None:
        self.room.play(0x80 | channel, pitch, 64)

    @rule(phrase=st.lists(pitches, min_size=1, max_size=5), gap_s=st.sampled_from((0.02, 0.3)))
    def play_a_phrase(self, phrase: list[int], gap_s: float) -> None:
        self.room.call(*phrase, gap_s=gap_s, duration_s=gap_s / 2)

    @rule(
        controller=st.sampled_from((1, SUSTAIN, SUSTAIN, 80, *ALL_OFF)), value=st.sampled_from((0, 30, 127))
    )
    def move_controller(self, controller: int, value: int) -> None:
        self.room.play(0xB0, controller, value)

    @rule(phrase=st.lists(pitches, min_size=2, max_size=4), for_s=seconds)
    def play_a_phrase_and_listen(self, phrase: list[int], for_s: float) -> None:
        self.room.call(*phrase)
        self.room.run_for(1.6 + for_s)

    @rule(for_s=seconds)
    def wait(self, for_s: float) -> None:
        self.room.run_for(for_s)

    @rule(mode=modes, for_s=seconds)
    def change_mode(self, mode: Change, for_s: float) -> None:
        self.room.wish(mode)
        self.room.run_for(for_s)

    @rule(wish=st.one_of(st.sampled_from(CHANGES), cues), for_s=seconds)
    def wish(self, wish: Wish, for_s: float) -> None:
        """The musician wants something, and something may come of it."""
        self.room.wish(wish)
        self.room.run_for(for_s)

    @rule(phrase=st.lists(pitches, min_size=1, max_size=3), cue=repeating, for_s=seconds)
    def play_a_phrase_and_give_a_cue(self, phrase: list[int], cue: Cue, for_s: float) -> None:
        """With what is played again, goes round, is silent or forgotten."""
        self.room.call(*phrase)
        self.room.wish(cue)
        self.room.run_for(for_s)

    @rule(late_s=st.sampled_from((0.0, 0.005, 0.3, 3.0)), lost=told, panics=st.sampled_from((0, 0, 1)))
    def the_stage_is_no_good(self, late_s: float, lost: set[type[Event]], panics: int) -> None:
        """What it tells is late or never comes, or it lets go of everything."""
        self.room.late_s, self.room.deaf = late_s, tuple(lost)
        if panics:
            self.room.panic()

    # --- what holds all the time ---

    @invariant()
    def none_of_the_players_keys_is_cut(self) -> None:
        room = self.room
        sounding = {pitch for channel, pitch in room.down if channel == room.players_channel}
        assert room.keys <= sounding
        if room.players_channel != IMPROVS_CHANNEL:
            assert room.keys == sounding

    @invariant()
    def the_players_pedal_stays_where_it_is(self) -> None:
        room = self.room
        pedal = room.pedals.get(room.players_channel, 0)
        assert pedal == room.pedal or (room.players_channel == IMPROVS_CHANNEL and pedal > room.pedal)

    @invariant()
    def nothing_of_improvs_begins_while_it_is_muted(self) -> None:
        room = self.room
        if room.partner.muted:
            planned = [entry for live in room.performer._plan._live.values() for entry in live.values()]
            assert not any(entry.rank is Rank.ON for entry in planned)

    @invariant()
    def little_is_kept_of_what_is_not_over(self) -> None:
        room = self.room
        assert len(room.performer._plan) <= MOST_UNFINISHED
        again = room.partner._floor._again
        assert again is None or len(again._turns) <= 3
        turn = getattr(room.partner._policy, "_turn", None)
        if turn is not None:
            assert len(turn.sounded) <= len(turn.notes)
            assert len(turn._held) <= MOST_HELD

    # --- the end ---

    def teardown(self) -> None:
        """The player stops: what is not endless ends, and whatever is endless ends when it is left."""
        room = self.room
        room.let_go()
        if room.partner.looping:
            room.wish(Cue("loop"))
        if room.partner.mode not in ENDLESS or room.partner.muted:
            room.run_for(UNTIL_SILENT_S)
            self.nothing_sounds()
            assert room.partner.phase in (Phase.LISTENING, Phase.TOGETHER)
        room.wish(Change("mode", "listen"))
        room.run_for(LAST_NOTE_S)
        self.nothing_sounds()
        assert not room.performer._plan
        assert room.partner.phase is Phase.LISTENING
        sounded = len(room.down)
        room.run_for(3600.0)
        assert sounded == len(room.down)

    def nothing_sounds(self) -> None:
        room = self.room
        assert room.down == set()
        assert not any(room.pedals.values())
        assert room.performer.silent


class SittingWithTheModel(Sitting):
    """The same with the model that is shipped."""

    def improviser(self) -> Improvising:
        return improviser_of(window_notes=MOST_REMEMBERED)

    @invariant()
    def the_memory_is_bounded(self) -> None:
        """What is open of a turn is little, and the window is no longer than it is set."""
        improviser = self.room.improviser
        assert len(improviser._window) <= MOST_REMEMBERED
        if improviser._turn is not None:
            assert len(improviser._turn.tail) <= MOST_UNFINISHED
            assert len(improviser._turn.own) <= LOOKED_BACK


def as_often(examples: int, steps: int, *phases: hypothesis.Phase) -> settings:
    return settings(
        phases=(hypothesis.Phase.generate, *phases),
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


TestSitting = Sitting.TestCase
TestSitting.settings = as_often(300, 50, hypothesis.Phase.shrink)

TestSittingWithTheModel = SittingWithTheModel.TestCase
TestSittingWithTheModel.settings = as_often(40, 40)
