from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from conftest import require

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_root_config_is_byte_for_byte_the_packaged_defaults() -> None:
    packaged = ROOT / "daemon" / "improv_daemon" / "defaults.toml"
    assert (ROOT / "config.toml").read_bytes() == packaged.read_bytes()


_IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
for name in ("torch", "lightning", "improv_training", "improv_export"):
    sys.modules[name] = None
count = 0
for package in ("improv_core", "improv_daemon"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            count += 1
print(count)
"""


def test_core_and_daemon_import_without_torch_trainer_and_exporter() -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", _IMPORT_EVERYTHING], capture_output=True, text=True, check=False
    )
    assert ran.stderr == ""
    assert int(ran.stdout) > 10


def test_core_and_daemon_import_without_the_libraries_of_midi_and_sound() -> None:
    blocked = _IMPORT_EVERYTHING.replace('("torch",', '("rtmidi", "fluidsynth", "lameenc", "torch",')
    ran = subprocess.run([sys.executable, "-c", blocked], capture_output=True, text=True, check=False)
    assert ran.stderr == ""


def test_torch_is_an_extra_and_pinned(project: dict[str, Any]) -> None:
    assert "torch==2.13.0" in project["optional-dependencies"]["train"]
    assert not [
        wanted for wanted in project["dependencies"] if wanted.startswith(("torch", "lightning", "onnx>"))
    ]


def test_rtmidi_is_left_out_where_it_has_no_wheel(project: dict[str, Any]) -> None:
    (rtmidi,) = (wanted for wanted in project["dependencies"] if wanted.startswith("python-rtmidi"))
    assert rtmidi.endswith("; python_version < '3.13'")


def test_the_installed_distribution_names_its_command_and_extensions(project: dict[str, Any]) -> None:
    require(_installed(), "improv-midi is not installed: pip install -e .")
    entry_points = importlib.metadata.distribution("improv-midi").entry_points
    assert {point.name: point.value for point in entry_points.select(group="console_scripts")} == (
        project["scripts"]
    )
    assert {point.name: point.value for point in entry_points.select(group="improv.commands")} == (
        project["entry-points"]["improv.commands"]
    )


def test_the_wheel_holds_four_packages_with_their_data(tmp_path: Path) -> None:
    require(importlib.util.find_spec("hatchling"), "no hatchling: pip install hatchling")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": ""},
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    packages = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert packages == {"improv_core", "improv_daemon", "improv_training", "improv_export"}
    assert "improv_daemon/defaults.toml" in names
    models = {
        f"improv_daemon/models/{path.name}" for path in (ROOT / "daemon/improv_daemon/models").iterdir()
    }
    assert {"improv_daemon/models/default.onnx", *models} <= set(names)
    presets = (ROOT / "training/improv_training/presets").iterdir()
    assert {f"improv_training/presets/{path.name}" for path in presets} <= set(names)
    assert "improv_training/mixes/default.toml" in names
    assert {f"{package}/py.typed" for package in packages} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "__pycache__" in name]


def _installed() -> bool:
    try:
        importlib.metadata.distribution("improv-midi")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
