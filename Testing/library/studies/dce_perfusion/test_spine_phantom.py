"""The spine phantom through DICOM, T1 mapping, the artery found in the image, delay and fit: near its truth."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import Cancelled, InputError
from bonequant.io import load_masks, write_segmentation
from bonequant.kinetics import file_input
from bonequant.phantom import SpineScan, simulate_spine, spine_preset, write_dynamic_series, write_mr_volume
from bonequant.report import render
from bonequant.studies.dce_perfusion import DceInputs, DceResult, DceSettings, page, read_inputs, run, write
from bonequant.volume import Geometry

REGIONS = ("lesion_1", "vertebra_3", "vertebra_7")
SETTINGS = DceSettings.from_dict({"signal": {"relaxivity": 5.2}})


@pytest.fixture(scope="module")
def scan() -> SpineScan:
    return simulate_spine(spine_preset("small", vfa_deg=(2.0, 5.0, 10.0, 15.0, 25.0)))


@pytest.fixture(scope="module")
def inputs(scan: SpineScan, tmp_path_factory: pytest.TempPathFactory) -> DceInputs:
    folder = tmp_path_factory.mktemp("spine")
    write_dynamic_series(scan.series, folder / "DCE")
    for angle, volume in scan.vfa.items():
        write_mr_volume(volume, folder / "T1" / f"{angle:g}", name=f"FA {angle:g}")
    write_segmentation({name: scan.masks[name] for name in REGIONS}, folder / "regions.seg.nrrd")
    return read_inputs(folder / "DCE", [folder / "regions.seg.nrrd"], t1_series=[folder / "T1"])


@pytest.fixture(scope="module")
def result(inputs: DceInputs) -> DceResult:
    return run(inputs, SETTINGS)


def test_facts_come_from_the_files(result: DceResult) -> None:
    assert (result.facts.tr_ms, result.facts.flip_angle_deg) == (4.5, 25.0)
    assert "2, 5, 10, 15, 25" in result.facts.t1_source
    assert result.facts.blood_t1_s == 1.44  # 1.5 T
    assert not any("another session" in text for text in result.warnings)  # T1 volumes of the same study
    assert result.facts.baseline_frames in (6, 7)  # the bolus enters at 30 s, a frame every 5 s


def test_t1_is_that_of_the_tissue(result: DceResult) -> None:
    """3 %: noise of 1/20 in five volumes; the phantom's marrow has 0.55 s."""
    assert result.regions["vertebra_3"].of_voxels["t1"]["median"] == pytest.approx(0.55, rel=0.05)
    assert result.t1 is not None
    assert result.t1.unit == "s"


def test_the_input_is_in_the_aorta(scan: SpineScan, result: DceResult) -> None:
    assert result.artery is not None
    assert result.artery.mask is not None
    chosen = sitk.GetArrayFromImage(result.artery.mask) > 0
    assert (sitk.GetArrayFromImage(scan.masks["aorta"])[chosen] > 0).mean() > 0.99
    assert result.artery.quality > 0.95
    assert result.artery.hematocrit == 0.42


def test_the_delay_of_the_tissue_is_found(scan: SpineScan, result: DceResult) -> None:
    """Half a second: the frames are 5 s apart."""
    assert result.delay.seconds == pytest.approx(scan.settings.delay_s, abs=0.5)


@pytest.mark.parametrize(("region", "tissue"), [("lesion_1", "lesion"), ("vertebra_3", "marrow")])
def test_parameters_are_near_their_truth(scan: SpineScan, result: DceResult, region: str, tissue: str) -> None:
    """15 %: 5 s frames sample a bolus of 8 s, and the aorta's rows see it up to 2 s apart; the fit itself is exact."""
    truth, found = scan.settings.tissues[tissue], result.regions[region]
    for name in ("ktrans", "ve", "vp"):
        for value in (found.of_mean_curve[name], found.of_voxels[name]["median"]):
            assert value == pytest.approx(getattr(truth, name), rel=0.15), name
    assert found.r2 > 0.98
    assert found.n_missing == 0


