"""Frames that are means over their duration: the model is averaged over each, and the kinetics come back."""

from __future__ import annotations

import numpy as np
import pytest
from bonequant.errors import InputError
from bonequant.kinetics import convolve_exponential, fit
from bonequant.volume import Curve

_DURATIONS_S = np.array([30.0] * 4 + [60.0] * 3 + [180.0] * 4)
_STARTS_S = np.concatenate([[0.0], np.cumsum(_DURATIONS_S)[:-1]])
_TIMES_S = _STARTS_S + _DURATIONS_S / 2


def blood() -> Curve:
    t = np.arange(0.0, _STARTS_S[-1] + _DURATIONS_S[-1] + 0.5, 0.5)
    return Curve(t, 100.0 * (1.0 - np.exp(-t / 12.0)) * (0.8 * np.exp(-t / 90.0) + 0.2 * np.exp(-t / 3000.0)))


def means(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Trapezoids over each frame on the grid of 0.5 s, which the frames' ends lie on."""
    sums = np.concatenate([[0.0], np.cumsum(np.diff(times) * (values[1:] + values[:-1]) / 2)])
    return np.diff(np.interp(np.append(_STARTS_S, _STARTS_S[-1] + _DURATIONS_S[-1]), times, sums)) / _DURATIONS_S


@pytest.mark.parametrize("model", ["one_tissue", "patlak"])
def test_frame_means_give_the_kinetics_back(model) -> None:
    """0.5 %: 16 points per frame, where the middle alone is off by several times that in the vascular term."""
    source = blood()
    k1, k2, vb = 0.15, 0.0 if model == "patlak" else 0.12, 0.1
    curve = (1 - vb) * k1 * convolve_exponential(source.times_s, source.values, k2) + vb * source.values
    measured = means(curve, source.times_s)[None]
    found = fit(_TIMES_S, measured, source, model, durations_s=_DURATIONS_S)
    truth = {"ps": (1 - vb) * k1, "vp": vb} if model == "patlak" else {"k1": k1, "k2": k2, "vb": vb}
    for name, value in truth.items():
        assert found[name][0] == pytest.approx(value, rel=5e-3), name
    assert found.predict()[0] == pytest.approx(measured[0], rel=2e-3)
    middle = fit(_TIMES_S, measured, source, model)
    vascular = "vp" if model == "patlak" else "vb"
    assert abs(middle[vascular][0] - vb) > 5 * abs(found[vascular][0] - vb)


def test_durations_that_do_not_fit() -> None:
    curve = np.ones((1, len(_TIMES_S)))
    for wrong in (_DURATIONS_S[:-1], np.zeros_like(_DURATIONS_S)):
        with pytest.raises(InputError, match="durations"):
            fit(_TIMES_S, curve, blood(), "patlak", durations_s=wrong)
