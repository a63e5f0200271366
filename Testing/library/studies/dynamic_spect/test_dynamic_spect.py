"""The dynamic SPECT job against the phantom's kinetics, from file to table; decay and durations by hand."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError, MissingFactError, SettingsError
from bonequant.io import write_dynamic, write_segmentation
from bonequant.phantom import SpectSettings, dynamic_spect_preset, simulate_dynamic_spect
from bonequant.report import render
from bonequant.studies import dynamic_spect as job
from bonequant.studies.dynamic_spect.blood import through_means
from scipy import ndimage


@pytest.fixture(scope="module")
def scan():
    """Little blur, so that the middle of a lesion shows its own activity; no noise."""
    grid = SpectSettings(spacing_mm=(5.0, 5.0, 5.0), matrix=(80, 60, 70), fwhm_mm=4.0, source_mm=2.5, voxel="point")
    return simulate_dynamic_spect(dynamic_spect_preset("small", spect=grid, noise=False))


@pytest.fixture(scope="module")
def masks(scan):
    """The middle of each tissue: voxels whose neighbours all belong to it, where the blur (4 mm) does not reach."""
    found = {}
    for name, mask in scan.masks.items():
        array = sitk.GetArrayFromImage(mask) > 0
        core = ndimage.binary_erosion(array, iterations=1 if name == "lesion" else 2)
        found[name] = scan.series.geometry.apply_to(sitk.GetImageFromArray(core.astype(np.uint8)))
    return {name: mask for name, mask in found.items() if sitk.GetArrayViewFromImage(mask).any()}


@pytest.fixture(scope="module")
def folder(scan, masks, tmp_path_factory):
    path = tmp_path_factory.mktemp("dynamic")
    write_dynamic(scan.series, path / "dynamic.seq.nrrd")
    write_segmentation(masks, path / "regions.seg.nrrd")
    return path


@pytest.fixture(scope="module")
def result(folder):
    return job.run(job.read_inputs(folder / "dynamic.seq.nrrd", [folder / "regions.seg.nrrd"]))


def test_the_kinetics_come_back_from_file_to_table(scan, result, tmp_path) -> None:
    """Blood through the frames' means (60 s and 180 s): 2 % of K1 and Ki, 4 % of k2, 6 % of vB are left to it."""
    job.write(result, tmp_path / "out")
    rows = {row["region"]: row for row in json.loads((tmp_path / "out" / "result.json").read_text())["regions"]}
    for name in ("marrow", "liver", "spleen"):
        if name in rows:
            truth = scan.truth[name]
            assert rows[name]["ki"] == pytest.approx(truth.ki, rel=0.02), name
            assert rows[name]["v0"] == pytest.approx(truth.vb, rel=0.06), name
    assert {"liver", "lesion"} <= set(rows)
    for name in ("lesion", "muscle"):
        if name in rows:
            truth = scan.truth[name]
            assert rows[name]["k1"] == pytest.approx(truth.k1, rel=0.02), name
            assert rows[name]["k2"] == pytest.approx(truth.k2, rel=0.04), name
            assert rows[name]["vb"] == pytest.approx(truth.vb, rel=0.06), name
    assert rows["blood_pool"]["k1"] is None


def test_a_blood_curve_from_a_file_is_exact(scan, folder, tmp_path) -> None:
    lines = [f"{time},{value}" for time, value in zip(scan.blood.times_s, scan.blood.values, strict=True)]
    (tmp_path / "blood.csv").write_text("time,value\n" + "\n".join(lines))
    inputs = job.read_inputs(folder / "dynamic.seq.nrrd", [folder / "regions.seg.nrrd"], blood=tmp_path / "blood.csv")
    found = job.run(inputs)
    rows = {row["region"]: row for row in found.rows}
    assert rows["liver"]["ki"] == pytest.approx(scan.truth["liver"].ki, rel=5e-3)
    assert rows["liver"]["v0"] == pytest.approx(scan.truth["liver"].vb, rel=0.02)
    assert found.blood_from == "file"


def test_curves_ratios_and_washout(scan, result) -> None:
    liver = result.curves["liver"].curve
    assert liver.values == pytest.approx(scan.curves["liver"], rel=5e-3)
    row = next(row for row in result.rows if row["region"] == "blood_pool")
    blood, times = result.curves["blood_pool"].curve.values, result.frames.series.times_s
    assert result.windows == ((0.0, 240.0), (960.0, 1200.0))
    early, late = blood[times <= 240].mean(), blood[times >= 960].mean()
    assert row["early_late_ratio"] == pytest.approx(early / late)
    assert row["washout_percent"] == pytest.approx(100 * (early - late) / early)


def counts_of(scan):
    """What a camera would store: counts per voxel and frame, decaying."""
    durations = np.array(scan.settings.durations_s)
    starts = np.concatenate([[0.0], np.cumsum(durations)[:-1]])
    rate = np.log(2) / scan.series.acquisition.half_life_s
    # The mean of the decay over each frame, by a fine sum.
    decay = np.array(
        [
            np.exp(-rate * (s + d * (np.arange(1000) + 0.5) / 1000)).mean()
            for s, d in zip(starts, durations, strict=True)
        ]
    )
    factor = 150e-6 * scan.series.geometry.voxel_volume_ml * durations * decay
    facts = dataclasses.replace(scan.series.acquisition, decay_correction="NONE")
    return scan.series.replace(
        frames=(scan.series.frames * factor[:, None, None, None]).astype(np.float32), unit="counts", acquisition=facts
    )


