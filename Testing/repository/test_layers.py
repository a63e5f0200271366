"""The layers of the design, as import-linter's contracts in pyproject.toml."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def test_imports_point_down_only(root):
    command = Path(sys.executable).with_name("lint-imports")
    if not command.exists() and shutil.which("lint-imports") is None:
        pytest.skip("IMPORT-LINTER MISSING: pip install import-linter to check the layers")
    program = str(command) if command.exists() else "lint-imports"
    done = subprocess.run([program, "--no-cache"], cwd=root, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


def test_every_package_has_its_layer(root):
    """A new package must be put into the layers, or nothing checks it."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    layers = text[text.index("layers = [") :].split("]")[0]
    for package in sorted((root / "BoneQuantCore" / "bonequant").glob("*/__init__.py")):
        assert f"bonequant.{package.parent.name}" in layers, package.parent.name
