"""Pictures of parameter maps: the map in colour over anatomy in grey, slice by slice as acquired. PNG bytes.

Slices are those of the anatomy's own grid, whatever its orientation (a sagittal series is shown sagittal), turned so
that head or front are up and the patient's left or back is at the right. Nothing is interpolated in the map: a pixel of
the picture is a voxel. The window is the caller's, so that two dates or two patients can be put side by side; where the
map is NaN the anatomy shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from bonequant.report.pictures import _PANEL_BACKGROUND, _cycle, _legend, _window, to_png
from bonequant.volume import Geometry, Volume, resample_to, same_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 4
_MARGIN_MM = 12.0
_FAINT, _FULL_AT = 0.3, 0.3  # opacity of the lowest values, and the part of the window from which colours are opaque
_LETTERS = (("R", "L"), ("A", "P"), ("F", "H"))  # towards - and + of x, y, z (LPS)


def map_sections(
    anatomy: Volume,
    values: Volume,
    *,
    window: tuple[float, float] | None,
    outlines: Mapping[str, sitk.Image] | None = None,
    slices: Sequence[int] | None = None,
    count: int = 4,
    transform: sitk.Transform | None = None,
    label: str | None = None,
    colours: str = "inferno",
    whole: bool = False,
) -> bytes:
    """The map ``values`` over ``anatomy``, one panel per slice, with a colour bar in the map's unit.

    Args:
        window: values at the two ends of the colour bar, in the map's unit; None draws the outlines alone.
        outlines: masks on the grid of ``anatomy``, or in its space, in the order of their colours.
        slices: indices along z of ``anatomy``; by default ``count`` of them, those that show most of the outlines
            (without any: of the map).
        transform: points of ``anatomy`` to points of ``values``, where the map lies elsewhere.
        label: of the colour bar; by default the map's name and unit.
        whole: show the whole slice, not only the part where the map has values.
    """
    grid = anatomy.geometry
    drawn = {name: _on(grid, mask, None, "linear") > 0.5 for name, mask in (outlines or {}).items()}
    coloured = _on(grid, values.image, transform, "nearest")
    known = np.isfinite(coloured)
    chosen = list(slices) if slices is not None else slices_to_show(list(drawn.values()) or [known], count)
    box = _box(known[chosen].any(axis=0), grid, whole)
    figure, axes = _panels(len(chosen), box, grid)
    turned = _Turned.of(grid)
    grey = _window(anatomy)
    for axis, z in zip(axes, chosen, strict=False):
        extent = turned.extent(box, grid)
        image = turned(anatomy.array[z][box])
        axis.imshow(image, cmap="gray", vmin=grey[0], vmax=grey[1], extent=extent, interpolation="bilinear")
        if window is not None:
            _lay_over(axis, turned(coloured[z][box]), window, extent, colours)
        for mask, colour in zip(drawn.values(), _cycle(len(drawn)), strict=True):
            _outline(axis, turned(mask[z][box]), extent, colour)
        axis.set_title(f"slice {z}", fontsize=8, color="white", pad=3)
        _letters(axis, turned.letters)
    if window is not None:
        text = label if label is not None else f"{values.name} ({values.unit})" if values.unit else values.name
        _colour_bar(figure, axes, window, text, colours)
    _legend(figure, list(drawn))
    return to_png(figure)


def slices_to_show(masks: Sequence[np.ndarray], count: int) -> list[int]:
    """The ``count`` slices (axis 0) that show most of the masks, each by its share: small ones count as well."""
    voxels = [mask.reshape(len(mask), -1).sum(axis=1) for mask in masks]
    share = np.sum([own / max(own.sum(), 1) for own in voxels], axis=0)
    filled = np.flatnonzero(share)
    if not len(filled):
        return [len(share) // 2]
    best = filled[np.argsort(-share[filled], kind="stable")[:count]]
    return sorted(int(z) for z in best)


@dataclass(frozen=True)
class _Turned:
    """How a slice (rows, columns) is shown: transposed or flipped; letters at left, right, bottom and top."""

    transpose: bool
    flip_rows: bool
    flip_columns: bool
    letters: tuple[str, str, str, str]

    @classmethod
    def of(cls, grid: Geometry) -> _Turned:
        axes = np.reshape(grid.direction, (3, 3)).T  # of columns, rows, slices, as LPS vectors
        across, down = (int(np.abs(axis).argmax()) for axis in axes[:2])
        transpose = across == 2 or (across == 1 and down == 0)  # feet to head and front to back run down the picture
        if transpose:
            across, down = down, across
            axes = axes[[1, 0, 2]]
        flip_columns = axes[0][across] < 0  # left or back of the patient at the right
        towards_end = axes[1][down] > 0
        flip_rows = towards_end if down == 2 else not towards_end  # head, or front, at the top
        left, right = _LETTERS[across]
        top, bottom = _LETTERS[down] if down != 2 else _LETTERS[down][::-1]
        return cls(transpose, bool(flip_rows), bool(flip_columns), (left, right, bottom, top))

    def __call__(self, image: np.ndarray) -> np.ndarray:
        image = image.T if self.transpose else image
        image = image[::-1] if self.flip_rows else image
        return image[:, ::-1] if self.flip_columns else image

    def extent(self, box: tuple[slice, slice], grid: Geometry) -> tuple[float, float, float, float]:
        """(left, right, bottom, top) in mm of the turned box, for plotting."""
        height = (box[0].stop - box[0].start) * grid.spacing[1]
        width = (box[1].stop - box[1].start) * grid.spacing[0]
        return (0.0, height, width, 0.0) if self.transpose else (0.0, width, height, 0.0)


def _on(grid: Geometry, image: sitk.Image, transform: sitk.Transform | None, interpolation: str) -> np.ndarray:
    """Voxels on ``grid`` (z, y, x), NaN outside."""
    if transform is None and same_grid(image, grid.apply_to(sitk.Image(grid.size, sitk.sitkUInt8))):
        return sitk.GetArrayViewFromImage(image)
    moved = resample_to(image, grid, transform, interpolation, float("nan"))  # type: ignore[arg-type]
    return sitk.GetArrayFromImage(moved)


def _box(known: np.ndarray, grid: Geometry, whole: bool) -> tuple[slice, slice]:
    """Rows and columns to show of a slice."""
    if whole or not known.any():
        return (slice(0, known.shape[0]), slice(0, known.shape[1]))
    box = []
    for axis, spacing in ((1, grid.spacing[1]), (0, grid.spacing[0])):
        filled = np.flatnonzero(known.any(axis=axis))
        margin, size = round(_MARGIN_MM / spacing), known.shape[1 - axis]
        box.append(slice(max(int(filled[0]) - margin, 0), min(int(filled[-1]) + margin + 1, size)))
    return (box[0], box[1])


def _panels(count: int, box: tuple[slice, slice], grid: Geometry) -> tuple[Figure, list[Axes]]:
    # The object interface of matplotlib: no global state, no display, safe in threads.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    _, width, height, _ = _Turned.of(grid).extent(box, grid)
    columns = min(count, _COLUMNS)
    rows = -(-count // columns)
    panel = min(12.6 / columns, 5.6 * width / height)
    figure = Figure(figsize=(panel * columns + 1.0, rows * (panel * height / width + 0.3) + 0.35), layout="constrained")
    FigureCanvasAgg(figure)
    figure.set_facecolor(_PANEL_BACKGROUND)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axis in axes:
        axis.set_facecolor(_PANEL_BACKGROUND)
        axis.set_xticks([])
        axis.set_yticks([])
        axis.spines[:].set_visible(False)
    return figure, axes


def _lay_over(
    axis: Axes, part: np.ndarray, window: tuple[float, float], extent: tuple[float, float, float, float], colours: str
) -> None:
    share = (np.nan_to_num(part) - window[0]) / (window[1] - window[0])
    opacity = np.where(np.isfinite(part), np.clip(_FAINT + (1 - _FAINT) * share / _FULL_AT, _FAINT, 1.0), 0.0)
    axis.imshow(
        np.nan_to_num(part),
        cmap=colours,
        vmin=window[0],
        vmax=window[1],
        alpha=opacity,
        extent=extent,
        interpolation="nearest",
    )


def _outline(axis: Axes, mask: np.ndarray, extent: tuple[float, float, float, float], colour: str) -> None:
    if not mask.any():
        return
    left, right, bottom, top = extent
    padded = np.pad(mask.astype(float), 1)  # a region that runs to the edge is closed there
    rows, columns = mask.shape
    x = left + (np.arange(-1, columns + 1) + 0.5) * (right - left) / columns
    y = top + (np.arange(-1, rows + 1) + 0.5) * (bottom - top) / rows
    axis.contour(x, y, padded, levels=[0.5], colors=[colour], linewidths=1.0)


def _letters(axis: Axes, letters: tuple[str, str, str, str]) -> None:
    from matplotlib.patheffects import withStroke

    for letter, (x, y) in zip(letters, ((0.03, 0.5), (0.97, 0.5), (0.5, 0.03), (0.5, 0.97)), strict=True):
        written = axis.text(x, y, letter, transform=axis.transAxes, color="#dfe6ee", fontsize=8, ha="center")
        written.set_verticalalignment("center")
        written.set_path_effects([withStroke(linewidth=2.0, foreground="#202830")])  # readable on bright fat too


def _colour_bar(figure: Figure, axes: list[Axes], window: tuple[float, float], label: str, colours: str) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    bar = figure.colorbar(ScalarMappable(Normalize(*window), colours), ax=axes, fraction=0.03, pad=0.012, extend="both")
    bar.set_label(label, color="white", fontsize=9)
    bar.ax.tick_params(colors="white", labelsize=8)
