"""Tracer kinetics of dynamic MR, CT and SPECT: inputs, signal to concentration, models, one solver, maps."""

from bonequant.kinetics.aif_detection import AifSettings, find_aif
from bonequant.kinetics.aif_input import AIF, SliceInput, file_input, population_input, roi_input
from bonequant.kinetics.arrival import arrival_index, baseline_frames
from bonequant.kinetics.concentration import to_concentration, to_enhancement
from bonequant.kinetics.convolution import convolve_exponential, convolve_exponentials
from bonequant.kinetics.descriptive import (
    DESCRIPTIVE_UNITS,
    clearance_rate,
    descriptive,
    early_late_ratio,
    washout,
)
from bonequant.kinetics.fit import Fit, fit
from bonequant.kinetics.maps import curve_maps, fit_maps
from bonequant.kinetics.max_slope import MAX_SLOPE_UNITS, max_slope_liver, max_slope_perfusion
from bonequant.kinetics.models import MODELS
from bonequant.kinetics.motion import MotionResult, MotionSettings, correct_motion
from bonequant.kinetics.population_aif import blood_to_plasma, population_aif
from bonequant.kinetics.preprocess import Preprocessed, PreprocessSettings, preprocess
from bonequant.kinetics.relaxivity import Relaxivity, relaxivity
from bonequant.kinetics.settings import KineticsSettings
from bonequant.kinetics.spgr import signal_to_concentration, spgr_r1, spgr_signal
from bonequant.kinetics.t1_mapping import T1Fit, t1_from_flip_angles

__all__ = [
    "AIF",
    "DESCRIPTIVE_UNITS",
    "MAX_SLOPE_UNITS",
    "MODELS",
    "AifSettings",
    "Fit",
    "KineticsSettings",
    "MotionResult",
    "MotionSettings",
    "PreprocessSettings",
    "Preprocessed",
    "Relaxivity",
    "SliceInput",
    "T1Fit",
    "arrival_index",
    "baseline_frames",
    "blood_to_plasma",
    "clearance_rate",
    "convolve_exponential",
    "convolve_exponentials",
    "correct_motion",
    "curve_maps",
    "descriptive",
    "early_late_ratio",
    "file_input",
    "find_aif",
    "fit",
    "fit_maps",
    "max_slope_liver",
    "max_slope_perfusion",
    "population_aif",
    "population_input",
    "preprocess",
    "relaxivity",
    "roi_input",
    "signal_to_concentration",
    "spgr_r1",
    "spgr_signal",
    "t1_from_flip_angles",
    "to_concentration",
    "to_enhancement",
    "washout",
]
