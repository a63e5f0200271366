"""Bad input is refused or becomes NaN with a count; maps keep their geometry; the work can be stopped and shared."""

from __future__ import annotations

import numpy as np
import pytest
from bonequant.errors import Cancelled, GeometryError, InputError, SettingsError
from bonequant.kinetics import (
    MODELS,
    AifSettings,
    KineticsSettings,
    convolve_exponential,
    curve_maps,
    descriptive,
    fit,
    fit_maps,
    population_aif,
)
from bonequant.kinetics.descriptive import DESCRIPTIVE_UNITS
from bonequant.volume import Curve, DynamicSeries, Geometry, image_from_array

TIMES_S = np.arange(40) * 5.0
AIF = population_aif(TIMES_S, delay_s=20.0)
GRID = Geometry((5, 4, 3), (1.0, 2.0, 3.0), (10.0, -5.0, 7.0), (0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0))


def curves(count: int) -> np.ndarray:
    ktrans = np.linspace(0.05, 0.4, count)
    return ktrans[:, None] * convolve_exponential(TIMES_S, AIF.values, ktrans / 0.3) + 0.05 * AIF.values


def series_of(rows: np.ndarray) -> DynamicSeries:
    return DynamicSeries(rows.T.reshape(40, 3, 4, 5).astype(np.float32), TIMES_S, GRID, "MR", "mM", name="dce")


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (np.concatenate([TIMES_S[:5], TIMES_S[:35]]), "decreasing"),
        (np.concatenate([TIMES_S[:5], TIMES_S[4:39]]), "repeated"),
        (np.where(TIMES_S == 10.0, np.nan, TIMES_S), "finite"),
        (TIMES_S[:-1], "do not fit"),
    ],
)
def test_times_that_cannot_be(times, message):
    with pytest.raises(InputError, match=message):
        fit(times, curves(2), AIF.values)


@pytest.mark.parametrize(
    ("aif", "message"),
    [
        (np.zeros(40), "nowhere above zero"),
        (-AIF.values, "nowhere above zero"),
        (np.where(TIMES_S == 50.0, np.nan, AIF.values), "not finite"),
        (AIF.values[:-3], "one value per time"),
        (Curve(TIMES_S[:20], AIF.values[:20]), "must cover"),
    ],
)
def test_inputs_that_cannot_be(aif, message):
    with pytest.raises(InputError, match=message):
        fit(TIMES_S, curves(2), aif)


def test_too_few_frames_unknown_model_and_missing_portal():
    with pytest.raises(InputError, match="needs at least 4 frames"):
        fit(TIMES_S[:3], curves(1)[:, :3], np.array([0.0, 1.0, 2.0]))
    with pytest.raises(InputError, match="needs at least 4 frames"):
        fit(TIMES_S, curves(1), AIF, settings=KineticsSettings(first_s=190.0))
    with pytest.raises(SettingsError, match="extended_tofts"):
        fit(TIMES_S, curves(1), AIF, "toft")
    with pytest.raises(InputError, match="portal="):
        fit(TIMES_S, curves(1), AIF, "dual_input_liver")
    with pytest.raises(InputError, match="no portal input"):
        fit(TIMES_S, curves(1), AIF, portal=AIF)
    with pytest.raises(SettingsError, match="low, high"):
        KineticsSettings(ve=(0.6, 0.2))


@pytest.mark.parametrize("model", ["tofts", "extended_tofts", "patlak", "one_tissue", "2cum", "2cxm"])
def test_curves_that_are_not_finite_are_nan_and_counted(model):
    rows = curves(5)
    rows[1] = np.nan
    rows[3, 7] = np.inf
    found = fit(TIMES_S, rows, AIF, model)
    assert found.n_failed == 2
    for values in (*found.values.values(), found.rss, found.r2):
        assert np.isnan(values[[1, 3]]).all() and np.isfinite(values[[0, 2, 4]]).all()
    assert np.isnan(found.predict()[1]).all() and not found.at_bound[[1, 3]].any()
    assert set(found.units) == set(found.values)
    assert fit(TIMES_S, np.full((3, 40), np.nan), AIF, model).n_failed == 3


def test_a_flat_curve_is_flagged_not_passed_off():
    found = fit(TIMES_S, np.zeros(40), AIF)
    assert found.at_bound[0] and np.isnan(found.r2[0])
    assert found["ktrans"][0] == 0.0 and np.isnan([found["ve"][0], found["kep"][0]]).all()
    with pytest.raises(KeyError, match="ktrans"):
        found["foo"]


def test_unknown_ve_is_counted_in_the_maps():
    rows = np.concatenate([curves(58), 0.1 * AIF.values[None], np.zeros((1, 40))])  # one voxel of blood, one of nothing
    maps = fit_maps(series_of(rows), AIF)
    assert np.isnan(maps["ve"].array.ravel()[-1]) and maps["ktrans"].array.ravel()[-1] == 0.0
    nothing = int((maps["ktrans"].array == 0.0).sum())
    assert np.count_nonzero(np.isnan(maps["ve"].array)) == nothing
    assert any(f"{nothing} of 60 voxels have ktrans 0" in note for note in maps["ve"].warnings)


