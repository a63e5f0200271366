"""Input that cannot be measured: a clear error, or NaN in the map with a count in the result; never plausible zeros."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from bonequant.errors import InputError, MissingFactError
from bonequant.io import write_dynamic
from bonequant.kinetics import convolve_exponential, population_aif, spgr_signal
from bonequant.studies.dce_perfusion import DceInputs, DceSettings, read_inputs, run
from bonequant.studies.dce_perfusion.agent import agent_named
from bonequant.volume import Acquisition, Curve, DynamicSeries, Geometry, Volume, image_from_array

TIMES = np.arange(40) * 5.0
GRID = Geometry((8, 8, 4), (2.0, 2.0, 4.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
AIF = population_aif(TIMES, "parker", delay_s=25.0)
KTRANS, VE, VP = 0.12, 0.3, 0.05
FACTS = {"repetition_time_ms": 5.0, "flip_angle_deg": 20.0, "field_strength_t": 1.5, "contrast_agent": "10 ml Gadovist"}
SETTINGS = DceSettings.from_dict({"signal": {"t1_s": 1.0}, "delay": "none", "preprocess": {"background": False}})


def inputs(**changes: object) -> DceInputs:
    """Every voxel the same extended Tofts tissue, as signal, with the true input; no noise."""
    curve = KTRANS * convolve_exponential(TIMES, AIF.values, KTRANS / VE) + VP * AIF.values
    signal = spgr_signal(1.0 + 4.78 * curve, 0.005, 20.0, 1000.0)
    frames = np.broadcast_to(signal[:, None, None, None], (40, *GRID.shape)).astype(np.float32)
    series = DynamicSeries(frames.copy(), TIMES, GRID, "MR", "", Acquisition(protocol=dict(FACTS)), name="made")
    return dataclasses.replace(DceInputs(series, aif_curve=AIF), **changes)  # type: ignore[arg-type]


def without(given: DceInputs, *facts: str) -> DceInputs:
    protocol = {key: value for key, value in FACTS.items() if key not in facts}
    return dataclasses.replace(given, series=given.series.replace(acquisition=Acquisition(protocol=protocol)))


def test_good_input_gives_the_truth() -> None:
    """float32 frames are the only error; 4.78 is gadobutrol at 1.5 T, told by its brand."""
    signal = dataclasses.replace(SETTINGS.signal, baseline_frames=4)  # the bolus' tail begins in the fifth
    found = run(inputs(), dataclasses.replace(SETTINGS, signal=signal))
    for name, truth in (("ktrans", KTRANS), ("ve", VE), ("vp", VP)):
        assert found.regions["all_fitted"].of_mean_curve[name] == pytest.approx(truth, rel=1e-4)
        np.testing.assert_allclose(found.maps[name].array, truth, rtol=1e-4)
    assert found.facts.relaxivity == 4.78
    assert "gadobutrol at 1.5 T" in found.facts.relaxivity_source
    assert agent_named("Dotarem 0.1 mmol/kg") == "gadoterate"
    assert agent_named("saline") is None


@pytest.mark.parametrize("times", [TIMES[::-1], np.where(np.arange(40) == 7, TIMES[6], TIMES)], ids=["down", "twice"])
def test_times_that_decrease_or_repeat(times: np.ndarray) -> None:
    with pytest.raises(InputError, match="increasing"):
        inputs().series.replace(times_s=times)


def test_an_input_of_zeros() -> None:
    with pytest.raises(InputError, match="nowhere above zero"):
        run(inputs(aif_curve=Curve(TIMES, np.zeros(40), "mM", "nothing")), SETTINGS)


def test_an_artery_without_signal() -> None:
    given = inputs(aif_curve=None, aif_region=image_from_array(np.ones(GRID.shape, bool), GRID))
    given.series.frames[:, :] = 0.0
    with pytest.raises(InputError, match=r"zero, negative or saturated|has a concentration|does not enhance"):
        run(given, SETTINGS)


def test_a_series_in_which_nothing_enhances() -> None:
    """With an input from elsewhere too: maps of 1e-15 would look like values."""
    series = inputs().series
    still = series.replace(frames=np.full_like(series.frames, 5.0))
    with pytest.raises(InputError, match="No voxel enhances"):
        run(inputs(series=still), SETTINGS)


def test_a_saturated_artery_is_named() -> None:
    region = np.zeros(GRID.shape, bool)
    region[0, 0, 0] = True
    given = inputs(aif_curve=None, aif_region=image_from_array(region, GRID))
    given.series.frames[8:12, 0, 0, 0] = 1e6
    with pytest.raises(InputError, match=r"artery's signal is zero, negative or saturated in 4 of 40 frames"):
        run(given, SETTINGS)


def test_impossible_voxels_are_nan_and_counted_by_reason() -> None:
    given = inputs(t1_map=Volume(image_from_array(np.ones(GRID.shape, np.float32), GRID), "MR", "s", name="T1"))
    frames = given.series.frames
    frames[20, 0, 0, 0] = 1e6  # saturated: no concentration gives it
    frames[20, 0, 0, 1] = -5.0
    frames[:, 0, 0, 2] = np.nan
    t1 = given.t1_map.array.copy()
    t1[0, 0, 3] = -0.5
    t1[0, 0, 4] = np.nan  # as this job itself writes what it does not know
    given = dataclasses.replace(given, t1_map=given.t1_map.with_array(t1))
    found = run(given, SETTINGS)
    wrong = np.zeros(GRID.shape, bool)
    wrong[0, 0, :5] = True
    for name in ("ktrans", "ve", "vp", "r2", "peak", "iauc60"):
        np.testing.assert_array_equal(np.isnan(found.maps[name].array), wrong, err_msg=name)
    assert found.counts["NaN: a frame's signal is zero, negative or saturated"] == 2
    assert found.counts["NaN: T1 is not known"] == 2
    assert found.counts["not finite in a frame"] == 1
    assert found.counts["fitted"] == wrong.size - 5
    assert any("zero or negative in 2 voxels" in text for text in found.warnings)
    assert any("NaN in the maps" in text for text in found.warnings)


def test_ve_is_not_known_where_nothing_leaves_the_vessels() -> None:
    """A flat curve, and one that falls: Ktrans is 0, so no ve (nor kep) can be told; it is NaN, and counted."""
    given = inputs()
    frames = given.series.frames
    frames[:, 0, 0, 0] = frames[0, 0, 0, 0]
    frames[5:, 0, 0, 1] = 0.9 * frames[0, 0, 0, 1]
    found = run(given, SETTINGS)
    for place in ((0, 0, 0), (0, 0, 1)):
        assert found.maps["ktrans"].array[place] == 0.0
        assert np.isnan(found.maps["ve"].array[place]) and np.isnan(found.maps["kep"].array[place])
        assert np.isfinite(found.maps["rss"].array[place])
    assert found.counts["fitted, with ktrans 0: ve and kep cannot be told there, NaN"] == 2
    assert found.counts["fitted"] == np.prod(GRID.shape)


def test_a_region_of_nan_alone() -> None:
    region = np.zeros(GRID.shape, bool)
    region[0, 0, :3] = True
    given = inputs(masks={"lost": image_from_array(region, GRID)})
    given.series.frames[:, region] = np.nan
    found = run(given, SETTINGS).regions["lost"]
    assert (found.n_voxels, found.n_missing, found.fitted) == (3, 3, None)
    assert found.of_mean_curve == {}
    assert np.isnan(found.of_voxels["ktrans"]["mean"])
    assert np.isnan(found.concentration.values).all()


@pytest.mark.parametrize("t1", [-1.0, 0.0, 900.0], ids=["negative", "zero", "milliseconds"])
def test_a_map_that_is_no_t1(t1: float) -> None:
    volume = Volume(image_from_array(np.full(GRID.shape, t1, np.float32), GRID), "MR", "", name="T1")
    with pytest.raises(InputError, match=r"t1_map_unit|no T1 above zero"):
        run(inputs(t1_map=volume), SETTINGS)


def test_too_few_frames_for_the_model() -> None:
    given = inputs()
    few = given.series.replace(frames=given.series.frames[:3], times_s=TIMES[:3])
    with pytest.raises(InputError, match=r"3 frames; extended_tofts needs at least 4.*model=none"):
        run(dataclasses.replace(given, series=few), SETTINGS)
    described = run(dataclasses.replace(given, series=few), dataclasses.replace(SETTINGS, model="none"))
    assert "ktrans" not in described.maps
    assert described.aif is None


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("repetition_time_ms", "signal.tr_ms"),
        ("flip_angle_deg", "signal.flip_angle_deg"),
        ("contrast_agent", "signal.relaxivity"),
        ("field_strength_t", "signal.field_t"),
    ],
)
def test_a_fact_that_is_missing_is_named_with_the_way_out(missing: str, says: str) -> None:
    with pytest.raises(MissingFactError, match=says):
        run(without(inputs(), missing), SETTINGS)


def test_without_t1_relative_enhancement_is_a_way() -> None:
    with pytest.raises(MissingFactError, match=r"signal\.quantity=relative"):
        run(inputs(), DceSettings.from_dict({"delay": "none"}))
    settings = DceSettings.from_dict({"signal": {"quantity": "relative"}, "preprocess": {"background": False}})
    given = without(inputs(aif_curve=None, aif_region=image_from_array(np.ones(GRID.shape, bool), GRID)), *FACTS)
    found = run(given, settings)
    signal = given.series.frames[:, 0, 0, 0].astype(float)
    before = signal[: found.facts.baseline_frames].mean()
    np.testing.assert_allclose(found.concentration.frames[:, 0, 0, 0], signal / before - 1.0, atol=1e-5)


def test_a_population_needs_concentration() -> None:
    settings = DceSettings.from_dict({"input": "parker", "signal": {"quantity": "relative"}})
    with pytest.raises(InputError, match="population input is in mM"):
        run(inputs(aif_curve=None), settings)


def test_ct_is_enhancement_and_its_input_plasma() -> None:
    """HU above the baseline, fitted with blood / (1 - hematocrit): the truth comes back whatever the baseline."""
    curve = KTRANS * convolve_exponential(TIMES, AIF.values, KTRANS / VE) + VP * AIF.values
    frames = np.broadcast_to((40.0 + 25.0 * curve)[:, None, None, None], (40, *GRID.shape)).astype(np.float32).copy()
    artery = np.zeros(GRID.shape, bool)
    artery[0, :2, :2] = True
    frames[:, artery] = (35.0 + 25.0 * (1 - 0.42) * AIF.values)[:, None]
    series = DynamicSeries(frames, TIMES, GRID, "CT", "HU", name="made")
    given = DceInputs(series, aif_region=image_from_array(artery, GRID))
    found = run(given, DceSettings(delay="none"))
    assert (found.facts.unit, found.maps["peak"].unit) == ("HU", "HU")
    outside = ~artery
    for name, truth in (("ktrans", KTRANS), ("vp", VP)):  # 1 %: lines between frames stand for the input's own form
        np.testing.assert_allclose(found.maps[name].array[outside], truth, rtol=0.01)


def test_the_baseline_asked_for_is_that_of_the_input_too(tmp_path: Path) -> None:
    frames = np.broadcast_to((40.0 + 25.0 * AIF.values)[:, None, None, None], (40, *GRID.shape)).astype(np.float32)
    frames = frames.copy()
    frames[2] += 6.0  # noise in the third of five frames before the contrast
    series = DynamicSeries(frames, TIMES, GRID, "CT", "HU", name="made")
    region = image_from_array(np.ones(GRID.shape, bool), GRID)
    settings = DceSettings.from_dict({"delay": "none", "signal": {"baseline_frames": 2}})
    found = run(DceInputs(series, aif_region=region), settings)
    assert found.artery.values[:2] == pytest.approx([0.0, 0.0], abs=1e-4)  # float32
    assert found.concentration.frames[:2].max() == pytest.approx(0.0, abs=1e-4)
    # An input from a file is in what is fitted.
    (tmp_path / "aif.csv").write_text("\n".join(f"{t},{v}" for t, v in zip(TIMES, AIF.values, strict=True)))
    write_dynamic(series, tmp_path / "ct.seq.nrrd")
    given = run(read_inputs(tmp_path / "ct.seq.nrrd", aif=tmp_path / "aif.csv"), settings)
    assert (given.artery.method, given.artery.unit) == ("file", "HU")


@pytest.mark.parametrize("mapped", [False, True])
def test_the_flip_angle_is_corrected_in_the_artery_too(mapped: bool) -> None:
    """B1 0.8 everywhere, as a number or as a map: blood comes back with its own T1 (1.44 s at 1.5 T)."""
    blood = (1 - 0.42) * AIF.values
    signal = spgr_signal(1 / 1.44 + 4.78 * blood, 0.005, 20.0, 1000.0, 0.8)
    frames = np.broadcast_to(signal[:, None, None, None], (40, *GRID.shape)).astype(np.float32)
    series = inputs().series.replace(frames=frames.copy())
    everywhere = image_from_array(np.ones(GRID.shape, bool), GRID)
    b1 = Volume(image_from_array(np.full(GRID.shape, 0.8, np.float32), GRID)) if mapped else None
    signals = {"t1_s": 1.44, "baseline_frames": 4, **({} if mapped else {"b1": 0.8})}
    settings = DceSettings.from_dict({"delay": "none", "preprocess": {"background": False}, "signal": signals})
    found = run(DceInputs(series, aif_region=everywhere, b1_map=b1), settings)
    # 0.5 %: the tail of the bolus lies in the baseline already; without the factor it would be 20 to 56 %.
    np.testing.assert_allclose(found.artery.values, AIF.values, atol=5e-3 * AIF.values.max())


def test_modalities_and_units_that_do_not_fit() -> None:
    series = inputs().series
    with pytest.raises(InputError, match="modality=MR"):
        run(inputs(series=series.replace(modality="OT")), SETTINGS)
    with pytest.raises(InputError, match="unit=HU"):
        run(inputs(series=series.replace(modality="CT")), SETTINGS)


def test_three_phases_of_a_real_series_are_too_few(data: Path) -> None:
    """Three phases, 60 slices: descriptive maps, but no kinetic model."""
    given = read_inputs(data / "dce_breast_dicom" / "UCSF-BR-06" / "image_dce_3dfgre_orig")
    assert given.series.frames.shape[:2] == (3, 60)
    with pytest.raises(InputError, match="3 frames; extended_tofts needs at least 4"):
        run(given, DceSettings())
