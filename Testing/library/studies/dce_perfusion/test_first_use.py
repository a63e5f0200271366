"""What a first study runs into: maps in percent or of another date, cut regions, few frames, late arteries, labels."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.kinetics import DESCRIPTIVE_UNITS, convolve_exponential, population_aif, spgr_signal
from bonequant.phantom import simulate_spine, spine_preset, write_dynamic_series, write_mr_volume
from bonequant.report import Picture, Section, Table
from bonequant.studies.dce_perfusion import DceInputs, DceResult, DceSettings, page, read_inputs, run
from bonequant.studies.dce_perfusion.report import heading
from bonequant.studies.dce_perfusion.t1 import check_b1
from bonequant.volume import Acquisition, DynamicSeries, Geometry, Volume, image_from_array

TIMES = np.arange(40) * 5.0
GRID = Geometry((8, 8, 4), (2.0, 2.0, 4.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
AIF = population_aif(TIMES, "parker", delay_s=25.0)
KTRANS, VE, VP = 0.12, 0.3, 0.05
FACTS = {"repetition_time_ms": 5.0, "flip_angle_deg": 20.0, "field_strength_t": 1.5, "contrast_agent": "Gadovist"}
WHEN = datetime(2024, 5, 2, 10, 30)
SETTINGS = DceSettings.from_dict({"signal": {"t1_s": 1.0}, "delay": "none", "preprocess": {"background": False}})


def inputs(frames_kept: list[int] | None = None, **changes: object) -> DceInputs:
    """Every voxel the same extended Tofts tissue, as signal, with the true input; no noise."""
    curve = KTRANS * convolve_exponential(TIMES, AIF.values, KTRANS / VE) + VP * AIF.values
    signal = spgr_signal(1.0 + 4.78 * curve, 0.005, 20.0, 1000.0)
    frames = np.broadcast_to(signal[:, None, None, None], (40, *GRID.shape)).astype(np.float32)
    kept = range(40) if frames_kept is None else frames_kept
    facts = Acquisition(
        patient_id="A", patient_sex="F", frame_of_reference_uid="1.2", study_datetime=WHEN, protocol=dict(FACTS)
    )
    series = DynamicSeries(frames[list(kept)].copy(), TIMES[list(kept)], GRID, "MR", "", facts, name="dynamic")
    return dataclasses.replace(DceInputs(series, aif_curve=AIF), **changes)  # type: ignore[arg-type]


def beside(value: float, **facts: object) -> Volume:
    """A map of one value on the grid of the series."""
    image = image_from_array(np.full(GRID.shape, value, np.float32), GRID)
    return Volume(image, "MR", "", Acquisition(**facts), name="map", source="beside.nii")  # type: ignore[arg-type]


def box(stop: int, start: int = 0) -> sitk.Image:
    """Columns of the grid along x, as a mask."""
    array = np.zeros(GRID.shape, bool)
    array[:, :, start:stop] = True
    return image_from_array(array, GRID)


# B1


@pytest.mark.parametrize("value", [100.0, 3.1, 0.19])
def test_a_b1_map_that_is_no_factor(value: float) -> None:
    with pytest.raises(InputError, match=r"beside\.nii: the median B1 is .*in percent\?.*factor.*1 = nominal"):
        run(inputs(b1_map=beside(value)), SETTINGS)


@pytest.mark.parametrize("value", [0.2, 1.0, 3.0])
def test_b1_maps_at_the_limits_of_the_setting_are_taken(value: float) -> None:
    """Zeros outside the body do not count. float32 of 0.2 lies above 0.2."""
    b1 = beside(value)
    array = b1.array.copy()
    array[:, :5] = 0.0
    check_b1(inputs(b1_map=b1.with_array(array)))


def test_a_b1_map_without_values() -> None:
    with pytest.raises(InputError, match=r"beside\.nii holds no B1 above zero"):
        run(inputs(b1_map=beside(0.0)), SETTINGS)


# T1 and B1 of another patient, date or position


@pytest.mark.parametrize("role", ["t1_map", "b1_map", "t1_volumes"])
@pytest.mark.parametrize(("fact", "value", "says"), [("patient_id", "B", "patient ID"), ("patient_sex", "M", "sex")])
def test_maps_of_another_patient(role: str, fact: str, value: str, says: str) -> None:
    """Both files and the way out are named, the identifiers are not."""
    other = beside(1.0, **{fact: value}, protocol=dict(FACTS))
    with pytest.raises(InputError, match=rf"beside\.nii and dynamic differ in {says}.*--fact {fact}=VALUE"):
        run(inputs(**{role: (other,) if role == "t1_volumes" else other}), SETTINGS)


@pytest.mark.parametrize("role", ["t1_map", "b1_map"])
@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"study_datetime": datetime(2024, 6, 2, 10, 30)}, "of 2024-06-02, the series of 2024-05-02"),
        ({"frame_of_reference_uid": "1.3"}, "in another frame of reference"),
    ],
)
def test_maps_of_another_session_are_told(role: str, facts: dict[str, object], says: str) -> None:
    warnings = run(inputs(**{role: beside(1.0, **facts)}), SETTINGS).warnings
    assert [says in text and "beside.nii" in text for text in warnings].count(True) == 1


@pytest.mark.parametrize(
    "facts",
    [{}, {"patient_id": "A", "frame_of_reference_uid": "1.2", "study_datetime": WHEN.replace(hour=9)}],
    ids=["unknown", "same"],
)
def test_maps_of_the_same_session_pass(facts: dict[str, object]) -> None:
    warnings = run(inputs(t1_map=beside(1.0, **facts), b1_map=beside(1.0, **facts)), SETTINGS).warnings
    assert not any("beside.nii" in text for text in warnings)


# Regions partly outside


def test_a_region_partly_outside_keeps_its_volume_and_is_told() -> None:
    """8 x 8 x 6 voxels of the mask, of which the upper two slices lie above the series."""
    grid = dataclasses.replace(GRID, size=(8, 8, 6))
    cut = image_from_array(np.ones(grid.shape, bool), grid)
    found = run(inputs(masks={"cut": cut, "whole": box(8)}), SETTINGS)
    rows = {row["region"]: row for row in found.rows}
    assert rows["cut"]["volume_ml"] == pytest.approx(8 * 8 * 6 * GRID.voxel_volume_ml, rel=1e-12)
    assert rows["cut"]["fraction_inside"] == pytest.approx(4 / 6, rel=1e-12)
    assert rows["cut"]["voxels"] == 8 * 8 * 4
    assert rows["whole"]["fraction_inside"] == 1.0
    assert [text for text in found.warnings if "lies within the series" in text] == [
        "Only 66.7 % of the region cut lies within the series: its values are of that part, volume_ml is of the whole."
    ]


def test_a_fractional_region_counts_by_its_fractions() -> None:
    grid = dataclasses.replace(GRID, size=(8, 8, 6))
    array = np.ones(grid.shape, np.float32)
    array[4:] = 0.25
    row = run(inputs(masks={"cut": image_from_array(array, grid)}), SETTINGS).rows[0]
    assert row["fraction_inside"] == pytest.approx(4 / 4.5, rel=1e-12)
    assert row["volume_ml"] == pytest.approx(64 * 4.5 * GRID.voxel_volume_ml, rel=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.5], ids=["faces coincide", "centres on the faces"])
def test_a_finer_mask_up_to_the_edge_is_not_cut(shift: float) -> None:
    """Half as wide voxels: shifted by half of one, the centres of the last lie on the face of the series."""
    fine = Geometry((16, 16, 8), (1.0, 1.0, 2.0), (-0.5 + shift, -0.5, -1.0), GRID.direction)
    found = run(inputs(masks={"fine": image_from_array(np.ones(fine.shape, bool), fine)}), SETTINGS)
    assert found.regions["fine"].fraction_inside == 1.0
    assert not any("lies within" in text for text in found.warnings)


# Delay


@pytest.mark.parametrize(
    ("seconds", "says"),
    [(-10.0, "10.0 s before the input"), (-1.1, "1.1 s before the input"), (-1.0, ""), (8.0, ""), (8.1, "is it this")],
)
def test_delays_that_no_artery_has(seconds: float, says: str) -> None:
    found = run(inputs(delay_s=seconds, masks={"all": box(8)}), dataclasses.replace(SETTINGS, maps_of="regions"))
    told = [text for text in found.warnings if "by hand" in text]
    assert len(told) == bool(says)
    assert all(says in text for text in told)


def test_tissue_that_is_fitted_before_its_artery() -> None:
    late = AIF.__class__(TIMES, np.interp(TIMES - 5.0, TIMES, AIF.values), "mM", "late")
    settings = dataclasses.replace(SETTINGS, delay="fit", maps_of="regions")
    found = run(inputs(aif_curve=late, masks={"all": box(8)}), settings)
    assert found.delay.seconds < -1.0
    assert any("before the input (median of fits" in text for text in found.warnings)


# Few frames


@pytest.mark.parametrize(("model", "kept"), [("patlak", [4, 8, 30]), ("extended_tofts", [4, 7, 12, 30])])
def test_frames_too_few_for_the_delay_are_fitted_without_and_told(model: str, kept: list[int]) -> None:
    """The values are those of delay=none, not of a guess, and the report's first lines say so."""
    given = inputs(kept, masks={"all": box(8)})
    settings = dataclasses.replace(SETTINGS, model=model, maps_of="regions")
    found = run(given, dataclasses.replace(settings, delay="fit"))
    assert found.delay.seconds == 0.0
    assert found.delay.source.startswith(f"not fitted: {len(kept)} frames")
    assert any(f"was not fitted: {len(kept)} frames, and {model} with a delay" in text for text in found.warnings)
    without = run(given, settings)
    assert found.regions["all"].of_mean_curve == without.regions["all"].of_mean_curve


