"""Every mode on real ports, changed while playing by foot and by OSC: what a musician would expect of it."""

from __future__ import annotations

import statistics
import time
from itertools import pairwise
from pathlib import Path

import pytest
from midi_checks import balance, notes_of, pedals_down
from mode_sittings import (
    HAND_OVER,
    NEXT_MODE,
    PHRASE,
    Band,
    ModeSitting,
    longest_rest_s,
    mode_sitting,
    since_the_first_of_each_key,
    sounding_at,
)
from performance_fixture import human_performance
from sittings import IMPROV_CHANNEL, elapsed_s, note_ons, phrase_of

from improv_core.midi_files import Track, read_midi, write_midi
from improv_daemon.wire import Sounded

JACK_LIMIT_S = 230
SEED = ("--seed", "7")
SOLO_S = 10.5
FIRST_WITHIN_S = 2.0
LISTENED_S = 3.0
"""So long without an answer: twice what improv waits in mode answer."""
WAITS_S = 1.2
"""The least silence that ends a turn by itself."""
AT_ONCE_S = 0.15
TOGETHER_S = 0.1
LONGEST_REST_S = 4.0
"""A solo breathes between phrases; in a duet the player is never left alone for longer."""
JUST_BEFORE_S = 0.05
"""A note that begins so shortly before Ctrl-C may be heard and not be told of any more."""
CHANGED_S = 0.5
"""A change that came by OSC is in force after that."""
EACH_S, BEAT_S = 2.0, 0.5
"""Seconds of each when both trade: a bar at 120 beats a minute."""
ON_THE_LINE_S = 0.08
MELODY = (72, 74, 76, 77)
DUET_S, DUET_GAP_S = 9.0, 0.3


# --- a sitting in which the foot changes the mode -----------------------------------------------------


def by_foot(band: Band) -> None:
    """Solo, then listening, then answers; stopped in the middle of the last one."""
    band.begins_in("solo")
    begin_s = band.stays["solo"].begin_s
    band.player.wait_for(lambda: _last(band) > begin_s + SOLO_S, SOLO_S + 10.0)
    band.step_to("listen")
    band.player.wait_until(band.play(*PHRASE) + LISTENED_S)
    band.step_to("answer")
    called_s = band.moments["called"] = band.play(*PHRASE)
    assert band.hear(WAITS_S + 5.0, since_s=called_s), band.improv.text
    band.player.wait_for_quiet(called_s, 1.0, 20.0)
    called_s = band.play(*PHRASE)
    band.moments["handed over"] = band.press_pedal(HAND_OVER, called_s + 0.1)
    assert band.hear(WAITS_S + 5.0, since_s=called_s, notes=3), band.improv.text
    assert band.player.wait_for(lambda: bool(balance(band.player.heard).hanging), 5.0)


def _last(band: Band) -> float:
    return max(note_ons(band.player.heard), default=0.0)


@pytest.fixture(scope="module")
def foot(jack_server: str, tmp_path_factory: pytest.TempPathFactory) -> ModeSitting:
    """Primed with a phrase of piano music."""
    folder = tmp_path_factory.mktemp("foot")
    human = human_performance()
    prime = phrase_of(human.performance, human.phrase_starts_s[0], human.phrase_ends_s[2])
    write_midi(folder / "prime.mid", [Track("piano", prime)])
    controls = ("-o", f"controls.next_mode=cc {NEXT_MODE}", "-o", f"controls.hand_over=cc {HAND_OVER}")
    waits = ("-o", f"turn.silence_min_s={WAITS_S}")
    return mode_sitting(folder, by_foot, "--prime", str(folder / "prime.mid"), *SEED, *controls, *waits)


def first_after(sitting: ModeSitting, moment: str) -> float:
    """From a moment to improv's next onset."""
    since_s = sitting.moments[moment]
    first_s = min(at_s for at_s in note_ons(sitting.heard) if at_s > since_s)
    return elapsed_s(since_s, first_s, sitting.stalls)


def test_solo_begins_within_two_seconds_of_the_start_without_being_played_to(foot: ModeSitting) -> None:
    assert "mode solo, from prime.mid" in foot.text.splitlines()[2]
    begin_s = foot.journal.header.now_s
    sounded_s = [e.message.at_s for e in foot.journal.entries if isinstance(e.message, Sounded)]
    assert 0.0 <= sounded_s[0] - begin_s < FIRST_WITHIN_S
    assert sounded_s[0] < min(at_s for at_s, _ in foot.sent)


def test_solo_goes_on(foot: ModeSitting) -> None:
    stay = foot.stays["solo"]
    assert stay.end_s - stay.begin_s > 10.0
    onsets_s = note_ons(foot.heard_in("solo"))
    assert len(onsets_s) > 20
    assert longest_rest_s(onsets_s, stay.begin_s, stay.end_s) < LONGEST_REST_S


