"""The liver job against the phantom's truth, from written DICOM to the tables in the results folder."""

from __future__ import annotations

import csv
import dataclasses
import json
import re

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import Cancelled, ConfirmationRequired, InputError, SettingsError
from bonequant.phantom import liver_preset, simulate_liver
from bonequant.progress import no_progress
from bonequant.report import render
from bonequant.studies import liver_perfusion as job
from bonequant.studies.liver_perfusion import job as liver_job
from bonequant.studies.liver_perfusion.measured import remarks_on_maps
from bonequant.studies.liver_perfusion.regions import find_roles
from bonequant.studies.liver_perfusion.report import _inner, _upper
from scipy import ndimage

from benchmarks.liver import residuals_mm


def test_dual_input_gives_back_the_truth(still, measured) -> None:
    """What the design asks for: 3 % of ALP, PVP and HPI at 1 s frames without noise."""
    assert {row["region"] for row in measured.rows} == set(still.scan.truth)
    for row in measured.rows:
        truth = still.scan.truth[row["region"]]
        for quantity in ("alp", "pvp", "tlp", "hpi"):
            assert row[f"{quantity}_dual_input"] == pytest.approx(getattr(truth, quantity), rel=0.03), row["region"]
        assert row["k2"] == pytest.approx(truth.k2, rel=0.03)
        assert row["arterial_delay_s"] == pytest.approx(truth.delay_arterial_s, abs=0.1)
        assert not row["at_bound"]


def test_smooth_inputs_hold_at_two_and_three_seconds(still) -> None:
    """Liver: straight lines between frames of 3 s cost HPI 5 %, Akima's curve 1 %."""
    truth = still.scan.truth["liver"]
    found = {}
    for every in (2, 3):
        series = still.inputs.series
        thin = series.replace(frames=series.frames[::every], times_s=series.times_s[::every])
        for shape in ("akima", "linear"):
            settings = job.LiverSettings(correct_motion=False, input_shape=shape)
            row = job.run(dataclasses.replace(still.inputs, series=thin), settings).rows[0]
            found[every, shape] = abs(row["hpi_dual_input"] / truth.hpi - 1)
    assert max(found[2, "akima"], found[3, "akima"]) < 0.02
    assert found[3, "linear"] > 2 * found[3, "akima"]


def test_maximum_slope_is_its_definition(measured, written) -> None:
    """Computed anew, frame by frame, from the curves in the results folder."""
    with (written / "curves.csv").open() as stream:
        frames = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(stream)]

    def curve(name: str) -> list[float]:
        return [frame[f"{name}_enhancement_hu"] for frame in frames]

    times, spleen = [frame["time_s"] for frame in frames], curve("spleen")
    peak = spleen.index(max(spleen))
    for row in measured.rows:
        e = curve(row["region"])
        slopes = [(e[i + 1] - e[i]) / (times[i + 1] - times[i]) for i in range(len(times) - 1)]
        alp = 6000 * max(slopes[:peak]) / max(curve("aorta"))
        pvp = 6000 * max(slopes[peak:]) / max(curve("portal_vein"))
        expected = {"alp": alp, "pvp": pvp, "tlp": alp + pvp, "hpi": 100 * alp / (alp + pvp)}
        for quantity, value in expected.items():
            assert row[f"{quantity}_max_slope"] == pytest.approx(value, rel=1e-6)
    summary = json.loads((written / "result.json").read_text())
    assert summary["split_s"] == times[peak]
    assert summary["regions"] == [dict(row) for row in measured.rows]


def test_miles_divides_by_the_aorta(still, measured) -> None:
    settings = job.LiverSettings(correct_motion=False, pvp_divisor="aorta")
    rows = job.run(still.inputs, settings).rows
    ratio = measured.inputs.portal.max() / measured.inputs.aorta.max()
    for row, before in zip(rows, measured.rows, strict=True):
        assert row["pvp_max_slope"] == pytest.approx(before["pvp_max_slope"] * ratio, rel=1e-9)


def test_maps_hold_what_the_regions_say(still, measured) -> None:
    """Without noise every voxel inside is the region: its fit and the mean curve's are one, to rounding (0.05 HU)."""
    rows = {(row["region"], row["method"]): row for row in measured.voxel_rows}
    for row in measured.rows:
        for method, tolerance in (("max_slope", 0.03), ("dual_input", 0.05)):
            voxels = rows[row["region"], method]
            assert voxels["tlp_median"] == pytest.approx(row[f"tlp_{method}"], rel=tolerance)
            assert voxels["tlp_not_finite"] == 0
    known = np.isfinite(measured.maps["alp_dual_input"].array)
    whole = np.zeros_like(known)
    for name in ("liver", "tumour_1", "tumour_2", "tumour_3"):
        whole |= sitk.GetArrayViewFromImage(still.masks[name]) > 0
    assert np.array_equal(known, whole)


