"""The MIDI ports of this computer, and which of them improv would use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from improv_core.errors import PortError
from improv_daemon.port_texts import AUTO, names_of
from improv_daemon.quiet import quiet_stderr
from improv_daemon.stage.hot_plug import missing_problem
from improv_daemon.stage.midi_system import MidiSystem, virtual_problem
from improv_daemon.stage.port_names import choose_ports, told_apart


@dataclass(frozen=True, slots=True)
class PortList:
    """The MIDI ports of this computer.

    Attributes:
        api: The MIDI system in use, None when there is none.
        inputs: Ports that improv can listen to.
        outputs: Ports that improv can play to.
        problem: One sentence about why there is no MIDI system, None when there is one.
    """

    api: str | None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    problem: str | None = None


def list_ports(api: str = "auto") -> PortList:
    """The ports there are now; never fails, `problem` says what is missing."""
    if api == "none":
        return PortList(None)
    with quiet_stderr():
        try:
            system = MidiSystem.find(api)
            inputs, outputs = system.names("MidiIn"), system.names("MidiOut")
        except PortError as error:
            return PortList(None, problem=str(error))
    return PortList(system.api, told_apart(inputs), told_apart(outputs))


def port_lines(found: PortList, *, inputs: str, outputs: str, name: str, virtual: bool) -> list[str]:
    """What `improv ports` says.

    Args:
        found: The ports there are.
        inputs: Those that the settings want.
        outputs: Those that the settings want.
        name: What improv's own ports are called.
        virtual: improv opens its own ports.
    """
    if found.problem:
        return [found.problem]
    if found.api is None:
        return ['There are no MIDI ports: ports.api = "none" switches MIDI off.']
    ins = _one_way("input", found.inputs, inputs, "listens to", name, found.api)
    outs = _one_way("output", found.outputs, outputs, "plays to", name, found.api)
    lines = ["Inputs (--in):", *ins[0], "Outputs (--out):", *outs[0], *ins[1], *outs[1]]
    if virtual and found.api == "windows":
        lines.append(virtual_problem("windows", name))
    elif virtual:
        lines.append(f'For other programs it opens "{name} in" and "{name} out".')
    return lines


def _one_way(
    kind: str, there: Sequence[str], wanted: str, does: str, own: str, api: str
) -> tuple[list[str], list[str]]:
    names = names_of(wanted)
    by_name = tuple(dict.fromkeys(text for text in names if text != AUTO))
    chosen = choose_ports(there, by_name, auto=AUTO in names, own=own, api=api)
    used = {name for _, name in chosen}
    lines = [f"  {name}" + (f"   <- improv {does} it" if name in used else "") for name in there]
    found = {text for text, _ in chosen}
    missing = [missing_problem(kind, text, there, own) for text in by_name if text not in found]
    return lines or ["  none"], missing