def test_in_listen_improv_says_nothing_once_what_sounded_has_ended(foot: ModeSitting) -> None:
    assert len(note_ons(foot.sent_in("listen"))) == len(PHRASE)
    assert foot.heard_in("listen") == []


def test_in_answer_a_call_is_answered_after_the_silence_that_is_set(foot: ModeSitting) -> None:
    assert WAITS_S - 0.01 < first_after(foot, "called") < WAITS_S + 2.0


def test_handed_over_by_foot_a_call_is_answered_at_once(foot: ModeSitting) -> None:
    assert first_after(foot, "handed over") < AT_ONCE_S


# --- a sitting in which OSC messages change the mode ---------------------------------------------------


def by_osc(band: Band) -> None:
    """A duet, then notes under a melody, and over it, then a solo; stopped in the middle of that."""
    band.begins_in("listen")
    band.ask_for("duet")
    pitches = [(76, 79, 83, 81)[i % 4] for i in range(round(DUET_S / DUET_GAP_S))]
    last_s = band.play(*pitches, gap_s=DUET_GAP_S, duration_s=0.2)
    band.player.wait_until(last_s + 0.3)
    band.ask_for("harmonise")
    band.play_out(*MELODY, gap_s=0.4, duration_s=0.3)
    band.set(harmonise_side="above")
    band.moments["above"] = band.player.sent[-1][0]
    band.player.wait_until(band.moments["above"] + CHANGED_S)
    band.play_out(*MELODY, gap_s=0.4, duration_s=0.3)
    band.ask_for("solo")
    begin_s = band.stays["solo"].begin_s
    assert band.hear(5.0, since_s=begin_s, notes=3), band.improv.text
    assert band.player.wait_for(lambda: bool(balance(band.player.heard).hanging), 5.0)


@pytest.fixture(scope="module")
def osc(jack_server: str, tmp_path_factory: pytest.TempPathFactory) -> ModeSitting:
    """From listening on."""
    return mode_sitting(tmp_path_factory.mktemp("osc"), by_osc, "--mode", "listen", *SEED)


def test_in_a_duet_both_play_at_once_and_the_player_is_never_left_alone_for_long(osc: ModeSitting) -> None:
    players_s = note_ons(osc.sent_in("duet"))
    onsets_s = note_ons(osc.heard_in("duet"))
    assert len([at_s for at_s in onsets_s if players_s[0] < at_s < players_s[-1]]) >= 8
    assert longest_rest_s(onsets_s, players_s[0], players_s[-1]) < LONGEST_REST_S
    own = notes_of(osc.heard_in("duet"))
    assert sum(bool(sounding_at(own, at_s)) for at_s in players_s) >= len(players_s) / 4


def test_a_duet_goes_on_however_often_it_is_planned_anew(osc: ModeSitting) -> None:
    players_s = note_ons(osc.sent_in("duet"))
    onsets_s = note_ons(osc.heard_in("duet"))
    between = pairwise(players_s)
    played_between = sum(any(before < at_s < after for at_s in onsets_s) for before, after in between)
    assert played_between >= 5


def test_in_a_duet_improv_plays_under_the_player(osc: ModeSitting) -> None:
    theirs = [note.pitch for note in notes_of(osc.sent_in("duet"))]
    own = [note.pitch for note in notes_of(osc.heard_in("duet"))]
    assert statistics.mean(own) < min(theirs)


def test_in_harmonise_each_note_has_a_companion_that_ends_with_it(osc: ModeSitting) -> None:
    melody, companions = notes_of(osc.sent_in("harmonise")), notes_of(osc.heard_in("harmonise"))
    assert len(melody) == len(companions) == 2 * len(MELODY)
    for note, companion in zip(melody, companions, strict=True):
        assert 0.0 <= elapsed_s(note.onset_s, companion.onset_s, osc.stalls) < TOGETHER_S
        assert 0.0 <= elapsed_s(note.release_s, companion.release_s, osc.stalls) < TOGETHER_S
    assert {data[0] & 0x0F for _, data in osc.heard_in("harmonise")} == {IMPROV_CHANNEL}


def test_in_harmonise_companions_are_on_the_side_that_is_asked_for_while_playing(osc: ModeSitting) -> None:
    melody, companions = notes_of(osc.sent_in("harmonise")), notes_of(osc.heard_in("harmonise"))
    over = [companion.pitch > note.pitch for note, companion in zip(melody, companions, strict=True)]
    assert over == [note.onset_s > osc.moments["above"] for note in melody]


def test_a_solo_that_is_asked_for_while_playing_begins_within_two_seconds(osc: ModeSitting) -> None:
    first_s = note_ons(osc.heard_in("solo"))[0]
    assert elapsed_s(osc.stays["solo"].begin_s, first_s, osc.stalls) < FIRST_WITHIN_S


