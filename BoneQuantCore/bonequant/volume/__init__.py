"""The types that travel through the library, their geometry and their resampling."""

from bonequant.volume.acquisition import Acquisition
from bonequant.volume.acquisition_json import acquisition_from_json, acquisition_to_json
from bonequant.volume.geometry import Geometry, by_grid, is_linear, same_grid, voxel_volume_ml
from bonequant.volume.resample import coordinates_in, resample_to, sample_at
from bonequant.volume.types import Curve, DynamicSeries, Volume, image_from_array

__all__ = [
    "Acquisition",
    "Curve",
    "DynamicSeries",
    "Geometry",
    "Volume",
    "acquisition_from_json",
    "acquisition_to_json",
    "by_grid",
    "coordinates_in",
    "image_from_array",
    "is_linear",
    "resample_to",
    "same_grid",
    "sample_at",
    "voxel_volume_ml",
]
