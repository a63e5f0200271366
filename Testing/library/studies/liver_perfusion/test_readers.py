"""Two readers: statistics against values worked out by hand, and the job with a second reader's masks."""

from __future__ import annotations

import dataclasses
import math

import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.studies import liver_perfusion as job

KEYS = [f"{q}_{m}" for q in ("alp", "pvp", "tlp", "hpi") for m in ("max_slope", "dual_input")]


def table(values: list[float]) -> list[dict[str, object]]:
    return [{"region": f"tumour_{i}", **dict.fromkeys(KEYS, value)} for i, value in enumerate(values)]


def test_a_shift_of_one() -> None:
    """1, 2, 3 and 2, 3, 4: mean squares 2 between, 1.5 readers, 0 residual: ICC(2,1) = 2 / (2 + 2 x 1.5 / 3) = 2/3."""
    found = job.compare_readers(table([1.0, 2.0, 3.0]), table([2.0, 3.0, 4.0]))
    for row in found.statistics:
        assert row["mean_difference"] == pytest.approx(1.0)
        assert (row["lowest_difference"], row["highest_difference"]) == pytest.approx((1.0, 1.0))
        assert row["r"] == pytest.approx(1.0)
        assert row["icc_2_1"] == pytest.approx(2.0 / 3.0)
        assert (row["limit_low"], row["limit_high"]) == pytest.approx((1.0, 1.0))


def test_disagreement_in_one_region() -> None:
    """10, 20, 30, 40 and 10, 20, 30, 50, by the definition of the mean squares."""
    first, second = [10.0, 20.0, 30.0, 40.0], [10.0, 20.0, 30.0, 50.0]
    row = job.compare_readers(table(first), table(second)).statistics[0]
    assert row["mean_difference"] == pytest.approx(2.5)
    assert (row["lowest_difference"], row["highest_difference"]) == (0.0, 10.0)
    assert row["limit_high"] == pytest.approx(2.5 + 1.959964 * 5.0, rel=1e-6)  # SD of 0, 0, 0, 10 is 5
    # Row means 10, 20, 30, 45 (mean 26.25): MSR = 2 x 668.75 / 3; reader means 25, 27.5: MSC = 4 x 2 x 1.25^2;
    # the total less both leaves MSE = 37.5 / 3.
    msr, msc, mse = 2 * 668.75 / 3, 12.5, 12.5
    assert row["icc_2_1"] == pytest.approx((msr - mse) / (msr + mse + 2 * (msc - mse) / 4))
    # x deviations -15, -5, 5, 15; y deviations -17.5, -7.5, 2.5, 22.5
    assert row["r"] == pytest.approx(650.0 / math.sqrt(500.0 * 875.0))


def test_two_regions_are_too_few() -> None:
    found = job.compare_readers(table([1.0, 2.0]), table([1.5, 2.5]))
    assert math.isnan(found.statistics[0]["r"])
    assert found.statistics[0]["mean_difference"] == pytest.approx(0.5)
    assert any("need 3" in text for text in found.warnings)
    with pytest.raises(InputError, match="share no region"):
        job.compare_readers(table([1.0]), [{"region": "other", **dict.fromkeys(KEYS, 1.0)}])


def test_the_same_regions_agree_and_others_differ_a_little(still) -> None:
    settings = job.LiverSettings(correct_motion=False)
    tissue = {name: mask for name, mask in still.masks.items() if name.startswith(("tumour", "liver"))}
    same = job.run(dataclasses.replace(still.inputs, second=tissue), settings)
    assert same.readers is not None
    assert all(row["difference"] == 0.0 for row in same.readers.rows)
    assert all(row["icc_2_1"] == pytest.approx(1.0) for row in same.readers.statistics)
    assert {row["region"] for row in same.readers.rows} == set(tissue)
    smaller = {name: sitk.BinaryErode(mask, [1, 1, 0]) for name, mask in tissue.items() if name != "liver"}
    other = job.run(dataclasses.replace(still.inputs, second=smaller), settings)
    assert other.readers is not None
    # The liver was not drawn by the second reader: it must not count as agreement.
    assert {row["region"] for row in other.readers.rows} == set(smaller)
    assert any("taken from the first" in text for text in other.warnings)
    alp = next(row for row in other.readers.statistics if row["quantity"] == "alp" and row["method"] == "dual_input")
    assert alp["n"] == 3
    assert abs(alp["mean_difference"]) < 1.0
    assert alp["icc_2_1"] > 0.98