# --- a sitting in which both trade ---------------------------------------------------------------------


def by_turns(band: Band) -> None:
    """Twice two seconds each, then twice a bar each by MIDI clock."""
    band.begins_in("listen")
    band.set(trade_seconds=EACH_S)
    band.ask_for("trade")
    for moment in ("seconds", "bars"):
        begin_s = time.monotonic() + 0.3
        if moment == "bars":
            band.send_clock(begin_s, 6 * EACH_S, BEAT_S)
            begin_s += EACH_S  # the clock is heard for a bar before anybody plays
        band.moments[moment] = begin_s
        for its_turn in range(2):
            band.play(*PHRASE, start_s=begin_s + 2 * its_turn * EACH_S + 0.02)
        band.player.wait_until(begin_s + 4 * EACH_S + 0.3)
        band.set(trade_seconds=0, trade_bars=1)
        band.player.wait_until(begin_s + 5 * EACH_S)  # where nobody plays on both rest


@pytest.fixture(scope="module")
def turns(jack_server: str, tmp_path_factory: pytest.TempPathFactory) -> ModeSitting:
    """From listening on."""
    return mode_sitting(tmp_path_factory.mktemp("turns"), by_turns, "--mode", "listen", *SEED)


@pytest.mark.parametrize("by", ["seconds", "bars"])
@pytest.mark.parametrize("its_turn", [0, 1])
def test_in_trade_improv_has_the_floor_from_line_to_line(turns: ModeSitting, by: str, its_turn: int) -> None:
    begin_s = turns.moments[by] + (2 * its_turn + 1) * EACH_S
    end_s = begin_s + EACH_S
    own = [note for note in notes_of(turns.heard) if begin_s - 0.5 < note.onset_s < end_s + 0.5]
    assert len(own) >= 2
    assert own[0].onset_s - begin_s > -ON_THE_LINE_S
    assert elapsed_s(begin_s, own[0].onset_s, turns.stalls) < ON_THE_LINE_S
    assert elapsed_s(end_s, max(note.release_s for note in own), turns.stalls) < ON_THE_LINE_S


@pytest.mark.parametrize("by", ["seconds", "bars"])
def test_in_trade_improv_is_silent_while_the_player_has_the_floor(turns: ModeSitting, by: str) -> None:
    begin_s = turns.moments[by]
    own = notes_of(turns.heard)
    for its_turn in range(3):
        floor_s = begin_s + 2 * its_turn * EACH_S
        middle_s = [floor_s + part * EACH_S for part in (0.1, 0.3, 0.5, 0.7, 0.9)]
        assert [sounding_at(own, at_s) for at_s in middle_s] == [[]] * 5


def test_with_a_clock_nothing_is_said_of_a_missing_tempo(turns: ModeSitting) -> None:
    assert "no tempo" not in turns.text


# --- always -------------------------------------------------------------------------------------------


@pytest.fixture(params=["foot", "osc", "turns"])
def sitting(request: pytest.FixtureRequest) -> ModeSitting:
    """Each of them."""
    played: ModeSitting = request.getfixturevalue(request.param)
    return played


def test_every_note_on_has_its_note_off_and_the_pedal_ends_up(sitting: ModeSitting) -> None:
    heard = since_the_first_of_each_key(sitting.heard)
    found = balance(heard)
    assert (found.hanging, found.orphans, found.struck_twice) == ((), (), ())
    assert pedals_down(heard) == ()


def test_ctrl_c_ends_it_with_status_0_and_a_whole_journal(sitting: ModeSitting) -> None:
    assert sitting.status == 0
    assert "Traceback" not in sitting.text
    assert "no room" not in sitting.text
    assert (sitting.journal.damaged, sitting.journal.torn, sitting.journal.lost) == (0, False, 0)
    assert f"Kept {Path('kept', sitting.midi.parent.name)}: session.mid." in sitting.text


def test_the_file_has_what_both_have_played(sitting: ModeSitting) -> None:
    player, improv = read_midi(sitting.midi)
    assert (player.name, improv.name) == ("player", "improv")
    sounded_s = [e.message.at_s for e in sitting.journal.entries if isinstance(e.message, Sounded)]
    heard_s = note_ons(sitting.heard)
    told = [at_s for at_s in heard_s if sitting.connected_s < at_s < sitting.stopped_s - JUST_BEFORE_S]
    before = sum(at_s < sitting.connected_s - JUST_BEFORE_S for at_s in sounded_s)
    unheard = sum(at_s < sitting.connected_s for at_s in sounded_s)
    assert len(player.performance.notes) == len(notes_of(sitting.sent))
    assert len(improv.performance.notes) == len(sounded_s)
    assert before + len(told) <= len(sounded_s) <= unheard + len(heard_s)