def test_voxels_are_accounted_for(result: DceResult) -> None:
    counts = result.counts
    total = int(np.prod(result.series.geometry.shape))
    assert counts["voxels of the series"] == total
    assert counts["to be fitted"] + counts["not to be fitted (background, outside the regions)"] == total
    lost = sum(number for reason, number in counts.items() if reason.startswith("NaN: "))
    assert counts["fitted"] == counts["to be fitted"] - lost
    assert np.count_nonzero(np.isfinite(result.maps["ktrans"].array)) == counts["fitted"]


def test_units_and_grid_of_the_maps(result: DceResult) -> None:
    units = {name: volume.unit for name, volume in result.maps.items()}
    assert (units["ktrans"], units["kep"], units["ve"], units["t1"]) == ("1/min", "1/min", "", "s")
    assert (units["peak"], units["max_slope"], units["auc"], units["iauc60"]) == ("mM", "mM/s", "mM s", "mM s")
    assert all(volume.geometry == result.series.geometry for volume in result.maps.values())


def test_further_regions_are_measured_afterwards(scan: SpineScan, result: DceResult) -> None:
    """A region on a grid twice as fine, of the same tissue, reads as the region itself."""
    again = result.measure({"lesion_1": scan.masks["lesion_1"]})["lesion_1"]
    assert again.of_mean_curve == pytest.approx(result.regions["lesion_1"].of_mean_curve, rel=1e-9)
    grid = Geometry.of(scan.masks["lesion_1"])
    finer = sitk.Resample(
        scan.masks["lesion_1"], [2 * n for n in grid.size], sitk.Transform(), sitk.sitkNearestNeighbor,
        scan.masks["lesion_1"].TransformContinuousIndexToPhysicalPoint((-0.25, -0.25, -0.25)),
        [h / 2 for h in grid.spacing], grid.direction,
    )  # fmt: skip
    fine = result.measure({"finer": finer})["finer"]
    assert fine.volume_ml == pytest.approx(again.volume_ml, rel=1e-6)
    assert fine.of_mean_curve["vp"] == pytest.approx(again.of_mean_curve["vp"], rel=1e-4)


def test_regions_alone_give_the_values_of_the_whole(inputs: DceInputs, result: DceResult) -> None:
    """What the treatment-response job runs: no other voxel is fitted, and the regions' values stay."""
    few = run(inputs, dataclasses.replace(SETTINGS, maps_of="regions", descriptive=False))
    assert few.counts["fitted"] == sum(region.n_voxels for region in few.regions.values())
    for name in REGIONS:
        assert few.regions[name].of_mean_curve == pytest.approx(result.regions[name].of_mean_curve, rel=1e-9)


def test_the_delay_by_hand_and_in_every_voxel(inputs: DceInputs, result: DceResult) -> None:
    regions = dataclasses.replace(SETTINGS, maps_of="regions", descriptive=False)
    by_hand = run(inputs, dataclasses.replace(regions, delay_s=result.delay.seconds))
    assert by_hand.delay.source == "by hand"
    for name, value in result.regions["lesion_1"].of_mean_curve.items():
        assert by_hand.regions["lesion_1"].of_mean_curve[name] == pytest.approx(value, rel=1e-9)
    voxel = run(inputs, dataclasses.replace(regions, delay="voxel"))
    assert voxel.regions["lesion_1"].of_voxels["delay_s"]["median"] == pytest.approx(2.0, abs=0.6)
    assert "fitted in every voxel" in render(page(voxel))  # its input was not moved


def test_preprocessing_is_switched_and_told(inputs: DceInputs, scan: SpineScan) -> None:
    """A frame moved by 6 mm is found to within a third of a voxel; what ran and what did not is said."""
    frames = inputs.series.frames[:20].copy()
    frames[10:] = np.roll(frames[10:], 2, axis=2)
    series = inputs.series.replace(frames=frames, times_s=inputs.series.times_s[:20])
    moved = dataclasses.replace(inputs, series=series)
    asked = {
        **SETTINGS.to_dict(),
        "maps_of": "regions",
        "correct_motion": True,
        "motion": {"model": "rigid"},
        "preprocess": {"background": False, "spatial_fwhm_mm": 3.0, "temporal_frames": 1.5},
    }
    found = run(moved, DceSettings.from_dict(asked))
    assert found.motion is not None
    apart = np.abs(found.motion.displacement_mm[10:].mean() - found.motion.displacement_mm[:10].mean())
    assert apart == pytest.approx(6.0, abs=1.0)
    text = "; ".join(found.steps)
    for part in (
        "motion: rigid",
        "space: in-plane Gaussian of 3 mm",
        "time: Gaussian of 1.5 frames",
        "background: every",
    ):
        assert part in text


