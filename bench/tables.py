"""Markdown tables of milliseconds, and the machine they were measured on."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np


def milliseconds(values_s: Sequence[float]) -> tuple[str, str, str]:
    """p50, p99 and max."""
    p50, p99, worst = np.percentile(np.asarray(values_s) * 1e3, [50, 99, 100])
    return f"{p50:.3f}", f"{p99:.3f}", f"{worst:.3f}"


def load_average() -> str:
    """Of the last minute; how busy other programs kept the machine."""
    return f"{os.getloadavg()[0]:.2f}"


def print_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    for row in (headers, ["---"] * len(headers), *rows):
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def print_machine() -> None:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    print(
        f"{_processor()}, {os.cpu_count()} cores, {memory_gb:.0f} GB; {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}; load average {load_average()}.\n"
    )


def print_threads() -> None:
    """Python's threads, and all of the process where the system tells."""
    tasks = Path("/proc/self/task")
    everything = f", {len(list(tasks.iterdir()))} in the process" if tasks.is_dir() else ""
    print(f"Threads: {threading.active_count()} of Python{everything}.\n")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
