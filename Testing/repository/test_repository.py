"""Files for those who carry on say what is true of the tree."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import bonequant
import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("Docs/**/*.md")])


def test_the_version_is_the_same_everywhere(root):
    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (\S+)$", citation, re.MULTILINE).group(1) == bonequant.__version__
    assert f"## {bonequant.__version__}" in (root / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_workflow_runs_the_gate_on_every_supported_python(root):
    workflow = (root / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    project = (root / "pyproject.toml").read_text(encoding="utf-8")
    lowest = int(re.search(r'requires-python = ">=3\.(\d+)"', project).group(1))
    tested = [int(minor) for minor in re.findall(r'"3\.(\d+)"', workflow)]
    assert tested == list(range(lowest, 14))
    assert "run: .ci/run" in workflow


def test_hooks_call_files_and_tools_that_exist(root):
    hooks = (root / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    for script in re.findall(r"tools/\S+\.py", hooks):
        assert (root / script).is_file()
    development = (root / "pyproject.toml").read_text(encoding="utf-8")
    for tool in ("ruff", "mypy", "import-linter", "pre-commit"):
        assert f'"{tool}>=' in development


def test_commands_named_in_contributing_are_in_the_makefile(root):
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", text)) <= targets
    for script in re.findall(r"tools/\S+?\.py", text):
        assert (root / script).is_file()


@pytest.mark.parametrize("name", TEXTS)
def test_links_between_files_lead_somewhere(root, name):
    text = (root / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in target:
            assert (root / name).parent.joinpath(target).exists(), f"{name}: {target}"


def test_nothing_of_real_data_is_in_the_repository(root):
    """The data have licences of their own and stay outside."""
    heavy = [path for path in root.rglob("*") if path.suffix in {".dcm", ".mat"} and path.is_file()]
    assert [path for path in heavy if not _ignored(path.relative_to(root))] == []


def _ignored(path: Path) -> bool:
    return path.parts[0] in {".venv", "demo-report", ".git"} or "__pycache__" in path.parts


def test_the_page_of_criteria_is_what_the_criteria_say(root):
    run = subprocess.run([sys.executable, "tools/list_criteria.py"], cwd=root, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
