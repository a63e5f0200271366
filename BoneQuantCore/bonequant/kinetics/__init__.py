"""Tracer kinetics of dynamic MR, CT and SPECT: inputs, signal to concentration, models, one solver, maps."""

from bonequant.kinetics.convolution import convolve_exponential, convolve_exponentials
from bonequant.kinetics.fit import Fit, fit
from bonequant.kinetics.maps import fit_maps
from bonequant.kinetics.population_aif import blood_to_plasma, population_aif
from bonequant.kinetics.settings import KineticsSettings

__all__ = [
    "Fit",
    "KineticsSettings",
    "blood_to_plasma",
    "convolve_exponential",
    "convolve_exponentials",
    "fit",
    "fit_maps",
    "population_aif",
]
