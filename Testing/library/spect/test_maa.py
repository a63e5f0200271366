"""MAA: values worked by hand, conservation of the activity, impossible input."""

from __future__ import annotations

import math

import pytest
from bonequant.errors import InputError
from bonequant.spect import (
    PartitionSettings,
    geometric_mean,
    lung_shunt_fraction,
    partition_model,
    planar_lung_shunt_fraction,
    tumour_to_normal_ratio,
)


def test_lung_shunt_by_hand():
    assert lung_shunt_fraction(50_000, 950_000) == pytest.approx(0.05)
    assert geometric_mean(900, 400) == 600
    # Lungs 90 000 / 40 000 -> 60 000, liver 1 600 000 / 900 000 -> 1 200 000: 60 / 1260.
    assert planar_lung_shunt_fraction(90e3, 40e3, 1.6e6, 0.9e6) == pytest.approx(60 / 1260)
    assert lung_shunt_fraction(0, 10) == 0


def test_tumour_to_normal_by_hand():
    # 300 kcounts in 0.2 kg against 700 kcounts in 1.4 kg: 1500 / 500.
    assert tumour_to_normal_ratio(300e3, 0.2, 700e3, 1.4) == pytest.approx(3.0)


def test_partition_by_hand():
    # 2 GBq, LSF 5 %, T/N 4, 0.3 kg tumour, 1.5 kg liver, 1 kg lungs:
    # D_N = 49.67 * 2 * 0.95 / (4 * 0.3 + 1.5) = 94.373 / 2.7 = 34.9530 Gy; D_T = 139.812; D_L = 4.967.
    result = partition_model(2.0, 0.05, 4.0, 0.3, 1.5)
    assert result.normal_liver_gy == pytest.approx(34.9530, abs=5e-5)
    assert result.tumour_gy == pytest.approx(139.812, abs=5e-4)
    assert result.lung_gy == pytest.approx(4.967)
    assert result.tumour_gbq + result.normal_liver_gbq + result.lung_gbq == pytest.approx(2.0)
    assert not result.warnings


def test_dose_constant_and_lung_mass_are_input():
    standard = partition_model(2.0, 0.1, 4.0, 0.3, 1.5)
    other = partition_model(2.0, 0.1, 4.0, 0.3, 1.5, PartitionSettings(dose_constant=15.87, lung_mass_kg=0.8))
    assert other.tumour_gy / standard.tumour_gy == pytest.approx(15.87 / 49.67)
    assert other.lung_gy == pytest.approx(15.87 * 0.2 / 0.8)


def test_default_constant_is_that_of_90y():
    # Mean beta energy 0.933 MeV per decay (ICRP 107; evaluations range from 0.927 to 0.934), half-life 64.05 h.
    joule_per_gbq = 1e9 * 64.05 * 3600 / math.log(2) * 0.933e6 * 1.602176634e-19
    assert PartitionSettings().dose_constant == pytest.approx(joule_per_gbq, rel=0.002)


def test_warnings_of_the_makers_limits():
    result = partition_model(3.0, 0.25, 4.0, 0.3, 1.5)
    assert "25.0 %" in result.warnings[0]
    assert "37.3 Gy" in result.warnings[1]  # 49.67 * 0.75


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lung_shunt_fraction(0, 0), "empty"),
        (lambda: lung_shunt_fraction(-1, 10), "lung is -1"),
        (lambda: lung_shunt_fraction(math.nan, 10), "lung is nan"),
        (lambda: tumour_to_normal_ratio(1, 0, 1, 1), "tumour_mass_kg"),
        (lambda: tumour_to_normal_ratio(1, 1, 0, 1), "no counts"),
        (lambda: partition_model(2, 5.0, 4, 0.3, 1.5), "not percent"),
        (lambda: partition_model(2, 0.05, 4, 300, 1500), "in kg"),
        (lambda: partition_model(2000, 0.05, 4, 0.3, 1.5), "MBq"),
        (lambda: partition_model(0, 0.05, 4, 0.3, 1.5), "activity_gbq"),
    ],
)
def test_impossible_input(call, words):
    with pytest.raises(InputError, match=words):
        call()
