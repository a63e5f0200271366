"""Draw the extension's and the modules' icons (128 x 128 PNG, transparent): python tools/draw_icons.py"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch, Rectangle
from matplotlib.path import Path as Outline

ROOT = Path(__file__).resolve().parents[1]
BONE, EDGE, NAVY, TEAL, GREY = "#f3e7c9", "#8a7443", "#14324a", "#1f8a8c", "#c9d3da"
_STOPS = [(0.95, 0.55, 0.1, 0.0), (0.95, 0.45, 0.08, 0.9), (0.75, 0.05, 0.1, 1.0)]  # red, green, blue, opacity
HEAT = LinearSegmentedColormap.from_list("heat", _STOPS)


def canvas() -> Axes:
    """A 128 x 128 pixel drawing in coordinates 0..1 on a rounded navy tile."""
    figure = plt.figure(figsize=(1, 1), dpi=128)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.axis("off")
    style = "round,pad=0.05,rounding_size=0.14"
    axes.add_patch(FancyBboxPatch((0.08, 0.08), 0.84, 0.84, boxstyle=style, fc=NAVY, lw=0))
    return axes


def vertebra(axes: Axes, x: float, y: float, scale: float) -> PathPatch:
    """A vertebral body seen from the front, waisted, with its transverse processes."""
    half = np.array([(0.0, 0.16), (0.16, 0.17), (0.24, 0.15), (0.19, 0.04), (0.36, 0.03), (0.36, -0.03), (0.19, -0.05)])
    half = np.vstack([half, [(0.24, -0.15), (0.16, -0.17), (0.0, -0.16)]])
    points = np.vstack([half, half[::-1] * (-1, 1)]) * scale + (x, y)
    patch = PathPatch(Outline(points, closed=True), fc=BONE, ec=EDGE, lw=1.1, joinstyle="round")
    return axes.add_patch(patch)


def glow(axes: Axes, x: float, y: float, radius: float, clip: PathPatch | None = None) -> None:
    """A hot spot as a nuclear image shows it."""
    grid = np.linspace(-1, 1, 96)
    spot = np.exp(-3.0 * (grid[:, None] ** 2 + grid[None, :] ** 2))
    image = axes.imshow(
        spot, extent=(x - radius, x + radius, y - radius, y + radius), cmap=HEAT, vmin=0.08, vmax=1, zorder=4
    )
    image.set_clip_path(clip if clip is not None else Circle((x, y), radius, transform=axes.transData))


def spine(axes: Axes, x: float = 0.5) -> list[PathPatch]:
    return [vertebra(axes, x, y, 0.62) for y in (0.78, 0.5, 0.22)]


def draw_bonequant(axes: Axes) -> None:
    bodies = spine(axes, 0.36)
    glow(axes, 0.36, 0.5, 0.17, bodies[1])
    for x, height in ((0.66, 0.2), (0.755, 0.36), (0.85, 0.52)):
        axes.add_patch(Rectangle((x - 0.034, 0.16), 0.068, height, fc=TEAL, lw=0))


def draw_marrow(axes: Axes) -> None:
    for body in spine(axes):
        inner = Outline((body.get_path().vertices - (0.5, 0)) * (0.62, 1) + (0.5, 0))
        y = inner.vertices[:, 1].mean()
        clip = axes.add_patch(PathPatch(Outline((inner.vertices - (0, y)) * (1, 0.7) + (0, y)), fc="#b3261e", lw=0))
        glow(axes, 0.5, y, 0.14, clip)


def draw_radiomics(axes: Axes) -> None:
    vertebra(axes, 0.5, 0.5, 1.15)
    levels = np.random.default_rng(11).random((6, 6))
    axes.imshow(levels, extent=(0.33, 0.67, 0.36, 0.64), cmap="magma", vmin=-0.1, zorder=4, aspect="auto")
    axes.add_patch(Rectangle((0.33, 0.36), 0.34, 0.28, fc="none", ec="#ffffff", lw=1.3, zorder=5))


def draw_response(axes: Axes) -> None:
    t = np.linspace(0, 1, 200)
    curve = 1.15 * (np.exp(-0.7 * t) - np.exp(-9 * t))
    for scale, colour in ((0.78, "#f08a24"), (0.3, TEAL)):
        axes.plot(0.17 + 0.7 * t, 0.2 + scale * 0.75 * curve, color=colour, lw=3.2, solid_capstyle="round")
    axes.plot([0.17, 0.17, 0.87], [0.84, 0.18, 0.18], color=GREY, lw=1.6, solid_capstyle="round")
    axes.annotate(
        "", xy=(0.66, 0.35), xytext=(0.66, 0.58), arrowprops={"arrowstyle": "-|>", "color": BONE, "lw": 1.6}, zorder=6
    )


ICONS = {
    "BoneQuant.png": draw_bonequant,
    "BoneQuantCore/Resources/Icons/BoneQuantCore.png": draw_bonequant,
    "BoneMarrowPerfusion/Resources/Icons/BoneMarrowPerfusion.png": draw_marrow,
    "SPECTCTRadiomics/Resources/Icons/SPECTCTRadiomics.png": draw_radiomics,
    "DCEResponse/Resources/Icons/DCEResponse.png": draw_response,
}


def main() -> None:
    for name, draw in ICONS.items():
        axes = canvas()
        draw(axes)
        axes.set(xlim=(0, 1), ylim=(0, 1))
        axes.figure.savefig(ROOT / name, dpi=128, transparent=True, metadata={"Software": None})
        plt.close(axes.figure)


if __name__ == "__main__":
    main()
