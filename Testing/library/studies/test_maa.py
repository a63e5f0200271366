"""MAA figures from measured regions, against numbers computed by hand."""

from __future__ import annotations

import dataclasses

import pytest
from bonequant.errors import InputError
from bonequant.roi import RoiMeasurement
from bonequant.studies.marrow_perfusion import maa
from bonequant.studies.marrow_perfusion.settings import MaaSettings


def region(name: str, volume_ml: float, mean: float) -> RoiMeasurement:
    point = (0.0, 0.0, 0.0)
    values = dict.fromkeys((f.name for f in dataclasses.fields(RoiMeasurement)), 0.0)
    values |= {"name": name, "unit": "Bq/mL", "volume_ml": volume_ml, "mean": mean, "total": mean * volume_ml}
    values |= {"hottest_mm": point, "peak_mm": point, "fraction_inside": 1.0, "flags": ()}
    return RoiMeasurement(**values)  # type: ignore[arg-type]


UPTAKE = {
    "tumour_1": region("tumour_1", 100.0, 600.0),
    "tumour_2": region("tumour_2", 50.0, 300.0),
    "normal_liver": region("normal_liver", 1500.0, 100.0),
    "lung": region("lung", 3000.0, 5.0),
}


def test_ratios_shunt_and_doses() -> None:
    result = maa.evaluate(UPTAKE, MaaSettings(activity_gbq=2.0))
    assert result.tumour_to_normal == {"tumour_1": pytest.approx(6.0), "tumour_2": pytest.approx(3.0)}
    assert result.all_tumours_to_normal == pytest.approx(5.0)  # 75,000 over 150 mL against 100
    shunt = 15_000 / (15_000 + 150_000 + 75_000)
    assert result.lung_shunt == pytest.approx(shunt)
    assert result.partition is not None
    normal = 49.67 * 2.0 * (1 - shunt) / (5.0 * 0.150 * 1.06 + 1.5 * 1.06)
    assert result.partition.normal_liver_gy == pytest.approx(normal)
    assert result.partition.tumour_gy == pytest.approx(5 * normal)
    assert result.partition.lung_gy == pytest.approx(49.67 * 2.0 * shunt / 1.0)


@pytest.mark.parametrize("missing", ["tumour_1", "normal_liver"])
def test_missing_regions_are_named(missing: str) -> None:
    uptake = {name: m for name, m in UPTAKE.items() if name != missing and not name.endswith("_2")}
    with pytest.raises(InputError, match="tumour" if missing.startswith("tumour") else "liver"):
        maa.evaluate(uptake, MaaSettings())


def test_without_lungs_there_is_no_shunt_and_a_warning() -> None:
    result = maa.evaluate({name: m for name, m in UPTAKE.items() if name != "lung"}, MaaSettings(activity_gbq=2.0))
    assert result.lung_shunt is None
    assert result.partition is None
    assert any("lung" in text for text in result.warnings)
