"""What improv takes of the computer: processor without input, memory, and how long it takes to start."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import rtmidi
from jack_player import JackPlayer

from bench.rig_processes import Improv, Memory, cpu_s, memory_of, name_of, summed
from bench.rig_rows import Effort, Row, figure, timed

_SETTLED_S = 3.0
_LOOK_EVERY_S = 0.002
_READY, _READY_LIVE = b"Ctrl-C stops.", b"improv answers when you stop"
_PORTS = ("improv in", "improv out")
_JACK = ("-o", "ports.api=jack")
_NO_SOUND = (*_JACK, "--no-sound")


def idle(effort: Effort) -> Iterator[Row]:
    """Processor and memory, at a terminal, MIDI only."""
    with tempfile.TemporaryDirectory() as place, Improv(*_NO_SOUND, folder=Path(place)) as improv:
        yield from _idle_cpu(improv, effort.idle_s, "2 % of a core")
        _play_a_little()
        yield from _memory(improv, "MIDI only", "140 MiB")


def idle_usual(effort: Effort) -> Iterator[Row]:
    """Processor at JACK's usual period."""
    with tempfile.TemporaryDirectory() as place, Improv(*_NO_SOUND, folder=Path(place)) as improv:
        yield from _idle_cpu(improv, effort.idle_s / 3, "row", "JACK at 256 frames")


def large(effort: Effort) -> Iterator[Row]:
    """Memory with a large soundfont, sounding."""
    if effort.large is None:
        yield figure("memory with a large soundfont", "300 MiB", "none is installed: fluid-soundfont-gm")
        return
    sound = ("-o", "sound.enabled=on", "-o", "sound.driver=jack", "-o", f"sound.soundfont={effort.large}")
    with tempfile.TemporaryDirectory() as place, Improv(*_JACK, *sound, folder=Path(place)) as improv:
        improv.said_by(_READY_LIVE)
        _play_a_little()
        size_mib = effort.large.stat().st_size / 2**20
        yield from _memory(improv, f"{effort.large.name} of {size_mib:.0f} MiB", "300 MiB")


def starts(effort: Effort) -> Iterator[Row]:
    """From its start to its ports being there and its first lines said; the files have been read before."""
    for terminal, where in ((True, "at a terminal"), (False, "into a pipe")):
        took_s = [_start_s(terminal) for _ in range(effort.starts + 1)][1:]
        yield timed(f"start to ready, warm, {where}", "1500 at most", took_s)


def _start_s(terminal: bool) -> float:
    looker = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name="looker")
    try:
        with (
            tempfile.TemporaryDirectory() as place,
            Improv(*_NO_SOUND, folder=Path(place), terminal=terminal) as improv,
        ):
            ports_s = _ports_there_s(looker, improv.begun_s + 20)
            said_s = improv.said_by(_READY_LIVE if terminal else _READY)
            return max(said_s, ports_s) - improv.begun_s
    finally:
        looker.delete()


def _ports_there_s(looker: rtmidi.MidiIn, until_s: float) -> float:
    listener = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="looker")
    try:
        while (now_s := time.monotonic()) < until_s:
            names = [name.partition(":")[2] for name in (*looker.get_ports(), *listener.get_ports())]
            if all(name in names for name in _PORTS):
                return now_s
            time.sleep(_LOOK_EVERY_S)
    finally:
        listener.delete()
    raise RuntimeError("improv's ports did not appear")


def _idle_cpu(improv: Improv, count_s: float, must: str, under: str = "JACK at 64 frames") -> Iterator[Row]:
    improv.said_by(_READY_LIVE)
    time.sleep(_SETTLED_S)
    pids = improv.processes
    begin_s, before, own = time.monotonic(), [cpu_s(pid) for pid in pids], _first_thread_s(pids)
    time.sleep(count_s)
    length_s = time.monotonic() - begin_s
    shares = [100 * (cpu_s(pid) - s) / length_s for pid, s in zip(pids, before, strict=True)]
    own_share = 100 * (_first_thread_s(pids) - own) / length_s
    each = ", ".join(f"{name_of(pid)} {share:.2f}" for pid, share in zip(pids, shares, strict=True))
    what = f"processor without input, {length_s:.0f} s, {under}"
    yield figure(what, must, f"{sum(shares):.2f} % ({each})")
    yield figure("of that without the threads in which JACK wakes the ports", "row", f"{own_share:.2f} %")


def _first_thread_s(pids: list[int]) -> float:
    """Of the processes' own threads: of the stage the first; all that a library starts are the others."""
    return sum(cpu_s(pid, own=name_of(pid) == "stage") for pid in pids)


def _memory(improv: Improv, with_what: str, must: str) -> Iterator[Row]:
    of = {name_of(pid): memory_of(pid) for pid in improv.processes}
    whole = summed(list(of.values()))
    yield figure(f"memory, {with_what}: resident", must, _each(of, whole, "rss"))
    yield figure("   of that JACK's shared memory, once for each mapping", "row", f"{whole.jack:.0f} MiB")
    yield figure("   each shared page divided among its sharers", "row", _each(of, whole, "pss"))


def _each(of: dict[str, Memory], whole: Memory, which: str) -> str:
    parts = ", ".join(f"{name} {getattr(memory, which):.0f}" for name, memory in of.items())
    return f"{getattr(whole, which):.0f} MiB ({parts})"


def _play_a_little() -> None:
    """A call of two seconds, and time for the answer: what is loaded only then is counted too."""
    with JackPlayer() as player:
        player.connect()
        begin_s = time.monotonic() + 0.1
        for i in range(16):
            at_s, pitch = begin_s + 0.12 * i, 60 + (5 * i) % 17
            player.play([(at_s, (0x90, pitch, 70)), (at_s + 0.1, (0x80, pitch, 0))])
        player.wait_until(begin_s + 5.0)
