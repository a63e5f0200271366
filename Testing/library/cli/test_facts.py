"""Facts and settings typed on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from bonequant.cli.facts import parse_facts, parse_settings
from bonequant.errors import BoneQuantError, InputError
from bonequant.settings import Settings, setting


@dataclass(frozen=True)
class Inner(Settings):
    size_mm: float = setting(2.0, low=0, high=10)


@dataclass(frozen=True)
class Outer(Settings):
    name: str = setting("a", choices=("a", "b"))
    inner: Inner = setting(Inner)


def test_facts_take_their_type() -> None:
    facts = parse_facts(["patient_weight_kg=70", "injection_time=2026-01-31T08:30", "corrections=ATTN, SCAT"])
    assert facts == {
        "patient_weight_kg": 70.0,
        "injection_time": datetime(2026, 1, 31, 8, 30),
        "corrections": ("ATTN", "SCAT"),
    }


@pytest.mark.parametrize("given", ["weight=70", "patient_weight_kg=seventy", "patient_weight_kg", "injection_time=8h"])
def test_wrong_facts_are_named(given: str) -> None:
    with pytest.raises(InputError, match=given.split("=")[0]):
        parse_facts([given])


def test_single_settings_replace_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"name": "b", "inner": {"size_mm": 3}}')
    assert parse_settings(Outer, file, ["inner.size_mm=4"]) == Outer("b", Inner(4.0))
    assert parse_settings(Outer, None, ["name=b"]) == Outer("b")


@pytest.mark.parametrize("given", ["inner.size_mm=11", "inner.wrong=1", "name.x=1", "name=c", "inner=3"])
def test_wrong_settings_are_errors(given: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"name": "a"}')
    with pytest.raises(BoneQuantError):
        parse_settings(Outer, file, [given])
