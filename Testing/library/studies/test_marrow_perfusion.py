"""The marrow job on a simulated patient whose truth is known, and on real data."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import Cancelled, ConfirmationRequired, InputError, MissingFactError
from bonequant.io import load, load_masks
from bonequant.phantom import Patient, TorsoSettings, preset, simulate_patient
from bonequant.studies import marrow_perfusion as job
from bonequant.studies.marrow_perfusion.plausibility import tracer_warnings
from bonequant.studies.marrow_perfusion.regions import _stale, _without_lesions
from bonequant.volume import Acquisition
from bonequant.volume.geometry import matrix_of


@pytest.fixture(scope="module")
def result(dates) -> job.MarrowResult:
    inputs = job.read_inputs(dates.first / "SPECT", dates.first / "CT", facts=dates.facts)
    return job.run(inputs, job.MarrowSettings(tracer="mdp"))


@pytest.fixture(scope="module")
def aligned(dates) -> tuple[job.MarrowInputs, Patient]:
    """The same patient with the true alignment, for what does not depend on registration."""
    inputs = job.read_inputs(dates.first / "SPECT", dates.first / "CT", facts=dates.facts)
    return dataclasses.replace(inputs, transform=dates.patient.truth_transform), dates.patient


def test_the_found_alignment_is_within_one_spect_voxel_of_the_truth(result, dates) -> None:
    points = np.array([[x, y, z, 1.0] for x in (-60, 60) for y in (0, 60) for z in (-80, 100)])
    found, true = matrix_of(result.transform), matrix_of(dates.patient.truth_transform)
    error = np.linalg.norm((points @ (found - true).T)[:, :3], axis=1)
    assert error.max() < max(dates.patient.spect.geometry.spacing)


def test_regions_stand_in_the_table_with_all_their_columns(result) -> None:
    rows = {row["region"]: row for row in result.rows}
    assert {"bone", "cortical", "marrow"} <= set(rows)
    marrow = rows["marrow"]
    assert marrow["unit"] == "SUVbw"
    assert marrow["percent_of_total"] == pytest.approx(100.0)
    assert marrow["cv"] == pytest.approx(marrow["sd"] / marrow["mean"])
    assert math.isfinite(marrow["hu_mean"])
    assert rows["bone"]["volume_ml"] == pytest.approx(rows["cortical"]["volume_ml"] + marrow["volume_ml"])


def test_bone_volume_is_near_the_truth(result, dates) -> None:
    # Grid of 2.5 x 2.5 x 5 mm: a cortex of 1 mm is not resolved, 15 % is what that costs.
    assert result.uptake["bone"].volume_ml == pytest.approx(dates.patient.truth["bone"].volume_ml, rel=0.15)


def test_drawn_masks_with_the_true_alignment_give_the_true_uptake(aligned) -> None:
    """The whole chain from counts to SUV, where partial volume hardly matters: inside the liver."""
    inputs, patient = aligned
    liver = sitk.BinaryErode(patient.masks("liver")["liver"], (8, 8, 4))  # 20 mm: beyond the blur of 12 mm FWHM
    with_liver = dataclasses.replace(inputs, masks_on_ct={"liver": liver})
    result = job.run(with_liver, job.MarrowSettings())
    # 4 million counts in the field: the noise of the liver's mean is below 0.5 %.
    assert result.uptake["liver"].mean == pytest.approx(patient.truth["liver"].mean_suv, rel=0.02)
    assert result.origins["liver"] == "drawn"
    assert result.registration is None


def test_partial_volume_correction_brings_lesions_and_vertebrae_nearer_to_the_truth(aligned) -> None:
    inputs, patient = aligned
    vertebra = patient.masks("L3")["L3"]
    with_masks = dataclasses.replace(inputs, masks_on_ct={"L3": vertebra})
    settings = job.MarrowSettings(partial_volume="gtm", psf_fwhm_mm=float(np.mean(patient.fwhm_mm)))
    result = job.run(with_masks, settings)
    truth = patient.truth["L3"].mean_suv
    plain, corrected = result.uptake["L3"].mean, result.corrected["L3"]
    assert abs(corrected - truth) < 0.5 * abs(plain - truth)


def test_a_drawn_region_replaces_the_found_one_of_its_name(aligned) -> None:
    inputs, patient = aligned
    marrow = patient.masks("marrow")["marrow"]
    result = job.run(dataclasses.replace(inputs, masks_on_ct={"marrow": marrow}), job.MarrowSettings())
    voxels = int(sitk.GetArrayViewFromImage(marrow).sum())
    assert result.uptake["marrow"].volume_ml == pytest.approx(voxels * patient.ct.voxel_volume_ml)
    assert result.origins["marrow"] == "drawn"
    assert result.origins["bone"] == "found on CT"


def test_an_export_edited_in_one_place_and_given_back_whole_is_warned_of(result) -> None:
    export = {name: mask for name, mask in result.masks_on_ct.items() if not name.startswith("lesion")}
    assert _stale(export, export) == []
    halved = sitk.GetArrayFromImage(export["marrow"])
    halved[: halved.shape[0] // 2] = 0
    cut = sitk.GetImageFromArray(halved)
    cut.CopyInformation(export["marrow"])
    edited = {**export, "marrow": cut}
    texts = _stale(edited, edited)
    assert [text.split(":")[0].split()[0] for text in texts] == ["red_marrow", "cortical"]
    assert "red_marrow lies outside marrow by" in texts[0]
    assert "leave it out of the mask file" in texts[0]
    assert _stale({"marrow": cut}, edited) == []  # only what was changed: nothing to remark


def test_lesions_of_an_export_are_said_to_keep_others_from_being_looked_for(result) -> None:
    assert result.lesions
    text = _without_lesions(result.masks_on_ct, result.settings)[0]
    assert "No lesion candidates were looked for" in text
    lesions = {lesion.name: lesion.mask for lesion in result.lesions}
    assert _without_lesions(lesions, result.settings) == []  # lesions that the user drew, and nothing else


def test_warnings_on_stale_masks_reach_the_result(aligned) -> None:
    inputs, patient = aligned
    masks = {"red_marrow": patient.masks("muscle")["muscle"], "lesion_1": patient.masks("lesion_1")["lesion_1"]}
    warnings = job.run(dataclasses.replace(inputs, masks_on_ct=masks), job.MarrowSettings(tracer="fdg")).warnings
    assert any(text.startswith("red_marrow lies outside marrow by") for text in warnings)
    assert any(text.startswith("No lesion candidates were looked for") for text in warnings)
    assert any("labelled with 18F, but the image is of 99mTc" in text for text in warnings)


def test_another_radionuclide_than_the_tracers_is_warned_of() -> None:
    assert "177Lu" in tracer_warnings(Acquisition(radionuclide="Lu-177"), "mdp")[0]
    assert tracer_warnings(Acquisition(radionuclide="Tc-99m"), "mdp") == ()
    assert tracer_warnings(Acquisition(radionuclide="177Lu"), "other") == ()
    assert tracer_warnings(Acquisition(), "mdp") == ()


def test_an_image_without_a_unit_is_asked_for_its_unit_before_any_other_fact(dates) -> None:
    inputs = job.read_inputs(dates.first / "SPECT", dates.first / "CT")
    bare = inputs.functional.replace(unit="", acquisition=Acquisition())
    with pytest.raises(MissingFactError, match="unit=Bq/mL or unit=SUVbw") as stop:
        job.run(dataclasses.replace(inputs, functional=bare))
    assert stop.value.fact == "unit"


def test_typed_facts_stand_in_the_report_with_their_values(result) -> None:
    from bonequant.report import render

    typed = result.functional.acquisition.with_typed(decay_correction="START", patient_name="Somebody")
    factors = dataclasses.replace(result.factors, typed=typed.typed)
    changed = dataclasses.replace(result, functional=result.functional.replace(acquisition=typed), factors=factors)
    html = render(job.page(changed))
    assert "decay_correction = START" in html
    assert f"calibration_factor_cps_per_mbq = {typed.calibration_factor_cps_per_mbq:.10g}" in html
    assert "START (typed)" in html
    assert "Somebody" not in html
    assert "START (file)" in render(job.page(result))
    assert "found on CT" in html  # the origin of each region


def test_reference_region_sets_ratios_and_ratio_map(aligned) -> None:
    inputs, patient = aligned
    muscle = patient.masks("muscle")["muscle"]
    settings = job.MarrowSettings(reference="my_muscle")
    result = job.run(dataclasses.replace(inputs, masks_on_ct={"my_muscle": muscle}), settings)
    row = next(row for row in result.rows if row["region"] == "marrow")
    expected = result.uptake["marrow"].mean / result.uptake["my_muscle"].mean
    assert row["ratio_to_my_muscle"] == pytest.approx(expected)
    suv, ratio = result.maps["suv"].array, result.maps["ratio"].array
    assert np.allclose(ratio * result.uptake["my_muscle"].mean, suv, rtol=1e-5)


def test_native_counts_give_ratios_without_any_fact(dates) -> None:
    inputs = job.read_inputs(dates.first / "SPECT", dates.first / "CT")
    with pytest.raises(MissingFactError, match="quantity=native") as stop:
        job.run(inputs, job.MarrowSettings(alignment="scanner"))
    assert stop.value.fact == "calibration_factor_cps_per_mbq"
    result = job.run(inputs, job.MarrowSettings(alignment="scanner", quantity="native"))
    assert result.functional.unit == "counts"
    assert any("only ratios" in warning for warning in result.warnings)


def test_the_same_input_gives_the_same_result(dates, result) -> None:
    inputs = job.read_inputs(dates.first / "SPECT", dates.first / "CT", facts=dates.facts)
    again = job.run(inputs, job.MarrowSettings(tracer="mdp"))
    assert job.summary(again) == job.summary(result)


def test_settings_go_to_json_and_back(result) -> None:
    assert job.MarrowSettings.from_json(result.settings.to_json()) == result.settings


def test_another_patient_must_be_confirmed(aligned) -> None:
    inputs, _ = aligned
    other = dataclasses.replace(inputs.functional.acquisition, patient_id="other")
    changed = dataclasses.replace(inputs, functional=inputs.functional.replace(acquisition=other))
    with pytest.raises(ConfirmationRequired, match="patient ID"):
        job.run(changed)
    confirmed = dataclasses.replace(changed, same_patient_confirmed=True)
    assert any("confirmed by the user" in text for text in job.run(confirmed).warnings)


def test_cancelling_stops_the_job(aligned) -> None:
    def cancel(fraction: float, message: str) -> None:
        if fraction > 0.5:
            raise Cancelled("The user stopped it.")

    with pytest.raises(Cancelled):
        job.run(aligned[0], progress=cancel)


def test_plausibility_bands_are_those_of_the_paper() -> None:
    from bonequant.studies.marrow_perfusion.plausibility import BANDS

    assert BANDS["mdp"].limits == pytest.approx((3.11, 4.73))
    assert BANDS["dpd"].limits == pytest.approx((1.29, 10.53))


def test_results_folder_reads_back(result, dates, tmp_path: Path) -> None:
    truth = json.loads((dates.first / "truth.json").read_text())
    report = job.write(result, tmp_path / "out", truth=job.compare_with_truth(result, truth))
    html = report.read_text()
    assert "Research use only" in html
    assert dates.patient.ct.acquisition.patient_id not in html
    assert dates.patient.ct.acquisition.patient_name not in html
    suv = load(tmp_path / "out" / "maps" / "suv.nrrd")
    assert suv.unit == "SUVbw"
    assert np.array_equal(suv.array, result.maps["suv"].array)
    masks = load_masks(tmp_path / "out" / "regions_on_ct.seg.nrrd")
    assert set(masks) == set(result.masks_on_ct)
    for name, mask in masks.items():
        assert np.array_equal(sitk.GetArrayFromImage(mask), sitk.GetArrayFromImage(result.masks_on_ct[name]))
    saved = sitk.ReadTransform(str(tmp_path / "out" / "ct_to_functional.tfm"))
    assert np.allclose(matrix_of(saved), matrix_of(result.transform))
    with (tmp_path / "out" / "regions.csv").open() as stream:
        rows = {row["region"]: row for row in csv.DictReader(stream)}
    assert float(rows["marrow"]["mean"]) == result.uptake["marrow"].mean
    summary = json.loads((tmp_path / "out" / "result.json").read_text())
    assert summary["provenance"]["inputs"].keys() == {"functional", "ct"}


def test_identifiers_are_printed_only_when_asked_for(result) -> None:
    from bonequant.report import render

    patient_id = result.functional.acquisition.patient_id
    assert patient_id not in render(job.page(result))
    assert patient_id in render(job.page(result, identified=True))


def test_follow_up_sees_the_lesion_that_changed(result, dates) -> None:
    inputs = job.read_date(dates.second, dates.facts, "follow_up_1")
    later = job.run_later(result, inputs, job.MarrowSettings(tracer="mdp"))
    table = job.compare([result, later])
    assert table.dates == ("baseline", "follow_up_1")
    change = {
        (row["region"], row["quantity"]): row["change_percent_1"] for row in table.rows if "change_percent_1" in row
    }
    # Only lesion_4 of the phantom (left iliac wing) went down, from 4.5 to 1.5 times normal bone.
    iliac = np.array(json.loads((dates.first / "truth.json").read_text())["lesions"]["lesion_4"]["center_mm"])
    lesion = min(
        result.lesions,
        key=lambda one: np.linalg.norm(_centre(one.mask) - iliac),
    )
    assert np.linalg.norm(_centre(lesion.mask) - iliac) < 15
    assert change[(lesion.name, "mean")] < -35
    assert abs(change[("marrow", "mean")]) < 10


def test_follow_up_refuses_what_cannot_be_compared(result) -> None:
    with pytest.raises(InputError, match="two dates"):
        job.compare([result])
    with pytest.raises(InputError, match="same scan"):
        job.compare([result, result])


def test_a_region_of_one_date_only_is_named(result) -> None:
    provenance = dataclasses.replace(result.provenance, inputs={"functional": "other"})
    rows = (*result.rows, {**result.rows[0], "region": "T8"})
    start = result.functional.acquisition.acquisition_start
    acquisition = dataclasses.replace(result.functional.acquisition, acquisition_start=start + timedelta(days=90))
    later = dataclasses.replace(
        result,
        name="follow_up_1",
        rows=rows,
        provenance=provenance,
        functional=result.functional.replace(acquisition=acquisition),
    )
    from bonequant.report import render

    table = job.compare([result, later])
    assert table.once == ("T8",)
    assert "Measured at one date only: T8." in render(job.page(result, follow_up=table))


def test_a_fact_missing_at_a_later_date_is_asked_for_under_its_name(result, dates) -> None:
    inputs = job.read_date(dates.second, None, "follow_up_1")
    with pytest.raises(MissingFactError, match="follow_up_1: ") as stop:
        job.run_later(result, inputs)
    assert stop.value.fact == "follow_up_1.calibration_factor_cps_per_mbq"


def test_gold_standard_table(result, tmp_path: Path) -> None:
    path = tmp_path / "gold.csv"
    names = list(result.uptake)[:5]
    path.write_text("region,value\n" + "".join(f"{name},{result.uptake[name].mean + 0.1}\n" for name in names))
    from bonequant.studies.marrow_perfusion.gold_standard import agreement_with

    agreement = agreement_with(job.read_gold_standard(path), result.uptake)
    assert agreement["bland_altman"].bias == pytest.approx(-0.1)
    path.write_text("region,value\nmarrow,many\n")
    with pytest.raises(InputError, match="line 2"):
        job.read_gold_standard(path)


def test_real_spect_with_drawn_lesions(data: Path) -> None:
    """SCAN_001: numbers of an independent computation; decay ADMIN is recognised from the file."""
    folder = data / "spect_lu177" / "SCAN_001"
    inputs = job.read_inputs(folder / "image", masks=[folder / "mask"])
    result = job.run(inputs)
    assert result.factors is not None
    assert result.factors.decay_correction == "ADMIN"
    rows = {row["region"].split()[0]: row for row in result.rows}
    kbq = result.factors.scale * 1000
    for name, volume, mean, highest, suv, tolerance in (
        ("lesion1", 106.98, 1142.66, 2252.8, 14.736, 0.01),
        ("lesion2", 2.86, 1474.73, 2281.2, 19.018, 0.03),
    ):
        assert rows[name]["volume_ml"] == pytest.approx(volume, rel=tolerance)
        assert rows[name]["mean"] == pytest.approx(suv, rel=tolerance)
        assert rows[name]["mean"] / kbq == pytest.approx(mean, rel=tolerance)
        assert rows[name]["max"] / kbq == pytest.approx(highest, rel=tolerance)
    total_mbq = float(inputs.functional.array.sum(dtype=np.float64)) * inputs.functional.voxel_volume_ml / 1e6
    assert total_mbq == pytest.approx(1350.55, rel=0.005)


def _centre(mask: sitk.Image) -> np.ndarray:
    index = np.argwhere(sitk.GetArrayViewFromImage(mask) > 0).mean(axis=0)[::-1]
    return np.array(mask.TransformContinuousIndexToPhysicalPoint(index.tolist()))


def test_maa_mode_on_a_patient_with_liver_tumours() -> None:
    """Drawn liver and tumours, lungs found on the CT; totals hardly depend on partial volume, ratios do."""
    settings = preset("small", seed=4, tracer="maa", torso=TorsoSettings(seed=4, liver_tumours=3, lesions="none"))
    patient = simulate_patient(settings)
    names = ["liver", *(f"lesion_{i}" for i in range(1, 4))]
    masks = patient.masks(*names)
    whole = sitk.Cast(sum((masks[name] for name in names[1:]), masks["liver"]) > 0, sitk.sitkUInt8)
    drawn = {"liver": whole, **{f"tumour_{i}": masks[f"lesion_{i}"] for i in range(1, 4)}}
    inputs = job.MarrowInputs(patient.spect, patient.ct, masks_on_ct=drawn, transform=patient.truth_transform)
    result = job.run(inputs, job.MarrowSettings(tracer="maa", quantity="activity"))
    assert result.maa is not None
    truth = patient.truth
    in_liver = sum(truth[name].volume_ml * truth[name].mean_bq_per_ml for name in names)
    in_lung = truth["lung"].volume_ml * truth["lung"].mean_bq_per_ml
    # Spill-over at the dome of the liver reaches the lung: at 12 mm FWHM that is a fifth of so small a shunt.
    assert result.maa.lung_shunt == pytest.approx(in_lung / (in_lung + in_liver), rel=0.3)
    assert set(result.maa.tumour_to_normal) == {"tumour_1", "tumour_2", "tumour_3"}
    for i in range(1, 4):
        ratio = truth[f"lesion_{i}"].mean_bq_per_ml / truth["liver"].mean_bq_per_ml
        # Blur only takes away from a hot tumour: the ratio is below the truth, and above 1.
        assert 1 < result.maa.tumour_to_normal[f"tumour_{i}"] < 1.02 * ratio
    assert result.lesions == ()
