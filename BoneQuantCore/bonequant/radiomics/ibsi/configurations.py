"""Settings by name: the IBSI-1 configurations A to E, and pyradiomics' own defaults.

Source: Zwanenburg et al., Radiology 2020;295:328, table 2 (image processing configurations for the CT phantom).
"""

from __future__ import annotations

from bonequant.errors import SettingsError
from bonequant.radiomics.settings import IbsiSettings

PYRADIOMICS_DEFAULT_CLASSES = ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")

_CONFIGURATIONS = {
    "digital phantom": IbsiSettings(discretisation="none"),
    "A": IbsiSettings(dimensions="2d", resegment_low=-500.0, resegment_high=400.0, round_intensities="yes"),
    "B": IbsiSettings(
        dimensions="2d",
        spacing_mm=(2.0, 2.0, 0.0),
        resegment_low=-500.0,
        resegment_high=400.0,
        round_intensities="yes",
        discretisation="fixed_bin_number",
    ),
    "C": IbsiSettings(
        spacing_mm=(2.0, 2.0, 2.0),
        resegment_low=-1000.0,
        resegment_high=400.0,
        round_intensities="yes",
        ivh_discretisation="fixed_bin_size",
    ),
    "D": IbsiSettings(
        spacing_mm=(2.0, 2.0, 2.0), resegment_sigma=3.0, round_intensities="yes", discretisation="fixed_bin_number"
    ),
    "E": IbsiSettings(
        spacing_mm=(2.0, 2.0, 2.0),
        interpolation="cubic",
        resegment_low=-1000.0,
        resegment_high=400.0,
        resegment_sigma=3.0,
        round_intensities="yes",
        discretisation="fixed_bin_number",
        ivh_discretisation="fixed_bin_number",
    ),
}


def ibsi_configuration(name: str) -> IbsiSettings:
    """Settings of "digital phantom", "A", "B" (2-D), "C", "D" or "E" (3-D).

    The reference has each texture in several aggregations: change ``dimensions`` (A, B: "2d", "2.5d"; the digital
    phantom also "3d") and ``aggregation`` ("averaged", "merged") to get them.
    """
    if name not in _CONFIGURATIONS:
        raise SettingsError(f"IBSI has no configuration {name!r}; choose one of {', '.join(_CONFIGURATIONS)}.")
    return _CONFIGURATIONS[name]


def pyradiomics_defaults(
    image_types: tuple[str, ...] = ("original",), log_sigma_mm: tuple[float, ...] = (1.0, 2.0, 3.0)
) -> IbsiSettings:
    """The features and the binning of pyradiomics without a parameter file: 107 features of the original image.

    Values are pyradiomics' own except kurtosis (IBSI's excess kurtosis, 3 less) and the axis lengths (N - 1 for N).
    """
    return IbsiSettings(
        classes=PYRADIOMICS_DEFAULT_CLASSES,
        image_types=image_types,
        log_sigma_mm=log_sigma_mm,
        bin_origin="zero",
        round_intensities="no",
    )
