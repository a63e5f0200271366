"""Where the real data are, for every test: BONEQUANT_TEST_DATA, by default ../shared/data beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data; a test that needs it is skipped, and says so, where it is missing."""
    path = Path(os.environ.get("BONEQUANT_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"REAL DATA MISSING at {path}: set BONEQUANT_TEST_DATA to run this test", allow_module_level=False)
    return path
