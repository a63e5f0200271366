"""MAA beside perfusion: ratios that are known come back, through every way of alignment; statistics by hand."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.phantom import liver_preset, rigid, simulate_liver
from bonequant.studies import liver_perfusion as job
from bonequant.volume import Acquisition, Geometry, Volume, resample_to

RATIOS = {"tumour_1": 5.0, "tumour_2": 2.5, "tumour_3": 0.6}


def spect_of(scan, transform: sitk.Transform) -> Volume:
    """MAA without blur on a grid of 3 mm: liver 10, lesions by their ratio; ``transform`` takes CT to SPECT points."""
    activity = np.zeros(scan.series.geometry.shape, np.float32)
    for name, ratio in {"liver": 1.0, **RATIOS}.items():
        activity[sitk.GetArrayViewFromImage(scan.masks[name]) > 0] = 10.0 * ratio
    image = scan.series.geometry.apply_to(sitk.GetImageFromArray(activity))
    grid = Geometry((110, 80, 30), (3.0, 3.0, 3.0), (-165.0, -115.0, -45.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    return Volume(resample_to(image, grid, transform.GetInverse(), "linear"), "NM", "counts")


def test_known_ratios_come_back(still, measured) -> None:
    """Regions lie 4 mm inside, SPECT voxels measure 3 mm: hardly an edge is interpolated, 3 % is left for it."""
    moved = rigid((2.0, -3.0, 1.0, 6.0, -4.0, 5.0))
    for transform in (None, moved):
        spect = spect_of(still.scan, transform or rigid((0.0,) * 6))
        maa = job.MaaInputs(spect=spect, transform=transform or rigid((0.0,) * 6))
        result = job.run(dataclasses.replace(still.inputs, maa=maa), job.LiverSettings(correct_motion=False))
        assert result.maa_uptake is not None
        for name, ratio in RATIOS.items():
            assert result.maa_uptake.ratios[name] == pytest.approx(ratio, rel=0.03), name
        assert result.maa is not None
        assert [row["region"] for row in result.maa.rows] == list(RATIOS)


def test_regions_drawn_on_the_spect_need_no_alignment(still) -> None:
    there = rigid((0.0, 0.0, 0.0, 15.0, 0.0, 0.0))
    spect = spect_of(still.scan, there)
    masks = {
        name: sitk.Resample(mask, spect.image, there.GetInverse(), sitk.sitkNearestNeighbor)
        for name, mask in still.masks.items()
        if name.startswith(("tumour", "liver"))
    }
    maa = job.MaaInputs(spect=spect, masks=masks)
    result = job.run(dataclasses.replace(still.inputs, maa=maa), job.LiverSettings(correct_motion=False))
    assert result.maa_uptake is not None
    assert result.maa_uptake.registration is None
    for name, ratio in RATIOS.items():
        assert result.maa_uptake.ratios[name] == pytest.approx(ratio, rel=0.03), name


def test_through_its_own_ct() -> None:
    """The SPECT's CT lies 9 mm and 3 degrees away; what is left of it costs ratios of 26 to 36 mm lesions 8 %."""
    scan = simulate_liver(liver_preset("small", breathing_mm=0.0, noise_hu=3.0, duration_s=40.0))
    moved = rigid((0.0, 0.0, 3.0, 6.0, -5.0, 4.0))
    spect = spect_of(scan, moved)
    own = scan.series.frame(0)
    grid = own.geometry
    ct = Volume(resample_to(own.image, grid, moved.GetInverse(), "linear", -1000.0), "CT", "HU")
    frames = Acquisition(frame_of_reference_uid="1.2.3")
    maa = job.MaaInputs(
        spect=dataclasses.replace(spect, acquisition=frames), ct=dataclasses.replace(ct, acquisition=frames)
    )
    masks = {
        name: sitk.BinaryErode(mask, [1, 1, 1]) if name.startswith("tumour") else mask
        for name, mask in scan.masks.items()
    }
    result = job.run(job.LiverInputs(scan.series, masks, maa=maa), job.LiverSettings(correct_motion=False))
    assert result.maa_uptake is not None
    transform = result.maa_uptake.transform
    centre = (-60.0, 0.0, 0.0)
    error = np.subtract(transform.TransformPoint(centre), moved.TransformPoint(centre))
    assert np.linalg.norm(error) < 2.0
    for name, ratio in RATIOS.items():
        assert result.maa_uptake.ratios[name] == pytest.approx(ratio, rel=0.08), name


def rows_of(alp: list[float], normal: float = 10.0) -> list[dict[str, object]]:
    values = {"liver": normal, **{f"tumour_{i}": value for i, value in enumerate(alp, 1)}}
    return [
        {"region": name, **{f"{q}_{m}": v for q in ("alp", "pvp", "tlp", "hpi") for m in ("max_slope", "dual_input")}}
        for name, v in values.items()
    ]


def test_statistics_by_hand() -> None:
    """ALP ratios 1, 2, 4, 8 and MAA 1, 3, 4, 12: logarithms of the quotients 0, ln 1.5, 0, ln 1.5."""
    found = job.compare_with_maa(
        rows_of([10.0, 20.0, 40.0, 80.0]), {"tumour_1": 1, "tumour_2": 3, "tumour_3": 4, "tumour_4": 12}
    )
    first = next(row for row in found.statistics if row["method"] == "dual_input" and row["quantity"] == "alp")
    assert first["n"] == 4
    # sum xy - n mean mean = 54 * 10 ... x = 1, 3, 4, 12 (mean 5); y = 1, 2, 4, 8 (mean 3.75): 44 / sqrt(70 * 28.75)
    assert first["pearson"] == pytest.approx(44.0 / math.sqrt(70.0 * 28.75))
    assert first["spearman"] == pytest.approx(1.0)
    agreement = found.agreement["dual_input"]
    assert agreement is not None
    assert agreement.bias == pytest.approx(math.sqrt(1.5))
    sd = math.log(1.5) / 2 * math.sqrt(4 / 3)
    assert agreement.limits[1] == pytest.approx(math.sqrt(1.5) * math.exp(1.959964 * sd), rel=1e-6)
    assert any("4 lesions" in text for text in found.warnings)


def test_few_lesions_are_said_and_not_guessed() -> None:
    found = job.compare_with_maa(rows_of([10.0, 30.0]), {"tumour_1": 2.0, "tumour_2": 3.0, "tumour_9": 4.0})
    assert all(math.isnan(row["pearson"]) and row["n"] == 2 for row in found.statistics)
    assert found.agreement == {"max_slope": None, "dual_input": None}
    assert any("2 lesion(s)" in text for text in found.warnings)
    assert any("tumour_9" in text for text in found.warnings)
    with pytest.raises(InputError, match="Name them alike"):
        job.compare_with_maa(rows_of([10.0]), {"other": 2.0})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lesion,ratio\ntumour_1,many\n", "line 2"),
        ("lesion,ratio\ntumour_1,-1\n", "above 0"),
        ("lesion,ratio\nTumour 1,2\ntumour_1,3\n", "twice"),
        ("name,value\na,1\n", "columns lesion and ratio"),
        ("lesion,ratio\n", "no row"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path, text, says) -> None:
    path = tmp_path / "maa.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        job.read_maa_table(path)
