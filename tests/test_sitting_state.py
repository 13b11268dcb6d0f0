"""How a sitting stands."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from improv_core.bars import Bars, TempoSource
from improv_core.representation import Pulse
from improv_daemon.display import Opening
from improv_daemon.partner import Drawn, Looping, ModeChanged, Muted, Phase, Said
from improv_daemon.screen.snapshot import IMPROV, YOU, Sentence, Snapshot, Tempo, Timing
from improv_daemon.settings import MODES, Controls, Sampling, Settings, changed
from improv_daemon.sitting_state import KEPT_S, NOTES_KEPT, TEMPO_EACH_S, SittingState
from improv_daemon.sparing import AGAIN_AFTER_S
from improv_daemon.wire import (
    Played,
    PlayNote,
    PortsChanged,
    Ready,
    Released,
    Sounded,
    Trouble,
    TurnCancelled,
    Woken,
)

NOTE = PlayNote(1, 0, 60, 64, 0.0, 1.0)


@dataclass
class Standing:
    """A partner who stands still."""

    settings: Settings = field(default_factory=Settings)
    phase: Phase = Phase.LISTENING
    learning: str = ""
    beats: tuple[TempoSource, Bars] | None = None

    def tempo(self, now_s: float) -> tuple[TempoSource, Bars] | None:
        return self.beats


class Watched:
    """A state whose clock is set."""

    def __init__(self, playing: Standing | None = None) -> None:
        self.now_s = 100.0
        self.state = SittingState(lambda: self.now_s)
        self.playing = playing or Standing()

    @property
    def seen(self) -> Snapshot:
        return self.state.snapshot(self.playing, self.now_s)


def strike(pitch: int, at_s: float, velocity: int = 64) -> Played:
    return Played((0x90, pitch, velocity), at_s, "keys")


def release(pitch: int, at_s: float) -> Played:
    return Played((0x80, pitch, 0), at_s, "keys")


def test_at_the_beginning_there_is_what_the_stage_has_and_what_it_could_not_get() -> None:
    watched = Watched()
    ready = Ready(("improv in",), ("improv out",), "FluidSynth", ("A pedal is missing.",))
    watched.state.opening(Opening("default", "answer", ready, remarks=["It knows nothing of timing."]))
    seen = watched.seen
    assert (seen.mode, seen.mode_words, seen.phase) == ("answer", "improv answers when you stop", "listening")
    assert (seen.model, seen.preset, seen.states, seen.tempo) == ("default", "", (), None)
    assert (seen.inputs, seen.outputs, seen.sound) == (("improv in",), ("improv out",), "FluidSynth")
    assert seen.timing == Timing(None, None, None)
    assert seen.said == (
        Sentence("It knows nothing of timing.", 100.0, is_problem=False),
        Sentence("A pedal is missing.", 100.0, is_problem=True),
    )


def test_without_midi_and_sound_the_demo_is_named_but_not_in_the_demo() -> None:
    for hint, said in ((True, ["Without MIDI and sound, try: improv demo"]), (False, [])):
        watched = Watched()
        watched.state.opening(Opening("default", "answer", Ready((), (), None, ()), hint=hint))
        assert [one.text for one in watched.seen.said] == said


def test_notes_are_kept_with_who_plays_them() -> None:
    watched = Watched()
    for event in (
        *(strike(60, 98.0), strike(64, 98.1), release(60, 98.5), strike(64, 98.6, velocity=0)),
        *(Sounded(1, 0, 72, 64, 99.0, 0.0), Sounded(1, 1, 76, 64, 99.2, 0.0), Released(1, 0, 72, 99.4)),
    ):
        watched.state.event(event)
    assert watched.seen.notes == (
        *((YOU, 60, 98.0, 98.5), (YOU, 64, 98.1, 98.6)),
        *((IMPROV, 72, 99.0, 99.4), (IMPROV, 76, 99.2, None)),
    )


def test_a_key_that_is_struck_again_ends_its_note_before() -> None:
    watched = Watched()
    for event in (strike(60, 98.0), strike(60, 99.0), release(60, 99.5), release(60, 99.6)):
        watched.state.event(event)
    assert watched.seen.notes == ((YOU, 60, 98.0, 99.0), (YOU, 60, 99.0, 99.5))


def test_what_is_cut_short_and_what_all_notes_off_lets_go_has_ended() -> None:
    watched = Watched()
    for event in (
        *(Sounded(1, 0, 72, 64, 98.0, 0.0), Sounded(2, 0, 74, 64, 98.0, 0.0), strike(60, 98.0)),
        *(TurnCancelled(1, 98.5, 3), Played((0xB0, 123, 0), 98.7, "keys")),
    ):
        watched.state.event(event)
    assert [end_s for *_, end_s in watched.seen.notes] == [98.5, None, 98.7]


def test_what_ended_long_ago_is_forgotten_and_no_more_is_kept_than_can_be_shown() -> None:
    watched = Watched()
    watched.state.event(strike(60, 90.0))
    watched.state.event(release(60, 91.0))
    watched.now_s = 91.0 + KEPT_S + 0.1
    assert watched.seen.notes == ()
    for number in range(NOTES_KEPT + 5):
        watched.state.event(strike(number % 128, 150.0 + number))
    assert len(watched.seen.notes) == NOTES_KEPT
    for number in range(128):
        watched.state.event(release(number, 400.0))
    assert all(end_s is not None for *_, end_s in watched.seen.notes)


@pytest.mark.parametrize("data", [(), (0xF8,), (0xC0, 5), (0xB0, 64, 127), (0xE0, 0, 64)])
def test_other_messages_are_no_notes(data: tuple[int, ...]) -> None:
    watched = Watched()
    watched.state.event(Played(data, 99.0, "keys"))
    assert watched.seen.notes == ()


def test_ports_come_and_go_and_trouble_is_a_problem() -> None:
    watched = Watched()
    watched.state.event(PortsChanged(("Keystation",), ()))
    watched.state.event(Trouble("The Roland is gone."))
    assert (watched.seen.inputs, watched.seen.outputs) == (("Keystation",), ())
    assert watched.state.problems == (Sentence("The Roland is gone.", 100.0, is_problem=True),)


def test_sentences_are_not_repeated_over_and_over() -> None:
    watched = Watched()
    for _ in range(9):
        watched.state.notice(Said("That cannot be."))
    assert [one.text for one in watched.seen.said] == ["That cannot be."]
    watched.now_s += AGAIN_AFTER_S
    watched.state.notice(Said("That cannot be."))
    assert len(watched.seen.said) == 2


def test_muted_and_looping_are_states_and_another_mode_ends_the_loop() -> None:
    watched = Watched()
    watched.state.notice(Muted(True))
    watched.state.notice(Looping(True))
    assert watched.seen.states == ("muted", "looping")
    watched.state.notice(ModeChanged("duet"))
    assert watched.seen.states == ("muted",)
    watched.state.notice(Muted(False))
    assert watched.seen.states == ()


def test_lateness_is_that_of_the_latest_notes() -> None:
    watched = Watched()
    for number, late_s in enumerate([0.0001, 0.0003, 0.002]):
        watched.state.event(Sounded(1, number, 60, 64, 99.0, late_s))
    assert (watched.seen.timing.late_ms, watched.seen.timing.worst_ms) == (0.3, 2.0)


def test_the_model_s_time_is_that_of_the_notes_it_has_drawn() -> None:
    watched = Watched()
    watched.state.saw(Woken(), [], 1.0, 1.5)
    assert watched.seen.timing.model_ms is None
    watched.state.saw(Woken(), [NOTE, NOTE], 1.0, 1.004)
    assert watched.seen.timing.model_ms == 2.0
    for _ in range(4):
        watched.state.notice(Drawn(1, 0))
    watched.state.saw(Woken(), [NOTE], 1.0, 1.004)
    assert watched.seen.timing.model_ms == 1.5
    watched.state.saw(Woken(), [], 1.0, 1.9)
    assert watched.seen.timing.model_ms == 1.5


@pytest.mark.parametrize(
    ("source", "steady"),
    [(TempoSource.CLOCK, True), (TempoSource.TAPPED, True), (TempoSource.PLAYED, False)],
)
def test_the_tempo_is_told_with_its_source(source: TempoSource, steady: bool) -> None:
    watched = Watched(Standing(beats=(source, Bars(Pulse(99_000.0, 500.0), 3))))
    assert watched.seen.tempo == Tempo(0.5, 99.0, 3, source.value, steady)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_has_its_dials(mode: str) -> None:
    watched = Watched(Standing(changed(Settings(), "mode", mode)))
    keys = [dial.key for dial in watched.seen.dials]
    assert len(keys) == len(set(keys)) >= 10
    assert "sampling.temperature" in keys


def test_a_dial_tells_its_value_and_the_controller_that_turns_it() -> None:
    settings = replace(
        Settings(),
        sampling=Sampling(temperature=1.25),
        controls=Controls(knobs="cc 20 sampling.temperature, cc 21 memory.follow 0..0.4"),
    )
    dials = {dial.name: dial for dial in Watched(Standing(settings)).seen.dials}
    assert (dials["temperature"].value, dials["temperature"].share) == ("1.25", 0.75)
    assert (dials["temperature"].knob, dials["follow"].knob, dials["style"].knob) == ("cc 20", "cc 21", "")


def test_what_is_awaited_of_the_musician_is_told() -> None:
    assert Watched(Standing(learning="memory.follow", phase=Phase.TOGETHER)).seen.learning == "memory.follow"


def test_the_tempo_is_not_asked_for_oftener_than_it_matters() -> None:
    watched = Watched(Standing(beats=(TempoSource.CLOCK, Bars(Pulse(99_000.0, 500.0), 4))))
    assert watched.seen.tempo is not None
    watched.playing.beats = None
    watched.now_s += TEMPO_EACH_S / 2
    assert watched.seen.tempo is not None
    watched.now_s += TEMPO_EACH_S
    assert watched.seen.tempo is None
