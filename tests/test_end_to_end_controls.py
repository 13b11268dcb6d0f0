"""Sittings on real ports in which improv is told things while it plays: at the keyboard, and by OSC."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import pytest
from improv_process import ImprovProcess, run_improv
from jack_player import JackPlayer, Timed
from midi_checks import balance
from pythonosc.udp_client import SimpleUDPClient
from sittings import JACK, note_ons
from udp_ports import free_port

from improv_daemon.settings import MODES

LISTENED_S = 1.5
"""So long without an answer: more than twice what improv waits in mode answer."""
QUIET_S = 0.5
SHORT = ("-o", "answer.length_min_s=1", "-o", "answer.length_max_s=1")
ANSWER_WITHIN_S = 6.0
PHRASE = ((60, 0.0), (64, 0.25), (67, 0.5), (72, 0.75))
LAST_ONSET_S = 0.75
HANDED_OVER_S = 0.15
"""An answer that waits for the end of the turn by itself begins later than that."""
SENT_AGAIN = 100
HAND_OVER_KEY, LOWEST, HIGHEST = 108, 21, 107
GESTURES = (
    *("-o", f"controls.hand_over=note {HAND_OVER_KEY}"),
    *("-o", f"controls.next_mode=notes {LOWEST}+{HIGHEST}"),
    *("-o", "controls.tap=cc 67"),
)


def strike(pitch: int, at_s: float, *, lasting_s: float = 0.2) -> list[Timed]:
    return [(at_s, (0x90, pitch, 70)), (at_s + lasting_s, (0x80, pitch, 0))]


def play_phrase(player: JackPlayer) -> float:
    """Play a phrase; when its last note is struck."""
    start_s = time.monotonic() + 0.05
    player.play([message for pitch, at_s in PHRASE for message in strike(pitch, start_s + at_s)])
    player.wait_until(start_s + LAST_ONSET_S)
    return start_s + LAST_ONSET_S


def answer_begins(player: JackPlayer, since_s: float, within_s: float) -> bool:
    return player.wait_for(lambda: any(at_s > since_s for at_s in note_ons(player.heard)), within_s)


def is_answered(player: JackPlayer) -> bool:
    """Whether a phrase is answered; waits for the end of the answer."""
    last_s = play_phrase(player)
    if not answer_begins(player, last_s, ANSWER_WITHIN_S):
        return False
    return player.wait_for_quiet(last_s, QUIET_S, 20.0)


def is_listened_to(player: JackPlayer) -> bool:
    """Whether a phrase is heard in silence."""
    return not answer_begins(player, play_phrase(player), LISTENED_S)


@pytest.mark.usefixtures("jack_server")
def test_the_mode_is_changed_by_osc_while_it_plays_whatever_else_comes_in_there(tmp_path: Path) -> None:
    port = free_port()
    options = (*JACK, "--seed", "7", *SHORT, "-o", f"controls.osc_port={port}")
    with ImprovProcess("play", *options, folder=tmp_path) as improv, JackPlayer() as player:
        improv.wait_for_text(f"OSC messages are taken at UDP port {port}.\n")
        player.connect()
        with (
            SimpleUDPClient("127.0.0.1", port) as other,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as vandal,
        ):
            other.send_message("/improv/mode", "listen")
            improv.wait_for_text("Mode listen: improv only listens.\n")
            assert is_listened_to(player)
            for _ in range(3000):
                vandal.sendto(b"\xff" * 200, ("127.0.0.1", port))
                vandal.sendto(b"#bundle\0" + bytes(8) + b"\xff\xff\xff\xfc" * 8, ("127.0.0.1", port))
            for _ in range(SENT_AGAIN):  # a datagram that finds the port full is lost
                other.send_message("/improv/mode", "answer")
                player.wait_until(time.monotonic() + 0.01)
            improv.wait_for_text("Mode answer: improv answers when you stop.\n")
            assert is_answered(player)
            other.send_message("/improv/sampling/temperature", float("nan"))
            improv.wait_for_text("is neither a number nor a text.\n")
        status, took_s = improv.stop(signal.SIGINT)
        assert not balance(player.heard).hanging
    assert (status, took_s < 1.0) == (0, True)
    assert improv.text.count("no OSC message") == 1
    assert "Traceback" not in improv.text


def hold_together(player: JackPlayer) -> None:
    """Tell improv at the keyboard to go on to the next mode."""
    now_s = time.monotonic() + 0.02
    player.play([*strike(LOWEST, now_s), *strike(HIGHEST, now_s + 0.1, lasting_s=0.05)])
    player.wait_until(now_s + 0.3)


@pytest.mark.usefixtures("jack_server")
def test_a_key_hands_over_and_keys_held_together_change_the_mode_round_and_back(tmp_path: Path) -> None:
    options = (*JACK, "--seed", "7", "--mode", "listen", *SHORT, *GESTURES)
    with ImprovProcess("play", *options, folder=tmp_path) as improv, JackPlayer() as player:
        improv.wait_until_playing()
        player.connect()
        assert is_listened_to(player)
        hold_together(player)
        improv.wait_for_text("Mode answer: improv answers when you stop.\n")
        assert is_answered(player)
        last_s = play_phrase(player)
        player.play(strike(HAND_OVER_KEY, last_s + 0.1, lasting_s=0.1))
        assert answer_begins(player, last_s, 0.1 + HANDED_OVER_S)
        player.wait_for_quiet(last_s, QUIET_S, 20.0)
        for _ in MODES:
            if "Mode listen: " not in improv.text:
                hold_together(player)
        improv.wait_for_text("Mode listen: improv only listens.\n")
        player.wait_for(lambda: not balance(player.heard).hanging, 10.0)
        assert is_listened_to(player)
        assert improv.stop(signal.SIGINT)[0] == 0
        assert not balance(player.heard).hanging
    assert "Traceback" not in improv.text


KNOB, LAMP = 30, 21
"""Controllers: one that is learned, one that improv says its mode with."""


@pytest.mark.usefixtures("jack_server")
def test_a_knob_is_learned_and_kept_and_a_program_chooses_a_preset(tmp_path: Path) -> None:
    port = free_port()
    told = (f"osc_port={port}", "presets_by_program=true", f"state_mode={LAMP}")
    options = ["-o", "ports.thru=on", *(part for one in told for part in ("-o", f"controls.{one}"))]
    with ImprovProcess("play", *JACK, *options, folder=tmp_path) as improv, JackPlayer() as player:
        improv.wait_for_text(f"OSC messages are taken at UDP port {port}.\n")
        player.connect()
        with SimpleUDPClient("127.0.0.1", port) as other:
            other.send_message("/improv/learn", "mode")
        improv.wait_for_text("Move the knob, fader or pedal that is to be for mode.\n")
        now_s = time.monotonic()
        player.play((now_s + 0.01 * to, (0xB0, KNOB, 60 + to)) for to in range(5))
        improv.wait_for_text(f"Controller {KNOB} on channel 1 is for mode from now on, and is kept in ")
        player.play([(time.monotonic(), (0xB0, KNOB, 70))])
        improv.wait_for_text("Mode harmonise: improv adds notes to yours.\n")
        play_phrase(player)
        assert player.wait_for(lambda: any(data[0] == 0x91 for _, data in player.heard), 2.0)
        player.play([(time.monotonic(), (0xC0, 3))])
        improv.wait_for_text("Preset fours: 4 bars each.\n")
        improv.wait_for_text("Mode trade: you take turns of a few bars.\n")
        modes = [(0xB1, LAMP, MODES.index(mode)) for mode in ("harmonise", "trade")]
        player.wait_for(lambda: [data for _, data in player.heard if data[1] == LAMP][-2:] == modes, 2.0)
        assert [data for _, data in player.heard if data[1] == LAMP][-2:] == modes
        assert improv.stop(signal.SIGINT)[0] == 0
        assert not balance(player.heard).hanging
    gone_on = [data for _, data in player.heard if data[0] & 0x0F == 0]
    assert [data[1] for data in gone_on if data[0] == 0x90] == [pitch for pitch, _ in PHRASE]
    assert (0xB0, KNOB, 70) not in gone_on
    assert (0xC0, 3) not in gone_on
    assert "Traceback" not in improv.text
    kept = run_improv("settings", "controls.knobs", folder=tmp_path).stdout
    assert kept.startswith(f'controls.knobs = "cc {KNOB} ch 1 mode"   (from {tmp_path / "home"}')
