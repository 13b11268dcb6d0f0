"""What the name of a MIDI port tells: whose it is, whether it is hardware, which device it belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# Names as rtmidi gives them: "client:port 20:0" with ALSA, "client:port" with JACK, the port alone elsewhere.
_ALSA_NUMBER = re.compile(r" (\d+):\d+$")
_BRIDGED_NUMBER = re.compile(r" ?\[(\d+)\]")
_ALSA_HARDWARE = range(16, 128)  # 0 and 14 are the system's own, programs begin at 128
_JACK_HARDWARE = re.compile(r"(system|system_midi|a2j|Midi-Bridge)(-\d+)?:")
_LOOPBACK = re.compile(
    r"midi.?through|loop.?back|loopmidi|loopbe|\biac\b|midi yoke|virmidi|virtual", re.IGNORECASE
)
_SAYS_LOOPBACK = re.compile(r"through|loop|\biac\b|yoke|virmidi|virtual", re.IGNORECASE)
_CLIENT_COUNT = re.compile(r"-\d\d(?=:)")
_DIRECTION = re.compile(r"\b(midi )?(capture|playback|input|output|in|out)(?=\b|\d|_)", re.IGNORECASE)


def is_own(name: str, own: str) -> bool:
    """Whether improv itself has opened it; `own` is what its ports are called."""
    ours = rf"(.*:)?{re.escape(own)} (in|out|input|output)( \d+:\d+)?( #\d+)?"
    return re.fullmatch(ours, name) is not None


def is_loopback(name: str) -> bool:
    """Whether it only gives back what programs send to it, as far as its name tells."""
    return _LOOPBACK.search(name) is not None


def is_hardware(name: str, api: str) -> bool:
    """Whether a device is behind it rather than another program, as far as its name tells.

    Args:
        name: As the MIDI system gives it.
        api: The MIDI system: alsa, coremidi, jack or windows.
    """
    if is_loopback(name):
        return False
    if api not in ("alsa", "jack"):
        return True
    number = _alsa_number(name)
    if number is not None and number not in _ALSA_HARDWARE:
        return False
    return _JACK_HARDWARE.match(name) is not None if api == "jack" else number is not None


def told_apart(names: Iterable[str]) -> tuple[str, ...]:
    """The names with "#2", "#3" ... after those that were there before, as of two keyboards of a kind."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return tuple(found)


def find_port(names: Sequence[str], wanted: str) -> str | None:
    """The port whose name contains `wanted`, or is it; capitals do not matter.

    A loopback is found only by a name that says that it is one. A device that has come back under another
    ALSA number is found by its old name.
    """
    if wanted in names:
        return wanted
    named = wanted.casefold()
    likely = [name for name in names if _SAYS_LOOPBACK.search(wanted) or not is_loopback(name)]
    for part, among in ((named, str.casefold), (_without_number(named), _folded_without_number)):
        for name in likely:
            if part in among(name):
                return name
    return None


def choose_ports(
    names: Sequence[str], wanted: Iterable[str], *, auto: bool, own: str, api: str
) -> list[tuple[str, str]]:
    """Which ports to connect, none of them twice and none of improv's own.

    Args:
        names: Ports that nothing of ours is connected to yet.
        wanted: Parts of names.
        auto: Hardware is wanted whatever it is called.
        own: What improv's own ports are called.
        api: The MIDI system: alsa, coremidi, jack or windows.

    Returns:
        What was wanted, "" for hardware that has no name in `wanted`, and the port's name.
    """
    free = [name for name in names if not is_own(name, own)]
    chosen = []
    for text in wanted:
        found = find_port(free, text)
        if found is not None:
            free.remove(found)
            chosen.append((text, found))
    if auto:
        chosen += [("", name) for name in free if is_hardware(name, api)]
    return chosen


def device_of(name: str) -> str:
    """The same text for the inputs and outputs of one device, as far as their names tell."""
    number = _alsa_number(name)
    if number is not None:
        return f"alsa {number}"
    text = _DIRECTION.sub(" ", _CLIENT_COUNT.sub("", name).replace("_", " "))
    return " ".join(text.casefold().replace(":", " : ").split())


def _alsa_number(name: str) -> int | None:
    matched = _ALSA_NUMBER.search(name) or _BRIDGED_NUMBER.search(name)
    return int(matched[1]) if matched else None


def _without_number(name: str) -> str:
    return _BRIDGED_NUMBER.sub("", _ALSA_NUMBER.sub("", name))


def _folded_without_number(name: str) -> str:
    return _without_number(name).casefold()
