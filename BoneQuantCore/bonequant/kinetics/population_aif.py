"""Population arterial input functions as plasma concentration (mM).

- Parker et al., Magn Reson Med 2006;56:993, Table 1: two Gaussians and a sigmoid-modulated exponential, whole blood.
- Georgiou et al., Magn Reson Med 2019;81:1975 (doi 10.1002/mrm.27524), eq. 1 and Table 3: three exponentials times
  recirculating gamma variates, whole blood.
- Weinmann et al., Physiol Chem Phys Med NMR 1984;16:167, as used by Tofts and Kermode, Magn Reson Med 1991;17:357: two
  exponentials after a bolus of 0.1 mmol/kg, already plasma.

Whole blood divided by (1 - hematocrit) is plasma: the agents stay out of the red cells.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from bonequant.errors import InputError
from bonequant.volume.types import Curve


def population_aif(times_s: np.ndarray, name: str = "parker", hematocrit: float = 0.42, delay_s: float = 0.0) -> Curve:
    """The population AIF ``name`` at ``times_s``, plasma concentration in mM.

    Args:
        times_s: (T,) strictly increasing seconds; the injection begins at 0.
        name: "parker", "georgiou" or "weinmann".
        hematocrit: of the large vessels, 0 to <1; 0 gives whole blood. Not used for Weinmann, which is plasma.
        delay_s: the curve starts this much later.

    Raises:
        InputError: the name is unknown or the hematocrit out of range.
    """
    if name not in _FORMS:
        raise InputError(f"No population AIF named {name!r}. Known: {', '.join(_FORMS)}.")
    times = np.asarray(times_s, dtype=np.float64)
    form, is_plasma = _FORMS[name]
    values = form((times - delay_s) / 60.0)
    return Curve(times, values if is_plasma else blood_to_plasma(values, hematocrit), "mM", f"{name} AIF, plasma")


def blood_to_plasma(blood: np.ndarray, hematocrit: float) -> np.ndarray:
    """Concentration in plasma from that in whole blood, for an agent that stays out of the red cells.

    Raises InputError where the hematocrit is not in 0 to <1 (a fraction, not percent).
    """
    if not 0.0 <= hematocrit < 1.0:
        raise InputError(f"Hematocrit {hematocrit} is not a fraction from 0 to below 1 (42 % is 0.42).")
    return np.asarray(blood, dtype=np.float64) / (1.0 - hematocrit)


def _parker(t: np.ndarray) -> np.ndarray:
    """Whole blood, mM; t in minutes."""
    blood = np.zeros_like(t)
    for area, centre, sigma in ((0.809, 0.17046, 0.0563), (0.330, 0.365, 0.132)):
        blood += area / (sigma * np.sqrt(2.0 * np.pi)) * np.exp(-((t - centre) ** 2) / (2.0 * sigma**2))
    late = np.maximum(t, -5.0)  # far before the bolus the sigmoid is 0; this keeps exp from overflowing
    return blood + 1.050 * np.exp(-0.1685 * late) / (1.0 + np.exp(-38.078 * (late - 0.483)))


def _georgiou(t: np.ndarray) -> np.ndarray:
    """Whole blood, mM; t in minutes. Pass j of the bolus is a gamma variate that starts at j tau."""
    alpha, beta, tau = 5.26, 0.032, 0.129
    after = np.maximum(t, 0.0)
    slow = sum(a * np.exp(-m * after) for a, m in ((0.37, 0.11), (0.33, 1.17), (10.06, 16.02)))
    passes = np.zeros_like(t)
    for j in range(int(after.max(initial=0.0) / tau) + 1):
        shape = (j + 1) * alpha + j
        since = t - j * tau
        begun = since > 0.0
        u = since[begun]
        passes[begun] += np.exp(shape * np.log(u) - u / beta - (shape + 1.0) * np.log(beta) - gammaln(shape + 1.0))
    return slow * passes


def _weinmann(t: np.ndarray) -> np.ndarray:
    """Plasma, mM; t in minutes; 0.1 mmol/kg times (kg/L)."""
    after = np.maximum(t, 0.0)
    return np.where(t >= 0.0, 0.1 * (3.99 * np.exp(-0.144 * after) + 4.78 * np.exp(-0.0111 * after)), 0.0)


_FORMS = {"parker": (_parker, False), "georgiou": (_georgiou, False), "weinmann": (_weinmann, True)}
