"""Pictures of images: fused sections with ROI outlines, and a checkerboard to judge an alignment. PNG bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk

from bonequant.report.planes import ORIENTATIONS, Orientation, Plane, plane_through, section
from bonequant.volume import Volume

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008): told apart by colour-blind readers as well.
OUTLINE_COLOURS = ("#56B4E9", "#009E73", "#F0E442", "#CC79A7", "#E69F00", "#0072B2", "#D55E00", "#FFFFFF")
_PANEL_BACKGROUND = "#0b0f14"
_BODY_ABOVE = {"CT": -500.0}  # HU; other modalities are shown whole
DISPLAY_WINDOW = {"CT": (-200.0, 600.0)}  # HU; bone and soft tissue both readable


def fused_sections(
    anatomy: Volume,
    functional: Volume,
    transform: sitk.Transform | None,
    *,
    outlines: Mapping[str, sitk.Image],
    centre_mm: tuple[float, float, float],
    upper: float,
    field_mm: float | None = None,
) -> bytes:
    """Functional image in colour over anatomy in grey, one panel per orientation, with the outlines of the masks.

    Args:
        transform: points of ``anatomy`` to points of ``functional``.
        outlines: masks in the space of ``anatomy``, in the order of their colours.
        centre_mm: point through which the planes go, LPS.
        upper: value of ``functional`` shown at full colour, in its unit.
        field_mm: side of a square around the centre; None shows the whole body.
    """
    planes = [_framed(anatomy, centre_mm, orientation, field_mm) for orientation in ORIENTATIONS]
    figure, axes = _dark_row(planes)
    for axis, plane in zip(axes, planes, strict=True):
        _grey(axis, section(anatomy, plane), plane, _window(anatomy))
        uptake = section(functional, plane, transform)
        # Opacity follows uptake, so that anatomy stays visible where there is none.
        opacity = np.clip(np.nan_to_num(uptake) / upper, 0, 1) ** 0.6 * 0.85
        axis.imshow(
            uptake, cmap="inferno", vmin=0, vmax=upper, alpha=opacity, extent=plane.extent_mm, interpolation="bilinear"
        )
        for (_, mask), line in zip(outlines.items(), _cycle(len(outlines)), strict=True):
            _outline(axis, mask, plane, line)
        _letters(axis, plane)
    _legend(figure, list(outlines))
    _colour_bar(figure, axes, upper, f"{functional.name or functional.modality} ({functional.unit})")
    return to_png(figure)


def alignment_sections(
    anatomy: Volume,
    functional: Volume,
    transforms: Mapping[str, sitk.Transform | None],
    *,
    bone: sitk.Image,
    centre_mm: tuple[float, float, float],
    upper: float,
    tile_mm: float = 40.0,
) -> bytes:
    """Rows of the named alignments: functional image with the bone outline of CT, then a checkerboard of both.

    A correct alignment shows uptake inside the outline and edges that run through the tiles.
    """
    planes = [_framed(anatomy, centre_mm, orientation, None) for orientation in ("coronal", "sagittal")]
    figure, axes = _dark_grid(len(transforms), [plane for plane in planes for _ in range(2)])
    for row, (name, transform) in enumerate(transforms.items()):
        for column, plane in enumerate(planes):
            left, right = axes[row][2 * column], axes[row][2 * column + 1]
            uptake = np.nan_to_num(section(functional, plane, transform))
            left.imshow(uptake, cmap="gray_r", vmin=0, vmax=upper, extent=plane.extent_mm, interpolation="bilinear")
            _outline(left, bone, plane, "#D55E00")
            grey = _scaled(section(anatomy, plane), _window(anatomy))
            tiles = _checkerboard(plane, tile_mm)
            mixed = np.where(tiles[..., None], _coloured(uptake / upper), np.repeat(grey[..., None], 3, axis=2))
            right.imshow(mixed, extent=plane.extent_mm, interpolation="bilinear")
            for axis in (left, right):
                _letters(axis, plane, dark=axis is left)
            left.set_title(f"{name}: {plane.orientation}, bone outline", fontsize=9, color="white")
            right.set_title(f"{name}: checkerboard", fontsize=9, color="white")
    return to_png(figure)


def _framed(
    anatomy: Volume, centre_mm: tuple[float, float, float], orientation: Orientation, field_mm: float | None
) -> Plane:
    """The plane through the centre, cut to ``field_mm`` around it or to where the body is."""
    plane = plane_through(anatomy.geometry, centre_mm, orientation, step_mm=1.5 if field_mm is None else 0.75)
    if field_mm is not None:
        near = np.abs(plane.points - np.asarray(centre_mm)).max(axis=-1) <= field_mm / 2
    else:
        near = np.nan_to_num(section(anatomy, plane), nan=-np.inf) > _BODY_ABOVE.get(anatomy.modality, -np.inf)
    return plane.cropped(near, margin_mm=0.0 if field_mm is not None else 8.0)


def to_png(figure: Figure, dpi: int = 110) -> bytes:
    """The figure as PNG bytes without a time stamp, so that equal pictures are equal files."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    stream = io.BytesIO()
    figure.set_dpi(dpi)
    # savefig would resample every image twice, once for the layout alone; zlib's default level takes twice the time
    # for a file a sixth smaller.
    FigureCanvasAgg(figure).print_png(stream, metadata={"Software": None}, pil_kwargs={"compress_level": 3})
    return stream.getvalue()


