"""Population AIFs against OSIPI's reference values and what their papers say of them."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from bonequant.errors import InputError
from bonequant.kinetics import blood_to_plasma, population_aif


def test_parker_on_every_curve_of_osipi(data):
    """Whole blood (hematocrit 0); OSIPI's tolerance 1e-4 + 1 %, met to rounding."""
    curves: dict[str, list[tuple[float, float, float]]] = {}
    with open(data / "osipi/PopulationAIF_DCE/data/ParkerAIF_ref.csv", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            curves.setdefault(row["label"], []).append((float(row["time"]), float(row["Cb"]), float(row["delay"])))
    assert len(curves) == 11
    for rows in curves.values():
        minutes, blood, delay = np.array(rows).T
        found = population_aif(60.0 * minutes, "parker", hematocrit=0.0, delay_s=float(delay[0])).values
        assert np.allclose(found, blood, rtol=1e-9, atol=1e-12)


def test_parker_with_delay_and_hematocrit_is_that_of_the_osipi_package():
    osipi = pytest.importorskip("osipi", reason="OSIPI PACKAGE MISSING: pip install osipi for the comparison")
    t = np.arange(0.0, 300.0, 2.5)
    expected = osipi.aif_parker(t, BAT=17.0, Hct=0.42)
    found = population_aif(t, "parker", hematocrit=0.42, delay_s=17.0).values
    assert np.allclose(found, expected, rtol=1e-5, atol=1e-5)  # the package rounds the Gaussians' heights to 6 digits


def test_georgiou_is_the_papers_curve():
    """First pass: the exponentials times one gamma variate. Late: passes have unit area and come every
    (alpha + 1) beta + tau = 0.3293 min, so they overlap into 1 / 0.3293 per minute."""
    t = np.arange(0.1, 600.0, 0.1)
    minutes = t / 60.0
    blood = population_aif(t, "georgiou", hematocrit=0.0).values
    gamma = minutes**5.26 * np.exp(-minutes / 0.032) / (0.032**6.26 * math.gamma(6.26))
    slow = 0.37 * np.exp(-0.11 * minutes) + 0.33 * np.exp(-1.17 * minutes) + 10.06 * np.exp(-16.02 * minutes)
    first = minutes < 0.129
    assert np.allclose(blood[first], (slow * gamma)[first], rtol=1e-9)
    late = minutes > 5.0
    assert np.allclose(blood[late], slow[late] / (6.26 * 0.032 + 0.129), rtol=1e-3)  # ripple of the passes


def test_weinmann_is_plasma_already():
    values = population_aif(np.array([-1.0, 0.0, 60.0]), "weinmann", hematocrit=0.3).values
    assert values[0] == 0.0
    assert values[1] == pytest.approx(0.1 * (3.99 + 4.78))
    assert values[2] == pytest.approx(0.1 * (3.99 * np.exp(-0.144) + 4.78 * np.exp(-0.0111)))


def test_plasma_and_refusals():
    assert blood_to_plasma(np.array([1.16]), 0.42) == pytest.approx(2.0)
    with pytest.raises(InputError, match=r"42 % is 0\.42"):
        population_aif(np.arange(5.0), "parker", hematocrit=42.0)
    with pytest.raises(InputError, match="parker, georgiou, weinmann"):
        population_aif(np.arange(5.0), "fritz")
