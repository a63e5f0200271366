"""A lesion's section on each image, side by side, with the outlines of its regions. PNG bytes.

Each panel is a plane through the section's own slice, sampled from that image alone, so that a reader sees whether the
region fits there; the last one shows the functional image over the CT.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from bonequant.report.pictures import DISPLAY_WINDOW, OUTLINE_COLOURS, to_png
from bonequant.report.planes import Plane, centre_of, plane_through, section
from bonequant.studies.lesion_radiomics.inputs import Space
from bonequant.studies.lesion_radiomics.result import OnImage
from bonequant.volume import Volume

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST_FIELD_MM = 100.0
_AROUND = 1.8  # side of the field, in largest sides of the lesion
_STEP_MM = 0.6
_PANEL_IN = 4.3
_BACKGROUND = "#0b0f14"


def lesion_sections(
    images: Mapping[Space, Volume],
    on_images: Mapping[Space, OnImage],
    transform: sitk.Transform | None,
    orientation: str,
) -> bytes:
    """One panel per image on which the lesion has a section, and one of both together.

    ``transform``: points of the CT to points of the functional image. ``orientation``: that of the sections.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = {space: on for space, on in on_images.items() if on.region.section is not None}
    field = _field_mm(shown)
    planes = {space: _plane(images[space], on, orientation, field) for space, on in shown.items()}
    count = len(shown) + (len(shown) == 2)
    figure = Figure(figsize=(_PANEL_IN * count, _PANEL_IN + 0.3), layout="constrained")
    FigureCanvasAgg(figure)
    figure.set_facecolor(_BACKGROUND)
    axes = list(figure.subplots(1, count, squeeze=False)[0])
    for axis, (space, on) in zip(axes, shown.items(), strict=False):
        plane = planes[space]
        values = section(images[space], plane)
        _image(axis, values, plane, images[space].modality, _upper(images[space], on))
        _outline(axis, _mask_of(on), plane, None, OUTLINE_COLOURS[0] if space == "ct" else OUTLINE_COLOURS[1])
        number = on.region.section.index + 1 if on.region.section is not None else 0
        _title(axis, plane, f"{on.image}, slice {number}, region {on.region.origin}")
    if len(shown) == 2:
        plane = planes["ct"]
        _image(axes[-1], section(images["ct"], plane), plane, "CT", 0.0)
        functional, upper = images["functional"], _upper(images["functional"], shown["functional"])
        uptake = section(functional, plane, transform)
        opacity = np.clip(np.nan_to_num(uptake) / upper, 0, 1) ** 0.6 * 0.75
        axes[-1].imshow(uptake, cmap="inferno", vmin=0, vmax=upper, alpha=opacity, extent=plane.extent_mm)
        _outline(axes[-1], _mask_of(shown["ct"]), plane, None, OUTLINE_COLOURS[0])
        _outline(axes[-1], _mask_of(shown["functional"]), plane, transform, OUTLINE_COLOURS[1])
        _title(axes[-1], plane, "both")
    return to_png(figure)


def _field_mm(shown: Mapping[Space, OnImage]) -> float:
    sides = [_LEAST_FIELD_MM]
    for on in shown.values():
        assert on.region.section is not None
        places = np.argwhere(sitk.GetArrayViewFromImage(on.region.section.mask))
        extent = (np.ptp(places, axis=0) + 1) * np.array(on.region.section.mask.GetSpacing()[::-1])
        sides.append(_AROUND * float(extent.max()))
    return max(sides)


def _mask_of(on: OnImage) -> sitk.Image:
    assert on.region.section is not None
    return on.region.section.mask


def _plane(image: Volume, on: OnImage, orientation: str, field_mm: float) -> Plane:
    centre = centre_of(_mask_of(on))
    plane = plane_through(image.geometry, centre, orientation, step_mm=_STEP_MM)  # type: ignore[arg-type]
    near = np.abs(plane.points - np.asarray(centre)).max(axis=-1) <= field_mm / 2
    return plane.cropped(near, margin_mm=0.0)


def _upper(image: Volume, on: OnImage) -> float:
    """Full grey or colour: the highest value of the lesion, or of the image where it has none."""
    values = image.array[sitk.GetArrayViewFromImage(_mask_of(on)) > 0]
    highest = float(np.nanmax(values))
    return highest if highest > 0 else max(float(np.nanmax(image.array)), 1e-6)


def _image(axis: Axes, values: np.ndarray, plane: Plane, modality: str, upper: float) -> None:
    low, high = DISPLAY_WINDOW.get(modality, (0.0, upper))
    colours = "gray" if modality in DISPLAY_WINDOW else "gray_r"
    axis.set_facecolor("black")
    axis.imshow(values, cmap=colours, vmin=low, vmax=high, extent=plane.extent_mm, interpolation="nearest")


def _outline(axis: Axes, mask: sitk.Image, plane: Plane, transform: sitk.Transform | None, colour: str) -> None:
    inside = np.nan_to_num(section(mask, plane, transform))
    if inside.max() <= 0.5 or inside.min() >= 0.5:
        return
    left, right, bottom, top = plane.extent_mm
    rows, columns = inside.shape
    x = left + (np.arange(columns) + 0.5) * (right - left) / columns
    y = top + (np.arange(rows) + 0.5) * (bottom - top) / rows
    axis.contour(x, y, inside, levels=[0.5], colors=[colour], linewidths=1.6)


def _title(axis: Axes, plane: Plane, text: str) -> None:
    axis.set_title(text, fontsize=10, color="white")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)
    places = ((0.03, 0.5), (0.97, 0.5), (0.5, 0.03), (0.5, 0.97))
    for letter, (x, y) in zip(plane.labels, places, strict=True):
        axis.text(x, y, letter, transform=axis.transAxes, color="#d55e00", fontsize=10, ha="center", va="center")
