"""A terminal window with a shell in it, by tmux: what stands there, and how the terminal is set."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Self

from improv_process import environment

SEEN_WITHIN_S = 15.0
_LOOK_EVERY_S = 0.05
_SHELL = "PS1='$ ' exec bash --norc --noprofile"


class TerminalWindow:
    """A context manager; the window is closed at its end.

    Args:
        folder: Where the shell is; its home and tmux's socket are in there.
        columns: Of the window.
        rows: Of the window.
        extra: Variables for its environment.
    """

    def __init__(self, folder: Path, columns: int = 80, rows: int = 24, **extra: str) -> None:
        self._socket = folder / "tmux"
        self.folder = folder
        run_folder = folder / "run"
        run_folder.mkdir(mode=0o700)
        own = {"XDG_RUNTIME_DIR": str(run_folder), "LC_ALL": "C.UTF-8", **extra}
        self.environment = environment(folder / "home", **own)
        del self.environment["COLUMNS"]
        size = ("-x", str(columns), "-y", str(rows))
        subprocess.run(
            [*self._tmux, "-f", "/dev/null", "new-session", "-d", *size, _SHELL],
            env=self.environment,
            cwd=folder,
            check=True,
        )
        self.line = Path(self._ask("display", "-p", "#{pane_tty}").strip())

    def __enter__(self) -> Self:
        """Wait until the shell asks for commands."""
        self.wait_for("$")
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        subprocess.run([*self._tmux, "kill-server"], check=False, capture_output=True)

    @property
    def _tmux(self) -> list[str]:
        return ["tmux", "-S", str(self._socket), "-u"]

    def _ask(self, *arguments: str) -> str:
        ran = subprocess.run([*self._tmux, *arguments], capture_output=True, text=True, check=True)
        return ran.stdout

    def run(self, *arguments: str) -> None:
        """Start improv from the shell."""
        self.keys(shlex.join([sys.executable, "-m", "improv_daemon", *arguments]), "Enter")

    def keys(self, *keys: str) -> None:
        """Press keys, by tmux's names for them."""
        self._ask("send-keys", *keys)

    def resize(self, columns: int, rows: int) -> None:
        self._ask("resize-window", "-x", str(columns), "-y", str(rows))

    @property
    def text(self) -> str:
        """What stands there."""
        return self._ask("capture-pane", "-p")

    @property
    def coloured(self) -> str:
        """The same with its escape sequences."""
        return self._ask("capture-pane", "-p", "-e")

    @property
    def is_alternate(self) -> bool:
        """Whether a program has the screen for itself."""
        return self._ask("display", "-p", "#{alternate_on}").strip() == "1"

    def wait_for_shell(self, timeout_s: float = SEEN_WITHIN_S) -> None:
        """Wait until the shell is in front again."""
        until_s = time.monotonic() + timeout_s
        while self._ask("display", "-p", "#{pane_current_command}").strip() != "bash":
            if time.monotonic() > until_s:
                raise TimeoutError(f"no shell, but:\n{self.text}")
            time.sleep(_LOOK_EVERY_S)

    @property
    def has_cursor(self) -> bool:
        return self._ask("display", "-p", "#{cursor_flag}").strip() == "1"

    @property
    def edits_lines(self) -> bool:
        """Whether the terminal shows what is typed and hands on lines; a shell's prompt does both itself."""
        fd = os.open(self.line, os.O_RDWR | os.O_NOCTTY)
        try:
            flags = termios.tcgetattr(fd)[3]
        finally:
            os.close(fd)
        return bool(flags & termios.ICANON and flags & termios.ECHO)

    def wait_for(self, *wanted: str, absent: str = "", timeout_s: float = SEEN_WITHIN_S) -> str:
        """Wait until all of this stands there, and something else does not; what then stands there.

        Raises:
            TimeoutError: It did not.
        """
        until_s = time.monotonic() + timeout_s
        while not all(one in (text := self.text) for one in wanted) or (absent and absent in text):
            if time.monotonic() > until_s:
                raise TimeoutError(f"not seen: {wanted}, but:\n{text}")
            time.sleep(_LOOK_EVERY_S)
        return text

    def pids(self, module: str) -> list[int]:
        """Processes of improv in this window that run this module."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
                if module.encode() in command and (entry / "cwd").resolve() == self.folder.resolve():
                    found.append(int(entry.name))
            except OSError:
                continue
        return found
