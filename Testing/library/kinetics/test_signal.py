"""Signal to concentration and T1 mapping: OSIPI's reference data, round trips, and signals that cannot be."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from bonequant.errors import InputError
from bonequant.kinetics import (
    relaxivity,
    signal_to_concentration,
    spgr_r1,
    spgr_signal,
    t1_from_flip_angles,
    to_concentration,
    to_enhancement,
)
from bonequant.volume import DynamicSeries, Geometry

TR_S, ANGLE, R1 = 0.005, 20.0, 4.5


def rows_of(path):
    with open(path, encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def numbers(text: str) -> np.ndarray:
    return np.array(text.split(), dtype=float)


def test_signal_to_concentration_on_every_curve_of_osipi(data):
    """OSIPI's tolerance is 1e-5 mM; its baseline leaves out the first frame."""
    rows = rows_of(data / "osipi/SI_to_Conc/data/SI2Conc_data.csv")
    assert len(rows) == 5
    for row in rows:
        found = signal_to_concentration(
            numbers(row["s"]),
            tr_s=float(row["TR"]),
            flip_angle_deg=float(row["FA"]),
            t1_s=float(row["T1base"]),
            relaxivity=float(row["r1"]),
            baseline=(1, int(row["numbaselinepts"])),
        )
        assert np.abs(found - numbers(row["conc"])).max() < 1e-9


@pytest.mark.parametrize(("name", "count", "per_s"), [("t1_brain_data", 76, 1.0), ("t1_quiba_data", 45, 1000.0)])
def test_t1_on_every_voxel_of_osipi(data, name, count, per_s):
    """OSIPI's tolerance: R1 within 0.05 /s + 5 %."""
    rows = rows_of(data / f"osipi/T1_mapping/data/{name}.csv")
    assert len(rows) == count
    for row in rows:
        found = t1_from_flip_angles(numbers(row["s"]), numbers(row["FA"]), numbers(row["TR"]))
        expected = per_s * float(row["R1"])
        assert abs(found.r1_per_s[0] - expected) <= 0.05 + 0.05 * expected, row["label"]


def test_inverse_is_exact_and_keeps_negative_concentrations():
    concentration = np.array([[0.0, 0.0, -0.05, 0.3, 5.0, 40.0]])
    signal = spgr_signal(1.0 / 1.2 + R1 * concentration, TR_S, ANGLE, 812.0, 0.93)
    found = signal_to_concentration(
        signal, tr_s=TR_S, flip_angle_deg=ANGLE, t1_s=np.array([1.2]), relaxivity=R1, baseline=2, b1=np.array([0.93])
    )
    assert np.allclose(found, concentration, rtol=1e-9, atol=1e-11)
    assert found[0, 2] < 0.0


def test_impossible_signals_and_t1_are_nan_not_numbers():
    ceiling = 100.0 * np.sin(np.deg2rad(ANGLE))
    assert np.isnan(spgr_r1(np.array([0.0, -3.0, ceiling, 1.1 * ceiling, np.nan]), TR_S, ANGLE, 100.0)).all()
    signal = np.full((3, 6), 50.0)
    found = signal_to_concentration(
        signal, tr_s=TR_S, flip_angle_deg=ANGLE, t1_s=np.array([1.0, -1.0, 0.0]), relaxivity=R1, baseline=2
    )
    assert np.isfinite(found[0]).all() and np.isnan(found[1:]).all()