def test_frames_that_do_not_count_are_not_counted() -> None:
    """Of 40, three lie after first_s."""
    settings = DceSettings.from_dict(
        {**SETTINGS.to_dict(), "model": "patlak", "delay": "fit", "kinetics": {"first_s": TIMES[-3]}}
    )
    given = inputs(masks={"all": box(8)})
    assert run(given, settings).delay.source.startswith("not fitted: 3 frames")
    kinetics = dataclasses.replace(settings.kinetics, first_s=float(TIMES[-2]))
    with pytest.raises(InputError, match=r"2 frames from kinetics\.first_s on; patlak needs at least 3"):
        run(given, dataclasses.replace(settings, kinetics=kinetics))


@pytest.mark.parametrize(
    ("changes", "way"), [({"delay": "voxel"}, "delay=none"), ({"kinetics": {"fit_delay": True}}, "fit_delay=false")]
)
def test_too_few_frames_for_a_delay_in_every_voxel(changes: dict[str, object], way: str) -> None:
    settings = DceSettings.from_dict({**SETTINGS.to_dict(), "model": "patlak", **changes})
    with pytest.raises(InputError, match=rf"3 frames; patlak with a delay in every voxel needs at least 4.*{way}"):
        run(inputs([4, 8, 30]), settings)


# The report


