"""The stage is small: it loads nothing that computes."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("numpy", "onnxruntime", "torch", "mido", "pretty_midi", "rich", "typer", "asyncio")


def test_the_stage_does_without_what_the_mind_needs() -> None:
    code = "import sys, improv_daemon.stage.__main__; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not set(HEAVY) & set(ran.stdout.split())