def test_the_aorta_is_found_where_it_is(still, measured) -> None:
    masks = {name: mask for name, mask in still.inputs.masks.items() if name != "aorta"}
    result = job.run(dataclasses.replace(still.inputs, masks=masks), job.LiverSettings(correct_motion=False))
    chosen = sitk.GetArrayViewFromImage(result.masks["aorta"]) > 0
    true = sitk.GetArrayViewFromImage(still.scan.masks["aorta"]) > 0
    assert chosen.sum() > 50
    assert (chosen & true).sum() == chosen.sum()
    assert result.origins["aorta"] == "found"
    assert any("found by itself" in text for text in result.warnings)
    assert result.rows[0]["alp_dual_input"] == pytest.approx(measured.rows[0]["alp_dual_input"], rel=0.02)
    html = render(job.page(result))
    assert "chosen voxels" in html or "voxels that were taken" in html


def test_breathing_leaves_less_than_two_millimetres() -> None:
    """15 mm of breath, 12 HU of noise; regions drawn on the first frame, which stays."""
    scan = simulate_liver(liver_preset("small", interval_s=3.0, duration_s=42.0, field_mm=(320.0, 220.0, 130.0)))
    assert np.ptp(scan.displacement_mm[:, 2]) > 13.0
    inputs = job.LiverInputs(scan.series, scan.masks)
    result = job.run(inputs, job.LiverSettings(mask_frame=1))
    assert result.motion is not None
    assert result.motion.reference == 0
    left = residuals_mm(scan, result)
    assert left.mean() < 1.0
    assert np.percentile(left, 95) < 2.0
    before, after = result.motion.difference
    assert after < 0.6 * before
    # Lesions of one supply move through tissue of another: uncorrected, the residual of the fit shows it.
    loose = job.run(inputs, job.LiverSettings(correct_motion=False))
    fine = {row["region"]: row["residual_sd_hu"] for row in result.rows}
    rough = {row["region"]: row["residual_sd_hu"] for row in loose.rows}
    assert fine["liver"] < 0.5 * rough["liver"]
    assert any("not corrected for motion" in text for text in loose.warnings)


def test_the_results_folder_is_whole_and_names_nobody(measured, written) -> None:
    names = {path.name for path in written.rglob("*") if path.is_file()}
    assert {"report.html", "result.json", "regions.csv", "voxels.csv", "inputs.csv", "curves.csv"} <= names
    assert {"alp_dual_input.nrrd", "hpi_max_slope.nrrd", "anatomy.nrrd", "regions.seg.nrrd"} <= names
    facts = measured.acquisition
    text = (written / "report.html").read_text(encoding="utf-8") + (written / "result.json").read_text()
    assert facts.patient_id
    assert facts.patient_id not in text
    assert "PHANTOM" not in text
    assert facts.patient_id in render(job.page(measured, identified=True))
    saved = sitk.GetArrayFromImage(sitk.ReadImage(str(written / "maps" / "alp_dual_input.nrrd")))
    assert np.array_equal(saved, measured.maps["alp_dual_input"].array, equal_nan=True)


def test_masks_on_another_grid_measure_the_same(still, measured) -> None:
    """A lesion drawn on a finer grid is sampled where it was drawn; inside uniform tissue nothing changes."""
    fine = sitk.Resample(
        still.masks["tumour_2"], [s * 2 for s in still.masks["tumour_2"].GetSize()], sitk.Transform(),
        sitk.sitkNearestNeighbor, still.masks["tumour_2"].GetOrigin(),
        [s / 2 for s in still.masks["tumour_2"].GetSpacing()], still.masks["tumour_2"].GetDirection(),
    )  # fmt: skip
    masks = {**still.inputs.masks, "tumour_2": fine}
    result = job.run(dataclasses.replace(still.inputs, masks=masks), job.LiverSettings(correct_motion=False))
    before = {row["region"]: row for row in measured.rows}
    after = {row["region"]: row for row in result.rows}
    assert after["tumour_2"]["alp_dual_input"] == pytest.approx(before["tumour_2"]["alp_dual_input"], rel=0.01)
    assert len(result.masks) == len(measured.masks)


