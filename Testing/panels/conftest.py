"""The test host as a fixture; where Slicer's core or PySide6 is missing these tests are skipped, and say so."""

from __future__ import annotations

import pytest

from Testing import host


@pytest.fixture
def app():
    """The host with an empty scene, for one test."""
    if host.missing():
        pytest.skip(host.missing())
    with host.application() as session:
        yield session