def test_settings_are_taken_as_a_dictionary_and_anything_else_is_refused():
    rows, bounds = curves(3), {"ktrans": [0.0, 0.2]}
    expected = fit(TIMES_S, rows, AIF, settings=KineticsSettings(ktrans=(0.0, 0.2)))
    assert np.array_equal(fit(TIMES_S, rows, AIF, settings=bounds)["ktrans"], expected["ktrans"])
    series = series_of(curves(60))
    assert np.nanmax(fit_maps(series, AIF, settings=bounds)["ktrans"].array) <= np.float32(0.2)
    with pytest.raises(SettingsError, match="ktran"):
        fit(TIMES_S, rows, AIF, settings={"ktran": [0.0, 0.2]})
    with pytest.raises(SettingsError, match="KineticsSettings"):
        fit(TIMES_S, rows, AIF, settings=AifSettings())


def test_prediction_residual_and_r2_agree():
    rows = curves(4) + np.random.default_rng(0).normal(0.0, 0.02, (4, 40))
    found = fit(TIMES_S, rows, AIF)
    residual = rows - found.predict()
    assert np.allclose((residual**2).sum(axis=1), found.rss, rtol=1e-9)
    spread = ((rows - rows.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    assert np.allclose(1.0 - found.rss / spread, found.r2, rtol=1e-9)
    assert found.predict(np.array([12.5, 60.0])).shape == (4, 2)


def test_results_do_not_depend_on_threads_or_neighbours():
    rows = np.tile(curves(50), (400, 1)) + np.random.default_rng(1).normal(0.0, 0.05, (20000, 40))
    one = fit(TIMES_S, rows, AIF, settings=KineticsSettings(threads=1))
    three = fit(TIMES_S, rows, AIF, settings=KineticsSettings(threads=3))
    alone = fit(TIMES_S, rows[9000:9005], AIF)
    for name in one.values:
        assert np.array_equal(one[name], three[name])
        assert np.allclose(
            one[name][9000:9005], alone[name], rtol=1e-6, atol=1e-9
        )  # 1e-7 of ln k: the stop of the search


def test_maps_are_the_fit_on_the_grid_of_the_series():
    rows = curves(60)
    rows[11] = np.nan
    mask = np.zeros(GRID.shape, dtype=np.uint8)
    mask[1:] = 1
    maps = fit_maps(series_of(rows), AIF, "extended_tofts", image_from_array(mask, GRID))
    fitted = fit(TIMES_S, rows.astype(np.float32), AIF)
    assert maps["ktrans"].unit == "1/min" and maps["ktrans"].geometry == GRID
    assert np.isnan(maps["ktrans"].array[0]).all()
    for name in ("ktrans", "ve", "vp", "kep", "r2"):
        values = fitted.r2 if name == "r2" else fitted[name]
        assert np.allclose(maps[name].array.ravel()[20:], values[20:], rtol=1e-5, equal_nan=True)
    assert set(np.unique(maps["at_bound"].array)) <= {0, 1}
    whole = fit_maps(series_of(rows), AIF, settings=KineticsSettings(standard_errors=True))
    assert any("1 of 60 voxels" in note for note in whole["ve"].warnings)
    assert np.isnan(whole["ktrans"].array.ravel()[11]) and whole["ktrans_se"].unit == "1/min"


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("model", ["extended_tofts", "patlak", "one_tissue", "2cum", "2cxm"])
def test_curves_without_enhancement_pass_silently(model):
    """Noise, nothing, and falling lines: values within their bounds, a flag where they sit on one, no warning."""
    noise = np.random.default_rng(3).normal(0.0, 0.05, (200, 40))
    rows = np.concatenate([noise, np.zeros((1, 40)), -0.1 * AIF.values[None], 1e-300 * AIF.values[None]])
    found = fit(TIMES_S, rows, AIF, model)
    errors = found.standard_errors()
    assert found.n_failed == 0 and found.at_bound[-3:-1].all()
    for name in MODELS[model].free:
        low, high = getattr(KineticsSettings(), MODELS[model].free[name])
        within = (found[name] >= low) & (found[name] <= high)
        assert np.all(within | np.isnan(found[name]))
        assert np.isnan(errors[name][found.at_bound]).all()
    for amplitude, names in MODELS[model].undefined.items():  # no tissue at all takes part: any rate gives this curve
        nothing = found[amplitude] == 0.0
        assert nothing.any()
        assert all(np.isnan(found[name][nothing]).all() for name in names)
        assert np.isfinite(found.predict()[nothing]).all()


def test_maps_refuse_masks_that_do_not_fit_and_can_be_cancelled():
    series = series_of(curves(60))
    other = Geometry(GRID.size, GRID.spacing, (0.0, 0.0, 0.0), GRID.direction)
    with pytest.raises(GeometryError, match="another grid"):
        fit_maps(series, AIF, mask=image_from_array(np.ones(GRID.shape), other))
    with pytest.raises(InputError, match="empty"):
        fit_maps(series, AIF, mask=np.zeros(GRID.shape))

    def stop(fraction: float, message: str) -> None:
        raise Cancelled(message)

    with pytest.raises(Cancelled):
        fit_maps(series, AIF, progress=stop)
    big = np.tile(curves(50), (1000, 1))
    with pytest.raises(Cancelled):
        fit(TIMES_S, big, AIF, progress=stop, settings=KineticsSettings(threads=2))


def test_descriptive_maps():
    rows = curves(60)
    rows[3] = np.nan
    maps = curve_maps(series_of(rows), lambda part: descriptive(TIMES_S, part), DESCRIPTIVE_UNITS)
    assert maps["arrival_s"].unit == "s" and np.isnan(maps["peak"].array.ravel()[3])
    assert maps["peak"].array.ravel()[10] == pytest.approx(rows[10].max(), rel=1e-6)
    assert "1 of 60" in maps["peak"].warnings[0]
