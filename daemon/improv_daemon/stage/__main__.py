"""``python -m improv_daemon.stage --fd N --config JSON``: the stage process, started by the mind."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys

from improv_core.errors import ImprovError, SoundError
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage.inbox import Inbox, WakeUp
from improv_daemon.stage.loop import StageLoop
from improv_daemon.stage.mind_socket import MindSocket
from improv_daemon.stage.piano_voice import PianoVoice, open_voice
from improv_daemon.stage.ports import MidiPorts
from improv_daemon.stage.realtime import claim_priority, keep_stderr_quiet, stop_collecting
from improv_daemon.stage.rigging import put_together
from improv_daemon.stage.synth import LiveSynth, players_channel
from improv_daemon.wire import Ready, Trouble

EXIT_PORT_REFUSED = 2
EXIT_SOUND_REFUSED = 3
EXIT_FAULT = 70
_LAST_WORDS_S = 0.2


class Stage:
    """Everything the process holds, from opening to closing."""

    def __init__(self, config: StageConfig, mind: MindSocket, wake_up: WakeUp) -> None:
        """
        Raises:
            PortError: A named port is not there.
            SoundError: Sound is required and cannot be had.
        """
        self._mind = mind
        inbox = Inbox(wake_up)
        self._ports = MidiPorts(inbox, lambda text: mind.say(Trouble(text)))
        self._ports.open(config)
        self._problems = list(self._ports.problems)
        self._synth = self._open_synth(config)
        parts, unknown = put_together(config, self._ports, self._synth, players_channel(config))
        self._problems += unknown
        self.loop = StageLoop(parts, inbox, wake_up, mind)

    def run(self) -> None:
        """Play to the end; whatever ends it, nothing is left sounding."""
        sound = self._synth.description if self._synth else None
        self._mind.say(Ready(self._ports.inputs, self._ports.outputs, sound, tuple(self._problems)))
        try:
            self.loop.run()
        finally:
            try:
                self.loop.stop_the_clock()
            finally:
                self._let_go()

    def _let_go(self) -> None:
        try:
            self.loop.release_everything()
        finally:
            self._close()

    def _close(self) -> None:
        self._mind.say(self.loop.counts())
        self._ports.close()
        if self._ports.lost:
            # Not even the interpreter's own clearing up would come back from the dead server.
            self._mind.close(_LAST_WORDS_S)
            os._exit(0)
        if self._synth is not None:
            self._synth.close()

    def _open_synth(self, config: StageConfig) -> LiveSynth | PianoVoice | None:
        if config.sound == "off":
            return None
        try:
            return open_voice(config, lambda text: self._mind.say(Trouble(text)))
        except SoundError as error:
            if config.sound == "on":
                self._ports.close()
                raise
            self._problems.append(str(error))
            return None


def main() -> int:
    """Run the stage; the exit status tells the mind what was refused."""
    # Ctrl-C and a closed terminal are the mind's business; the stage ends when the mind does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    wake_up = WakeUp()
    stopped: list[Stage] = []
    ended = False

    def terminate(*_: object) -> None:
        nonlocal ended
        ended = True
        for stage in stopped:
            stage.loop.stop()

    signal.signal(signal.SIGTERM, terminate)
    signal.set_wakeup_fd(wake_up.write_fd, warn_on_full_buffer=False)
    arguments = _parse()
    mind = _connect(arguments.fd)
    keep_stderr_quiet()
    claim_priority()
    try:
        stage = Stage(StageConfig.from_json(arguments.config), mind, wake_up)
        stopped.append(stage)
        if ended:
            stage.loop.stop()
        stop_collecting()
        stage.run()
    except ImprovError as refusal:
        mind.say(Trouble(str(refusal)))
        return EXIT_SOUND_REFUSED if isinstance(refusal, SoundError) else EXIT_PORT_REFUSED
    except Exception as fault:  # noqa: BLE001 - the one boundary of this process; the mind logs it
        mind.say(Trouble(f"The stage failed, which is improv's own fault: {fault!r}."))
        return EXIT_FAULT
    finally:
        mind.close(_LAST_WORDS_S)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m improv_daemon.stage", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="the socket to the mind, inherited")
    parser.add_argument("--config", required=True, help="a StageConfig as JSON")
    return parser.parse_args()


def _connect(fd: int) -> MindSocket:
    # select takes no descriptors above 1023; a copy gets the lowest that is free.
    connection = socket.socket(fileno=os.dup(fd))
    os.close(fd)
    return MindSocket(connection)


if __name__ == "__main__":
    sys.exit(main())
