"""Recovery coefficients: analytic for spheres under a Gaussian PSF, measured from a calibration table, and applied.

Sphere of radius R, Gaussian of sigma s (Kessler et al., J Comput Assist Tomogr 1984;8:514):
  centre  erf(R / (sqrt2 s)) - sqrt(2/pi) (R/s) exp(-R^2 / 2 s^2)
  mean    Int_0^2R (1 - 3d/4R + d^3/16R^3) sqrt(2/pi) (d^2/s^3) exp(-d^2 / 2 s^2) dd,
the bracket being the overlap of the sphere with itself moved by d. With background: measured = B + (S - B) RC.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from bonequant.errors import InputError
from bonequant.settings import Settings, setting
from bonequant.spect.psf import SIGMA_PER_FWHM


def sphere_volume_ml(diameter_mm: float) -> float:
    """Volume of a sphere in mL."""
    return math.pi * diameter_mm**3 / 6000.0


def rc_centre(diameter_mm: float, fwhm_mm: float) -> float:
    """Recovery at the centre of a sphere; diameter and FWHM in mm, both above zero."""
    ratio = _radius_in_sigma(diameter_mm, fwhm_mm)
    # P(3/2, x^2/2) is erf(x/sqrt2) - sqrt(2/pi) x exp(-x^2/2), without the cancellation for small spheres.
    return float(special.gammainc(1.5, ratio**2 / 2))


def rc_mean(diameter_mm: float, fwhm_mm: float) -> float:
    """Recovery of the mean over a sphere; diameter and FWHM in mm, both above zero.

    With u = d/s and x = 2R/s the integral is sqrt(2/pi) (I2 - 3/(2x) I3 + I5/(2x^3)), In = Int_0^x u^n exp(-u^2/2) du.
    """
    x = 2 * _radius_in_sigma(diameter_mm, fwhm_mm)

    def moment(n: int) -> float:
        return float(2 ** ((n - 1) / 2) * special.gamma((n + 1) / 2) * special.gammainc((n + 1) / 2, x**2 / 2))

    return math.sqrt(2 / math.pi) * (moment(2) - 1.5 / x * moment(3) + moment(5) / (2 * x**3))


def correct_for_recovery(measured: float, recovery: float, background: float = 0.0) -> float:
    """The true value S from measured = B + (S - B) RC; ``measured`` and ``background`` in one unit.

    Raises InputError for a recovery that is not above 0 (nothing was measured) or is above 1.5 (no recovery any more).
    """
    if not 0 < recovery <= 1.5:
        raise InputError(f"A recovery coefficient of {recovery:g} cannot be used; it lies above 0, rarely above 1.")
    return background + (measured - background) / recovery


@dataclass(frozen=True)
class RecoveryTable(Settings):
    """Recovery measured in a phantom, as a readable file: coefficients against sphere volume."""

    volumes_ml: tuple[float, ...] = setting((), unit="mL", low=1e-6, help="Sphere volumes, ascending.")
    coefficients: tuple[float, ...] = setting((), low=0.0, high=1.5, help="Recovery coefficient of each sphere.")
    quantity: str = setting("mean", choices=("mean", "max", "peak"), help="Which value of the sphere was recovered.")
    note: str = setting("", help="Scanner, collimator, reconstruction, radionuclide, background, date.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.volumes_ml) < 2 or len(self.volumes_ml) != len(self.coefficients):
            raise InputError("A recovery table needs two spheres or more, and one coefficient for each volume.")
        if any(b <= a for a, b in zip(self.volumes_ml, self.volumes_ml[1:], strict=False)):
            raise InputError(f"The volumes of a recovery table must ascend; they are {self.volumes_ml} mL.")

    def at(self, volume_ml: float) -> float:
        """Coefficient at ``volume_ml``, linear in the logarithm of the volume.

        Raises InputError outside the table: recovery is not extrapolated.
        """
        if not self.volumes_ml[0] <= volume_ml <= self.volumes_ml[-1]:
            raise InputError(
                f"A region of {volume_ml:g} mL lies outside the recovery table ({self.volumes_ml[0]:g} to "
                f"{self.volumes_ml[-1]:g} mL); use gtm, or a table with such a sphere."
            )
        return float(np.interp(math.log(volume_ml), np.log(self.volumes_ml), self.coefficients))


def _radius_in_sigma(diameter_mm: float, fwhm_mm: float) -> float:
    if not (diameter_mm > 0 and fwhm_mm > 0):
        raise InputError(f"Diameter ({diameter_mm:g} mm) and FWHM ({fwhm_mm:g} mm) must be above zero.")
    return diameter_mm / 2 / (fwhm_mm * SIGMA_PER_FWHM)