def test_counts_are_put_right_for_decay_and_duration(scan, masks, result) -> None:
    """Counts of frames of 60 and 180 s that decay: the same activities and rates as from the corrected series."""
    settings = job.DynamicSpectSettings(calibration_cps_per_mbq=150.0)
    found = job.run(job.DynamicSpectInputs(counts_of(scan), masks), settings)
    assert found.frames.series.unit == "Bq/mL"
    assert found.curves["liver"].curve.values == pytest.approx(result.curves["liver"].curve.values, rel=1e-5)
    plain = job.run(job.DynamicSpectInputs(counts_of(scan), masks))
    assert plain.frames.series.unit == "counts/s"
    assert any("corrected here" in step for step in plain.frames.steps)
    for a, b in zip(plain.rows, result.rows, strict=True):
        if b["ki"] is not None:
            assert a["ki"] == pytest.approx(b["ki"], rel=1e-4)
            assert a["k1"] == pytest.approx(b["k1"], rel=1e-3)


def test_decay_is_not_guessed(scan, masks) -> None:
    facts = scan.series.acquisition

    def run(correction, **settings):
        series = scan.series.replace(acquisition=dataclasses.replace(facts, decay_correction=correction))
        return job.run(job.DynamicSpectInputs(series, masks), job.DynamicSpectSettings(**settings))

    for correction in ("START", None):
        with pytest.raises(InputError, match="decay=correct"):
            run(correction)
    factors = run("START", decay="frame_start").frames.decay_factors
    starts = np.concatenate([[0.0], np.cumsum(scan.settings.durations_s)[:-1]])
    assert factors == pytest.approx(2.0 ** (-starts / facts.half_life_s))
    assert run("START", decay="corrected").frames.decay_factors == pytest.approx(1.0)


def test_a_late_scan_has_no_kinetics_and_says_so(scan, masks) -> None:
    facts = scan.series.acquisition
    late = dataclasses.replace(facts, acquisition_start=facts.acquisition_start + timedelta(seconds=300))
    found = job.run(job.DynamicSpectInputs(scan.series.replace(acquisition=late), masks))
    assert found.frames.starts_s[0] == 300.0
    assert not found.one_tissue
    assert any("300 s after the injection" in text for text in found.warnings)
    without = {name: mask for name, mask in masks.items() if name != "blood_pool"}
    bare = job.run(job.DynamicSpectInputs(scan.series, without))
    assert bare.blood is None
    assert all(row["k1"] is None and np.isfinite(row["washout_percent"]) for row in bare.rows)
    assert "no blood curve" in render(job.page(bare))


def test_straight_lines_keep_the_means() -> None:
    """Means of the curve over its own frames are those given, unequal frames included."""
    starts, durations = np.array([0.0, 10.0, 30.0, 90.0]), np.array([10.0, 20.0, 60.0, 120.0])
    means = np.array([3.0, 9.0, 4.0, 2.0])
    curve = through_means(starts, durations, means, "Bq/mL")
    for start, duration, mean in zip(starts, durations, means, strict=True):
        fine = start + duration * (np.arange(100_000) + 0.5) / 100_000
        assert np.interp(fine, curve.times_s, curve.values).mean() == pytest.approx(mean, rel=1e-6)
    assert (curve.times_s[0], curve.values[0]) == (0.0, 0.0)


def test_patlak_may_start_late(scan, masks, result) -> None:
    found = job.run(job.DynamicSpectInputs(scan.series, masks), job.DynamicSpectSettings(patlak_from_s=300.0))
    truth = scan.truth["liver"].ki
    assert next(row for row in found.rows if row["region"] == "liver")["ki"] == pytest.approx(truth, rel=0.02)
    assert found.patlak["liver"].settings.first_s == 300.0


def test_identifiers_are_printed_only_when_asked_for(result) -> None:
    patient_id = scan_id = result.acquisition.patient_id
    if patient_id is None:  # a .seq.nrrd holds none
        named = dataclasses.replace(result, acquisition=dataclasses.replace(result.acquisition, patient_id="BQD1"))
        scan_id, result = "BQD1", named
    assert scan_id not in render(job.page(result))
    assert scan_id in render(job.page(result, identified=True))


def test_a_clock_that_is_guessed_is_said(scan, masks, result) -> None:
    assert not any("does not tell the injection" in text for text in result.warnings)
    untold = scan.series.replace(acquisition=dataclasses.replace(scan.series.acquisition, injection_time=None))
    found = job.run(job.DynamicSpectInputs(untold, masks))
    assert any("does not tell the injection" in text and "scan_start_s" in text for text in found.warnings)


def test_what_cannot_be_measured(scan, masks) -> None:
    series = scan.series

    def run(series=series, masks=masks, **settings):
        return job.run(job.DynamicSpectInputs(series, masks), job.DynamicSpectSettings(**settings))

    with pytest.raises(InputError, match="modality CT"):
        run(series.replace(modality="CT"))
    with pytest.raises(InputError, match="unit=counts"):
        run(series.replace(unit=""))
    with pytest.raises(MissingFactError, match="how long"):
        run(series.replace(durations_s=None))
    with pytest.raises(InputError, match="no region"):
        run(masks={})
    with pytest.raises(InputError, match="only region"):
        run(masks={"blood_pool": masks["blood_pool"]})
    with pytest.raises(InputError, match="There is no region 'heart'"):
        run(input_region="heart")
    with pytest.raises(SettingsError, match="early_s"):
        run(early_s=(100.0, 50.0))
    with pytest.raises(InputError, match="No frame lies in"):
        run(late_s=(5000.0, 6000.0))
