"""The unit of a feature, from the unit of its image.

Source: IBSI reference manual, chapter 3, for the dimension of each feature. Intensities that went through a filter keep
their unit in name only and are called filtered; features of grey levels, which are numbers of bins, have none.
"""

from __future__ import annotations

from bonequant.radiomics.describe import describe_feature

_GREY_LEVELS = ("Mean", "Perc.01%", "Perc.10%", "Perc.50%", "Perc.90%", "Perc.99%")
_OF_SIZE = {
    **dict.fromkeys(("MeshVolume", "VoxelVolume"), "mm³"),
    "SurfaceArea": "mm²",
    "SurfaceVolumeRatio": "1/mm",
    "CentreOfMassShift": "mm",
}
_BITS = ("Entropy", "JointEntropy", "SumEntropy", "DifferenceEntropy")
_SQUARED = ("Energy", "Variance")
_PLAIN = ("Entropy", "Uniformity", "Skewness", "Kurtosis", "CoefficientOfVariation", "QuartileCoefficientOfDispersion")


def feature_unit(name: str, image_unit: str) -> str:
    """The unit of a feature of an image in ``image_unit``; "" for plain numbers. Errors as describe_feature."""
    info = describe_feature(name)
    if info.family == "mazda":
        return "8-bit level" if name in _GREY_LEVELS else ""
    feature = name.split("_")[2]
    if info.feature_class in ("shape", "morphology"):
        if feature == "IntegratedIntensity":
            return f"{image_unit} mm³".strip()
        length = "AxisLength" in feature or "Diameter" in feature
        return "mm" if length else _OF_SIZE.get(feature, "")
    if feature in _BITS:
        return "bit"
    intensity = image_unit if info.image == "original" else f"filtered {image_unit}".strip()
    if info.feature_class in ("firstorder", "statistics", "localintensity"):
        if feature in _PLAIN or not image_unit:
            return ""
        if feature == "TotalEnergy":
            return f"({intensity})² mm³"
        return f"({intensity})²" if feature in _SQUARED else intensity
    if info.feature_class == "ivh" and feature.startswith("Intensity"):
        return intensity
    return ""