def test_a_series_counts_what_it_lost():
    grid = Geometry((2, 1, 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
    frames = np.full((5, 1, 1, 2), 50.0, dtype=np.float32)
    frames[3, 0, 0, 1] = 1e6
    series = DynamicSeries(frames, np.arange(5.0), grid, modality="MR")
    result = to_concentration(series, tr_s=TR_S, flip_angle_deg=ANGLE, t1_s=1.0, relaxivity=R1, baseline=2)
    assert result.unit == "mM"
    assert np.isnan(result.frames[3, 0, 0, 1]) and np.isnan(result.frames).sum() == 1
    assert result.warnings[0].startswith("1 voxels")
    assert np.allclose(result.frames[:, 0, 0, 0], 0.0, atol=1e-6)
    assert np.allclose(to_enhancement(series, 3).frames[:, 0, 0, 0], 0.0)


@pytest.mark.parametrize(
    "change", [{"tr_s": 0.0}, {"flip_angle_deg": 180.0}, {"relaxivity": -1.0}, {"baseline": 0}, {"baseline": (2, 9)}]
)
def test_sequences_that_cannot_be_are_refused(change):
    facts = {"tr_s": TR_S, "flip_angle_deg": ANGLE, "t1_s": 1.0, "relaxivity": R1, "baseline": 2, **change}
    with pytest.raises(InputError):
        signal_to_concentration(np.full((1, 6), 50.0), **facts)


def test_t1_is_recovered_exactly_with_b1_and_unequal_tr():
    random = np.random.default_rng(1)
    t1, s0, b1 = random.uniform(0.05, 4.0, 300), random.uniform(10.0, 1e5, 300), random.uniform(0.7, 1.3, 300)
    angles, tr = np.array([2.0, 5.0, 10.0, 20.0]), np.array([0.005, 0.005, 0.006, 0.005])
    signals = spgr_signal(1.0 / t1[:, None], tr, angles, s0[:, None], b1[:, None])
    found = t1_from_flip_angles(signals, angles, tr, b1)
    assert np.abs(found.t1_s / t1 - 1.0).max() < 1e-6 and np.abs(found.s0 / s0 - 1.0).max() < 1e-6
    assert found.n_failed == 0


def test_the_non_linear_fit_has_the_least_residual_and_less_scatter_than_the_line():
    """Per voxel no R1 of a fine grid does better; and noise scatters the straight line more (Deoni 2003)."""
    random = np.random.default_rng(2)
    angles, t1, n = np.array([2.0, 5.0, 10.0, 15.0, 25.0]), 1.0, 2000
    clean = spgr_signal(1.0 / t1, TR_S, angles, 1000.0)
    signals = clean + random.normal(0.0, clean.max() / 50.0, (n, len(angles)))
    found = t1_from_flip_angles(signals, angles, TR_S)
    rates = np.exp(np.linspace(np.log(0.2), np.log(5.0), 4001))
    shapes = spgr_signal(rates[:, None], TR_S, angles)
    for i in range(0, n, 100):
        best = signals[i] @ signals[i] - (shapes @ signals[i]) ** 2 / (shapes * shapes).sum(axis=1)
        assert found.rss[i] <= best.min() * (1.0 + 1e-9)
    a = np.deg2rad(angles)
    x, y = signals / np.tan(a), signals / np.sin(a)
    slope = np.array([np.polyfit(p, q, 1)[0] for p, q in zip(x, y, strict=True)])
    line = -TR_S / np.log(slope)
    assert np.std(found.t1_s) < 0.95 * np.nanstd(line)


def test_voxels_without_a_t1_are_nan_and_counted():
    signals = np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [np.nan, 1.0, 2.0], [300.0, 200.0, 100.0]])
    signals[0] = spgr_signal(1.0, TR_S, np.array([3.0, 10.0, 20.0]), 100.0)
    signals[3] = 100.0 * np.sin(np.deg2rad([3.0, 10.0, 20.0]))  # T1 = 0: full signal at any angle
    found = t1_from_flip_angles(signals, np.array([3.0, 10.0, 20.0]), TR_S)
    assert found.t1_s[0] == pytest.approx(1.0)
    assert np.isnan(found.t1_s[1:]).all() and np.isnan(found.s0[1:]).all() and found.n_failed == 3
    with pytest.raises(InputError, match="two different flip angles"):
        t1_from_flip_angles(signals[:, :1], np.array([3.0]), TR_S)


def test_relaxivities_are_the_published_ones():
    assert relaxivity("Gadobutrol", 2.89).r1 == 4.97 and "Szomolanyi" in relaxivity("gadobutrol", 3.0).source
    assert relaxivity("gadoterate", 3.0, "blood").r1 == 2.72
    assert relaxivity("gadobenate", 1.5).r1 == 6.3
    with pytest.raises(InputError, match=r"gadobutrol 1\.5 T plasma"):
        relaxivity("gadobutrol", 0.5)
