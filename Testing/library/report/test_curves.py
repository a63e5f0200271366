"""Plots of curves: the same input gives the same picture, and what is drawn depends on what is given."""

from __future__ import annotations

import numpy as np
from bonequant.report.curves import fitted_curves, input_curve
from bonequant.volume import Curve

TIMES = np.arange(20) * 5.0


def test_points_lines_and_marks_are_drawn() -> None:
    lesion, fit = Curve(TIMES, np.sqrt(TIMES), "mM"), Curve(np.linspace(0, 95, 200), np.linspace(0, 10, 200), "mM")
    plain = fitted_curves({"lesion": lesion}, label="mM")
    assert plain.startswith(b"\x89PNG")
    assert plain == fitted_curves({"lesion": lesion}, label="mM")
    pictures = {
        plain,
        fitted_curves({"lesion": lesion}, {"lesion": fit}, label="mM"),
        fitted_curves({"lesion": lesion}, {"lesion": fit}, label="mM", marked_s={"arrival": 20.0}),
        fitted_curves({f"roi_{i}": lesion for i in range(9)}, label="mM"),
    }
    assert len(pictures) == 4


def test_an_input_shows_its_slices_and_its_shift() -> None:
    curve = Curve(TIMES, np.exp(-TIMES / 30), "mM", "AIF")
    slices = [(Curve(TIMES, curve.values * 1.1), True), (Curve(TIMES, curve.values * 0.2), False)]
    assert len({input_curve(curve, label="mM"), input_curve(curve, slices, label="mM")}) == 2
    shifted = Curve(TIMES, np.roll(curve.values, 1), "mM", "AIF")
    assert input_curve(shifted, label="mM", as_found=curve) != input_curve(shifted, label="mM")