def test_what_cannot_be_measured(still) -> None:
    inputs, series = still.inputs, still.inputs.series
    quick = job.LiverSettings(correct_motion=False)

    def run(**changes):
        return job.run(dataclasses.replace(inputs, **changes), quick)

    with pytest.raises(InputError, match="portal_vein"):
        run(masks={name: mask for name, mask in inputs.masks.items() if name != "portal_vein"})
    with pytest.raises(InputError, match="twice"):
        run(masks={**inputs.masks, "Tumour 1": inputs.masks["tumour_2"]})
    with pytest.raises(InputError, match="modality MR"):
        run(series=series.replace(modality="MR"))
    with pytest.raises(InputError, match="unit=HU"):
        run(series=series.replace(unit=""))
    with pytest.raises(InputError, match="one phase has no frames"):
        run(series=series.replace(frames=series.frames[:18], times_s=series.times_s[:18]))
    with pytest.raises(InputError, match="5 frames"):
        run(series=series.replace(frames=series.frames[:5], times_s=series.times_s[:5]))
    with pytest.raises(InputError, match="does not enhance"):
        flat = np.broadcast_to(series.frames[:1], series.frames.shape)
        run(series=series.replace(frames=flat))
    with pytest.raises(InputError, match="mask_frame is 99"):
        job.run(inputs, job.LiverSettings(mask_frame=99))
    with pytest.raises(SettingsError, match="fit_delay"):
        job.LiverSettings.from_dict({"kinetics": {"fit_delay": True}})

    def stop(fraction: float, message: str) -> None:
        if fraction > 0.5:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        job.run(inputs, quick, stop)
    maa = job.MaaInputs(
        spect=series.frame(0).replace(
            modality="NM", acquisition=dataclasses.replace(series.acquisition, patient_id="SOMEBODY")
        )
    )
    with pytest.raises(ConfirmationRequired, match="confirm-same-patient"):
        run(maa=maa)


def test_the_frame_of_the_regions_is_asked_for_with_the_distance_that_is_at_stake() -> None:
    settings = liver_preset("small", interval_s=3.0, duration_s=15.0, field_mm=(320.0, 220.0, 130.0))
    scan = simulate_liver(settings)
    settled = job.LiverSettings.from_dict({"motion": {"model": "rigid"}})
    _, motion, remarks = liver_job._aligned(scan.series, find_roles(scan.masks), settled, no_progress)
    found = re.search(
        rf"brought to frame {motion.reference + 1}: .* liver lies ([0-9.]+) mm .*mask_frame=1", remarks[0]
    )
    assert found is not None
    truth = np.linalg.norm(scan.displacement_mm[motion.reference] - scan.displacement_mm[0])
    assert float(found[1]) == pytest.approx(truth, abs=1.0)  # a rigid shift under 12 HU of noise
    shift = sitk.TranslationTransform(3, (0.0, 3.0, -4.0))
    assert liver_job._apart_mm(scan.masks["liver"], shift, sitk.Transform(3, sitk.sitkIdentity)) == pytest.approx(5.0)


def test_what_no_liver_has_is_said(still, measured) -> None:
    assert not any("Implausible" in text for text in measured.warnings)
    # A "portal vein" drawn beside the vein, in the tissue of the liver.
    liver = sitk.GetArrayFromImage(still.masks["liver"]) > 0
    inner = ndimage.binary_erosion(liver, iterations=2)
    for name in (name for name in still.masks if name != "liver"):
        inner &= ~ndimage.binary_dilation(sitk.GetArrayViewFromImage(still.masks[name]) > 0, iterations=3)
    beside = np.zeros_like(liver)
    beside[tuple(np.argwhere(inner)[:200].T)] = True
    mask = still.inputs.series.geometry.apply_to(sitk.GetImageFromArray(beside.astype(np.uint8)))
    wrong = dataclasses.replace(still.inputs, masks={**still.inputs.masks, "portal_vein": mask})
    said = [text for text in job.run(wrong, job.LiverSettings(correct_motion=False)).warnings if "Implausible" in text]
    assert len(said) == 1
    assert "the portal vein peaks at 0." in said[0]


def test_noise_in_the_maps_is_said_and_their_rim_sets_no_colour(measured) -> None:
    assert remarks_on_maps(measured.rows, measured.voxel_rows) == []  # no noise
    noisy = [
        {**row, "alp_median": 3 * row["alp_median"]} if row["method"] == "max_slope" else row
        for row in measured.voxel_rows
    ]
    (said,) = remarks_on_maps(measured.rows, noisy)
    assert "ALP" in said and "PVP" not in said
    volume = measured.maps["alp_dual_input"]
    values = volume.array.copy()
    known = np.isfinite(values)
    rim = known & ~ndimage.binary_erosion(known, np.ones((1, 3, 3)))
    values[rim] = 1e4
    image = volume.geometry.apply_to(sitk.GetImageFromArray(values))
    spoilt = volume.replace(image=image)
    assert _upper(spoilt.array) > 1e3  # the rim is more than two in a hundred
    assert _upper(spoilt.array[_inner(spoilt)]) == _upper(volume.array[_inner(volume)])
