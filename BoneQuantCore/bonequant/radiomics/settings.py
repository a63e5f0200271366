"""Settings of feature extraction: which families, MaZda's open choices, and the IBSI image processing scheme.

Sources: MaZda (Szczypinski et al., Comput Methods Programs Biomed 2009;94:66); IBSI reference manual v11 and
Zwanenburg et al., Radiology 2020;295:328; pyradiomics 3.0.1 for the names of filters and features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bonequant.errors import SettingsError
from bonequant.settings import Settings, setting

FAMILIES = ("mazda", "ibsi")
IMAGE_TYPES = ("original", "wavelet", "log", "gradient", "square", "squareroot", "logarithm", "exponential")
CLASSES = (
    *("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"),
    *("morphology", "localintensity", "statistics", "histogram", "ivh", "gldzm", "ngldm"),
)


@dataclass(frozen=True)
class MazdaSettings(Settings):
    """What MaZda's public documents define by a choice, and what they leave open. All of it travels with the result."""

    normalisation: str = setting(
        "sigma",
        choices=("none", "sigma", "percentile"),
        help="Range that the grey levels cover: none = the whole range of the image (its bit depth for unsigned "
        "integers), with wavelets and autoregressive model of the image as it is; sigma = mean +-3 SD; "
        "percentile = 1 % to 99 %.",
    )
    range_from: str = setting(
        "roi", choices=("roi", "image"), help="Pixels from which mean, SD and percentiles come: the ROI or its section."
    )
    gradient_size: str = setting("5x5", choices=("5x5", "3x3"), help="Neighbourhood of the absolute gradient.")
    entropy_log: str = setting("10", choices=("10", "2", "e"), help="Base of the logarithm in the four entropies.")
    symmetric: bool = setting(True, help="Count each pair of pixels in both directions in co-occurrence matrices.")
    ar_order: str = setting(
        "W,NW,N,NE",
        choices=("W,NW,N,NE", "NW,N,NE,W", "N,NW,W,NE", "NE,N,NW,W"),
        help="The neighbour (west is left, north is up) that each of Teta1 to Teta4 belongs to.",
    )
    ar_sigma: str = setting(
        "grey_levels",
        choices=("grey_levels", "relative"),
        help="Sigma in 8-bit grey levels (without normalisation in the unit of the image), or over the SD of the ROI.",
    )


@dataclass(frozen=True)
class IbsiSettings(Settings):
    """The IBSI image processing scheme, in its order, and the features wanted. Defaults: 3-D, no resampling, FBS 25."""

    classes: tuple[str, ...] = setting(CLASSES, help=f"Feature classes out of {', '.join(CLASSES)}.")
    image_types: tuple[str, ...] = setting(
        ("original",), help=f"Images features are taken from, out of {', '.join(IMAGE_TYPES)}."
    )
    log_sigma_mm: tuple[float, ...] = setting(
        (1.0, 2.0, 3.0), unit="mm", low=0.01, high=50, help="Widths of the Laplacian of Gaussian."
    )
    log_normalised: bool = setting(
        True, help="Laplacian of Gaussian times sigma^2 as in pyradiomics, otherwise per voxel^2 as in IBSI-2."
    )
    wavelet: str = setting("coif1", help="Wavelet of the stationary, undecimated transform (PyWavelets' name).")
    dimensions: str = setting(
        "3d",
        choices=("3d", "2.5d", "2d"),
        help="Neighbourhoods in 3-D; in each slice with matrices merged over slices (2.5d); or with features averaged "
        "over slices (2d).",
    )
    aggregation: str = setting(
        "averaged",
        choices=("averaged", "merged"),
        help="Directions of GLCM and GLRLM: features averaged over them, or matrices merged.",
    )
    spacing_mm: tuple[float, ...] = setting(
        (), unit="mm", low=0.0, high=50, help="New spacing x, y, z; 0 keeps an axis as it is; none = no resampling."
    )
    interpolation: str = setting(
        "linear", choices=("nearest", "linear", "cubic"), help="Interpolation of the image; the mask's is linear."
    )
    round_intensities: str = setting(
        "auto", choices=("auto", "yes", "no"), help="Round to whole numbers after resampling; auto = when in HU."
    )
    resegment_low: float | None = setting(None, help="Voxels below this leave the intensity mask.")
    resegment_high: float | None = setting(None, help="Voxels above this leave the intensity mask.")
    resegment_sigma: float | None = setting(
        None, low=0.1, high=20, help="Voxels more than this many SD from the mean leave the intensity mask."
    )
    discretisation: str = setting(
        "fixed_bin_size", choices=("fixed_bin_size", "fixed_bin_number", "none"), help="none: levels are given as is."
    )
    bin_width: float = setting(25.0, low=1e-9, help="Width of a bin, in the unit of the image.")
    bin_count: int = setting(32, low=2, high=4096, help="Number of bins.")
    bin_origin: str = setting(
        "resegmentation",
        choices=("resegmentation", "zero"),
        help="Fixed-width bins start at resegment_low, or at the ROI's minimum without one and on filtered images; or "
        "at a whole multiple of the width, as pyradiomics does.",
    )
    ivh_discretisation: str = setting(
        "none",
        choices=("none", "fixed_bin_size", "fixed_bin_number"),
        help="Grey levels of the intensity-volume histogram; none takes them one unit (HU) apart or as they are.",
    )
    ivh_bin_width: float = setting(2.5, low=1e-9, help="Width of an intensity-volume histogram bin.")
    ivh_bin_count: int = setting(1000, low=2, help="Number of intensity-volume histogram bins.")

    def __post_init__(self) -> None:
        super().__post_init__()
        _among("classes", self.classes, CLASSES)
        _among("image_types", self.image_types, IMAGE_TYPES)
        if len(self.spacing_mm) not in (0, 3):
            raise SettingsError(f"IbsiSettings.spacing_mm needs 3 numbers (x, y, z) or none, not {self.spacing_mm}.")
        if None not in (self.resegment_low, self.resegment_high) and self.resegment_low >= self.resegment_high:  # type: ignore[operator]
            raise SettingsError("IbsiSettings.resegment_low must lie below resegment_high.")


