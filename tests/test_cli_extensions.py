from __future__ import annotations

import sys
from pathlib import Path

import pytest

from improv_daemon import cli

_WORKING = '''
def greet(name: str, loud: bool = False) -> None:
    """Greet somebody."""
    print("HELLO" if loud else "hello", name)

def play() -> None:
    """Must not replace improv's own."""
'''


@pytest.fixture(autouse=True)
def _another_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installs, for a test, a distribution that adds commands."""
    info = tmp_path / "another-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: another\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[improv.commands]\n"
        "greet = another_working:greet\n"
        "play = another_working:play\n"
        "lost = another_lost:run\n"
        "torchless = another_torchless:run\n"
    )
    (tmp_path / "another_working.py").write_text(_WORKING)
    (tmp_path / "another_torchless.py").write_text("import no_such_torch\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "another_working", raising=False)
    monkeypatch.setenv("COLUMNS", "200")


def test_a_command_of_another_distribution_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["greet", "Clara", "--loud"]) == 0
    assert capsys.readouterr().out == "HELLO Clara\n"


def test_help_lists_commands_of_other_distributions_even_when_they_do_not_import(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["--help"]) == 0
    output = capsys.readouterr().out
    assert "Greet somebody." in output
    assert "Must not replace" not in output
    assert " torchless " in output
    assert " lost " in output


def test_a_command_whose_library_is_missing_says_what_to_install(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["torchless", "folder", "-o", "run"]) == 2
    assert capsys.readouterr().err == (
        "improv torchless cannot run (No module named 'no_such_torch'); install what it needs: "
        "pip install 'improv-midi[train]' (in a checkout: pip install -e '.[train]').\n"
    )


def test_no_other_distribution_is_imported_to_run_a_command_of_the_daemon() -> None:
    assert cli.main(["ports", "-o", "ports.api=none"]) == 0
    assert "another_working" not in sys.modules
