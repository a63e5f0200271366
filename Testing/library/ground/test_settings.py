"""Settings: validated on construction, round trip through JSON, nothing unknown and nothing wrong passes."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

import numpy as np
import pytest
from bonequant.errors import SettingsError
from bonequant.settings import Settings, describe, setting


@dataclass(frozen=True)
class Inner(Settings):
    cutoff_hu: float = setting(130.0, unit="HU", low=-1000, high=3000, help="Below this is no bone.")


@dataclass(frozen=True)
class Outer(Settings):
    bins: int = setting(32, low=2, high=256, help="Histogram bins.")
    method: str = setting("rigid", choices=("rigid", "affine"))
    window_hu: tuple[float, float] = setting((-200.0, 600.0), unit="HU", low=-1024, high=4096)
    limit: float | None = setting(None, low=0, unit="mm")
    names: tuple[str, ...] = setting(())
    factors: dict[str, float] = dataclasses.field(default_factory=dict)
    enabled: bool = setting(True)
    inner: Inner = setting(Inner)


def test_defaults_and_nested_settings():
    settings = Outer()
    assert settings.inner == Inner()
    assert settings.window_hu == (-200.0, 600.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.bins = 5


def test_round_trip_through_json():
    settings = Outer(
        bins=64, method="affine", window_hu=(0, 1), limit=2.5, names=("a", "b"), factors={"x": 1}, inner=Inner(200)
    )
    again = Outer.from_json(settings.to_json())
    assert again == settings
    assert json.loads(settings.to_json())["inner"] == {"cutoff_hu": 200.0}
    assert isinstance(again.window_hu, tuple)
    assert Outer.from_dict({"inner": {"cutoff_hu": 99}}).inner.cutoff_hu == 99.0


def test_whole_numbers_become_the_declared_float():
    value = Inner(200).cutoff_hu
    assert (value, type(value)) == (200.0, float)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"binz": 3}, "no setting binz.*Known: bins, method"),
        ({"bins": 1}, r"Outer\.bins is 1; the range is 2 to 256"),
        ({"bins": 257}, "range"),
        ({"bins": 32.5}, "must be int"),
        ({"bins": True}, "must be int"),
        ({"bins": "32"}, "must be int"),
        ({"method": "spline"}, "choose one of rigid, affine"),
        ({"window_hu": [0, 5000]}, r"5000.0 HU; the range is -1024 to 4096 HU"),
        ({"window_hu": [1]}, "must be"),
        ({"limit": -1}, "range"),
        ({"limit": float("nan")}, "range is 0 to any number"),
        ({"limit": float("inf")}, "range"),
        ({"factors": {"x": "y"}}, r"Outer\.factors\.x must be float"),
        ({"enabled": 1}, "must be bool"),
        ({"inner": {"cutoff": 1}}, "Inner has no setting cutoff"),
        ({"inner": {"cutoff_hu": 1e9}}, r"Inner\.cutoff_hu"),
        ([1, 2], "must be an object"),
    ],
)
def test_wrong_values_are_refused_by_name(values, message):
    with pytest.raises(SettingsError, match=message):
        Outer.from_dict(values)


def test_numbers_of_numpy_are_numbers():
    """Panels and notebooks hand over what an array held; the settings keep plain numbers, which JSON can write."""
    settings = Outer(bins=np.int64(64), limit=np.float32(0.5))
    assert (type(settings.bins), type(settings.limit)) == (int, float)
    assert Outer.from_json(settings.to_json()) == settings


def test_limits_are_inclusive():
    assert (Outer(bins=2).bins, Outer(bins=256).bins) == (2, 256)


def test_broken_json_is_a_settings_error():
    with pytest.raises(SettingsError, match="not valid JSON"):
        Outer.from_json("{'bins': 3}")


def test_description_has_one_row_per_setting_with_unit_and_range():
    rows = {row["name"]: row for row in describe(Outer)}
    assert rows["inner.cutoff_hu"]["unit"] == "HU"
    assert rows["inner.cutoff_hu"]["help"] == "Below this is no bone."
    assert (rows["bins"]["value"], rows["bins"]["low"], rows["bins"]["high"]) == (32, 2, 256)
    assert {row["name"]: row["value"] for row in describe(Outer(bins=99))}["bins"] == 99