def test_the_folder_holds_what_the_report_says(result: DceResult, inputs: DceInputs, tmp_path: Path) -> None:
    path = write(result, tmp_path / "out")
    html = path.read_text(encoding="utf-8")
    for title in ("Maps", "Regions", "Arterial input", "From signal to what was fitted", "Settings", "Provenance"):
        assert f"<h2>{title}</h2>" in html
    assert "Research use only" in html
    assert "PHANTOM^SPINE" not in html
    assert "PHANTOM^SPINE" in write(result, tmp_path / "named", identified=True).read_text(encoding="utf-8")

    summary = json.loads((tmp_path / "out" / "result.json").read_text())
    with (tmp_path / "out" / "rois.csv").open() as stream:
        rows = {row["region"]: row for row in csv.DictReader(stream)}
    lesion = result.regions["lesion_1"]
    assert float(rows["lesion_1"]["vp_of_mean_curve"]) == lesion.of_mean_curve["vp"]
    assert float(rows["lesion_1"]["vp_median_of_voxels"]) == lesion.of_voxels["vp"]["median"]
    assert summary["regions"][0]["vp_of_mean_curve"] == lesion.of_mean_curve["vp"]
    assert not {"patient_id", "patient_name"} & set(summary["acquisition"])
    ktrans = sitk.ReadImage(str(tmp_path / "out" / "maps" / "ktrans.nrrd"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(ktrans), result.maps["ktrans"].array)
    assert {"arterial_input", "fitted_voxels", *REGIONS} == set(load_masks(tmp_path / "out" / "regions.seg.nrrd"))

    curve = file_input(tmp_path / "out" / "aif.csv")  # readable again, and fitted again to the same values
    signal = dataclasses.replace(SETTINGS.signal, baseline_frames=result.facts.baseline_frames)
    settings = dataclasses.replace(SETTINGS, signal=signal, maps_of="regions", descriptive=False, delay="none")
    again = run(dataclasses.replace(inputs, aif_curve=curve), settings)
    assert again.regions["lesion_1"].of_mean_curve == pytest.approx(lesion.of_mean_curve, rel=1e-6)


def test_a_drawn_artery_and_a_population(scan: SpineScan, inputs: DceInputs, result: DceResult) -> None:
    regions = dataclasses.replace(SETTINGS, maps_of="regions", descriptive=False)
    drawn = run(dataclasses.replace(inputs, aif_region=result.artery.mask), regions)
    assert drawn.artery.method == "roi"
    np.testing.assert_allclose(drawn.artery.values, result.artery.values, rtol=1e-9)
    population = run(inputs, dataclasses.replace(regions, input="parker"))
    truth = scan.settings.tissues["lesion"]
    found = population.regions["lesion_1"].of_mean_curve  # the phantom's own input, delayed: only the T1 map is between
    assert found["ktrans"] == pytest.approx(truth.ktrans, rel=0.1)
    assert found["vp"] == pytest.approx(truth.vp, rel=0.1)


def test_vetoed_slices_give_no_input(inputs: DceInputs, result: DceResult) -> None:
    first = next(one.index for one in result.artery.slices if one.accepted)
    settings = dataclasses.replace(SETTINGS, maps_of="regions", descriptive=False, vetoed_slices=(first,))
    found = run(inputs, settings)
    assert first not in [one.index for one in found.artery.slices if one.accepted]


def test_it_can_be_cancelled(inputs: DceInputs) -> None:
    def stop(fraction: float, message: str) -> None:
        if fraction > 0.5:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        run(inputs, SETTINGS, stop)


def test_a_region_beside_the_series(inputs: DceInputs) -> None:
    mask = sitk.Image(8, 8, 8, sitk.sitkUInt8) + 1
    mask.SetOrigin((5000.0, 0.0, 0.0))
    with pytest.raises(InputError, match="holds no voxel"):
        run(dataclasses.replace(inputs, masks={"far": mask}), SETTINGS)