@dataclass(frozen=True)
class RadiomicsSettings(Settings):
    """Everything that decides the value of a feature. Two tables of features compare only where these are equal."""

    families: tuple[str, ...] = setting(
        ("mazda",), help="mazda = 279 features of the largest 2-D section; ibsi = IBSI and pyradiomics features."
    )
    mazda: MazdaSettings = setting(MazdaSettings)
    ibsi: IbsiSettings = setting(IbsiSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        _among("families", self.families, FAMILIES)

    @classmethod
    def of(
        cls, given: RadiomicsSettings | MazdaSettings | IbsiSettings | Mapping[str, Any] | None
    ) -> RadiomicsSettings:
        """Settings as callers give them: whole, of one family (which is then the only one), plain, or the defaults.

        Raises SettingsError for anything else.
        """
        if given is None or isinstance(given, RadiomicsSettings):
            return given or cls()
        if isinstance(given, MazdaSettings):
            return cls(families=("mazda",), mazda=given)
        if isinstance(given, IbsiSettings):
            return cls(families=("ibsi",), ibsi=given)
        if isinstance(given, Mapping):
            return cls.from_dict(dict(given))
        raise SettingsError(
            f"Radiomics settings are RadiomicsSettings, MazdaSettings or IbsiSettings (ibsi_configuration('C') for "
            f"example), not {type(given).__name__}."
        )


AnySettings = RadiomicsSettings | MazdaSettings | IbsiSettings | Mapping[str, Any]


@dataclass(frozen=True)
class StabilitySettings(Settings):
    """How masks are perturbed in place of a second reader, and which features count as stable."""

    count: int = setting(4, low=1, high=100, help="Perturbed masks of each region, beside the one drawn.")
    shift_mm: float = setting(1.0, unit="mm", low=0, high=50, help="Largest shift along each axis.")
    grow_mm: float = setting(1.0, unit="mm", low=0, high=50, help="Largest growth or shrinkage.")
    contour_noise_mm: float = setting(0.5, unit="mm", low=0, high=50, help="SD of the contour's unsteadiness.")
    correlation_mm: float = setting(5.0, unit="mm", low=0.1, high=100, help="Length over which that hangs together.")
    in_plane: bool = setting(True, help="Redraw within slices, as for a region of one section.")
    icc_form: str = setting("2,1", choices=("2,1", "3,1"), help="2,1 absolute agreement; 3,1 consistency.")
    threshold: float = setting(0.75, low=0, high=1, help="ICC from which a feature is stable (0.75: good).")
    by_lower_limit: bool = setting(False, help="Ask it of the lower limit of the 95 % interval, not of the ICC.")
    seed: int = setting(0, low=0, help="Seed of the perturbations.")


def _among(name: str, values: tuple[str, ...], known: tuple[str, ...]) -> None:
    unknown = sorted(set(values) - set(known))
    if unknown or not values:
        what = f"holds {', '.join(unknown)}" if unknown else "is empty"
        raise SettingsError(f"Radiomics setting {name} {what}; choose out of {', '.join(known)}.")
