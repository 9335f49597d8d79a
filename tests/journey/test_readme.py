"""The README's first answer is what the command prints."""

from __future__ import annotations

from pathlib import Path

from tests.journey.conftest import Built


def test_the_first_answer_is_what_the_command_prints(built_sample: Built, project: Path) -> None:
    readme = (project / "README.md").read_text(encoding="utf-8")
    example = readme.split("```console\n", 1)[1].split("```", 1)[0]
    command, *shown = example.split("$ .venv/bin/", 1)[1].replace("\\\n", " ").splitlines()
    asked = built_sample.run(*command.split())
    assert asked.returncode == 0, asked.stderr
    shown = [line for line in shown if line != "…"]
    assert shown[:6] == asked.stdout.splitlines()
    assert set(shown[6:]) <= set(asked.stderr.splitlines())
    assert len(shown) > 6
