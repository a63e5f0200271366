"""Settings of a registration. The defaults were measured on a real CT (``python -m benchmarks registration``)."""

from __future__ import annotations

from dataclasses import dataclass

from bonequant.settings import Settings, setting


@dataclass(frozen=True)
class RegistrationSettings(Settings):
    """What may move, from where it starts, and how the images are prepared."""

    model: str = setting(
        "rigid",
        choices=("rigid", "affine", "bspline"),
        help="rigid for one patient on one day; bspline for a diagnostic CT of another day.",
    )
    start: str = setting(
        "auto",
        choices=("auto", "scanner", "centroid"),
        help="auto: the scanner's geometry and scored alternatives; the body's centroid too where the frames differ.",
    )
    minimum_gain: float = setting(
        0.01, low=0, high=1, help="The scanner's alignment is kept where the metric gains less than this fraction."
    )
    functional_fwhm_mm: float = setting(
        15.0, unit="mm", low=0, high=40, help="Resolution of the SPECT or PET; a CT or MR beside it is blurred to this."
    )
    smoothing_fwhm_mm: float = setting(
        8.0, unit="mm", low=0, high=30, help="Smoothing of the SPECT or PET against count noise, before its root."
    )
    hu_window: tuple[float, float] = setting(
        (0.0, 400.0), unit="HU", low=-1024, high=4000, help="CT numbers are clipped to this range."
    )
    bins: int = setting(32, low=8, high=128, help="Histogram bins of the mutual information, per image.")
    samples: int = setting(
        70_000,
        unit="voxels",
        low=2_000,
        high=2_000_000,
        help="Voxels compared at the last level, on a regular lattice.",
    )
    grid_mm: float = setting(60.0, unit="mm", low=20, high=200, help="bspline: distance between control points.")
    stiffness: float = setting(
        20.0, low=0, high=1000, help="bspline: weight of the bending of the grid against the mutual information."
    )