def _dark_row(planes: Sequence[Plane]) -> tuple[Figure, list[Axes]]:
    figure, axes = _dark_grid(1, planes)
    return figure, axes[0]


def _dark_grid(rows: int, planes: Sequence[Plane]) -> tuple[Figure, list[list[Axes]]]:
    # The object interface of matplotlib: no global state, no display, safe in threads.
    from matplotlib.figure import Figure

    widths = [plane.points.shape[1] for plane in planes]
    heights = [plane.points.shape[0] for plane in planes]
    scale = 13.0 / sum(widths)
    figure = Figure(figsize=(13.6, rows * (max(heights) * scale + 0.35) + 0.35), layout="constrained")
    figure.set_facecolor(_PANEL_BACKGROUND)
    axes = figure.subplots(rows, len(planes), squeeze=False, width_ratios=widths)
    for axis in axes.flat:
        axis.set_facecolor("black")
        axis.set_xticks([])
        axis.set_yticks([])
        for spine in axis.spines.values():
            spine.set_visible(False)
    return figure, [list(row) for row in axes]


def _grey(axis: Axes, values: np.ndarray, plane: Plane, window: tuple[float, float]) -> None:
    axis.imshow(values, cmap="gray", vmin=window[0], vmax=window[1], extent=plane.extent_mm, interpolation="bilinear")


def _colour_bar(figure: Figure, axes: list[Axes], upper: float, label: str) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    bar = figure.colorbar(ScalarMappable(Normalize(0, upper), "inferno"), ax=axes, fraction=0.018, pad=0.012)
    bar.set_label(label, color="white", fontsize=9)
    bar.ax.tick_params(colors="white", labelsize=8)


def _window(volume: Volume) -> tuple[float, float]:
    if volume.modality in DISPLAY_WINDOW:
        return DISPLAY_WINDOW[volume.modality]
    low, high = np.percentile(volume.array, [1, 99.5])
    return float(low), float(max(high, low + 1e-6))


def _scaled(values: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    return np.clip((np.nan_to_num(values, nan=window[0]) - window[0]) / (window[1] - window[0]), 0, 1)


def _coloured(fraction: np.ndarray) -> np.ndarray:
    from matplotlib import colormaps

    return np.asarray(colormaps["inferno"](np.clip(fraction, 0, 1)))[..., :3]


def _checkerboard(plane: Plane, tile_mm: float) -> np.ndarray:
    axes = {"axial": (0, 1), "coronal": (0, 2), "sagittal": (1, 2)}[plane.orientation]
    tiles = np.floor(plane.points[..., axes] / tile_mm).astype(int)
    return tiles.sum(axis=-1) % 2 == 0


def _outline(axis: Axes, mask: sitk.Image, plane: Plane, colour: str) -> None:
    inside = np.nan_to_num(section(mask, plane))
    if inside.max() <= 0.5 or inside.min() >= 0.5:
        return
    left, right, bottom, top = plane.extent_mm
    rows, columns = inside.shape
    x = left + (np.arange(columns) + 0.5) * (right - left) / columns
    y = top + (np.arange(rows) + 0.5) * (bottom - top) / rows
    axis.contour(x, y, inside, levels=[0.5], colors=[colour], linewidths=1.0)


def _letters(axis: Axes, plane: Plane, dark: bool = False) -> None:
    style: dict[str, Any] = {
        "transform": axis.transAxes,
        "color": "#334" if dark else "#dfe6ee",
        "fontsize": 9,
        "ha": "center",
        "va": "center",
    }
    for letter, (x, y) in zip(plane.labels, ((0.025, 0.5), (0.975, 0.5), (0.5, 0.025), (0.5, 0.975)), strict=True):
        axis.text(x, y, letter, **style)


def _legend(figure: Figure, names: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    if not names:
        return
    handles = [
        Line2D([], [], color=c, label=n.replace("_", " ")) for n, c in zip(names, _cycle(len(names)), strict=True)
    ]
    legend = figure.legend(handles=handles, loc="outside lower center", ncols=min(len(names), 8), fontsize=9)
    legend.get_frame().set_facecolor(_PANEL_BACKGROUND)
    legend.get_frame().set_edgecolor(_PANEL_BACKGROUND)
    for text in legend.get_texts():
        text.set_color("white")


def _cycle(count: int) -> list[str]:
    return [OUTLINE_COLOURS[i % len(OUTLINE_COLOURS)] for i in range(count)]