def test_names_of_maps_read_as_words() -> None:
    said = [heading(name, "s") for name in DESCRIPTIVE_UNITS]
    assert "max slope (s)" in said
    assert {"arrival (s)", "time of peak (s)", "time to peak (s)"} <= set(said)
    assert (heading("ktrans", "1/min"), heading("delay_s", "s")) == ("Ktrans (1/min)", "delay (s)")


def test_descriptive_maps_alone_speak_of_no_fit() -> None:
    """Scanners write NONE where nobody typed the agent."""
    given = inputs(aif_curve=None)
    facts = dataclasses.replace(given.series.acquisition, protocol={**FACTS, "contrast_agent": "NONE"})
    given = dataclasses.replace(given, series=given.series.replace(acquisition=facts))
    settings = DceSettings.from_dict({"model": "none", "signal": {"quantity": "relative"}})
    made = page(run(given, settings))
    assert made.subtitle == "baseline · descriptive maps · MR"
    assert made.headline == []


@pytest.fixture(scope="module")
def many() -> DceResult:
    names = [f"vertebra_{i}" for i in range(7)] + ["Tumour", "lesion_1", "lesion_2"]
    return run(inputs(masks={name: box(8) for name in names}), dataclasses.replace(SETTINGS, maps_of="regions"))


def captions(section: Section) -> list[str]:
    return [block.caption for block in section.blocks if isinstance(block, Picture)]


def test_lesions_come_first_and_what_is_cut_is_told(many: DceResult) -> None:
    made = page(many)
    assert [label for label, _, _ in made.headline if label.startswith("Ktrans")] == [
        "Ktrans, Tumour",
        "Ktrans, Lesion 1",
    ]
    sections = {section.title: section for section in made.sections}
    assert all("6 of 10 regions outlined." in said for said in captions(sections["Maps"]))
    assert all("8 of 10 regions drawn." in said for said in captions(sections["Regions"]))
    table = next(block for block in sections["Regions"].blocks if isinstance(block, Table))
    assert len(table.rows) == 3 * 10  # the table holds all, in their order
    assert table.rows[0]["region"] == "Vertebra 0"


def test_few_regions_need_no_such_words() -> None:
    found = run(inputs(masks={"lesion": box(8)}), dataclasses.replace(SETTINGS, maps_of="regions"))
    said = " ".join(text for section in page(found).sections for text in captions(section))
    assert "1 of 1" not in said
    assert "outlined" not in said


def test_flip_angles_in_one_series_are_told_apart(tmp_path: Path) -> None:
    """As scanners export them that count one series for all angles: the scan parts them, the reader must too."""
    scan = simulate_spine(
        spine_preset("small", matrix=(32, 40, 6), spacing_mm=(7.5, 7.0, 8.0), frames=20, vfa_deg=(2.0, 10.0, 25.0))
    )
    write_dynamic_series(scan.series, tmp_path / "DCE")
    for angle, volume in scan.vfa.items():
        write_mr_volume(volume, tmp_path / "T1" / f"{angle:g}", name="VFA")
    for path in sorted((tmp_path / "T1").glob("*/*")):
        dataset = pydicom.dcmread(path)
        dataset.SeriesInstanceUID = "1.2.3.4"
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
        dataset.save_as(tmp_path / "T1" / f"{path.parent.name}_{path.name}")
        path.unlink()
    found = read_inputs(tmp_path / "DCE", [], t1_series=[tmp_path / "T1"])
    angles = sorted(volume.acquisition.protocol["flip_angle_deg"] for volume in found.t1_volumes)
    assert angles == [2.0, 10.0, 25.0]
