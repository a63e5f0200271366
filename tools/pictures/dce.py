"""The picture of DCE maps in Docs: ``python tools/pictures/dce.py DATA``.

DATA is the folder of real data that the tests use. The breast DCE series is that of DCEMRI.jl (Smith et al., MIT
licence), with its flip angles and its measured input.
"""

from __future__ import annotations

import dataclasses
import io
import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from bonequant.report.curves import fitted_curves
from bonequant.report.map_pictures import map_sections
from bonequant.studies.dce_perfusion import DceInputs, DceResult, DceSettings, run
from bonequant.studies.dce_perfusion.report import heading
from bonequant.volume import Acquisition, Curve, DynamicSeries, Geometry, Volume, image_from_array
from PIL import Image
from scipy.io import loadmat

PICTURES = Path(__file__).resolve().parents[2] / "Docs" / "pictures"
SAGITTAL = (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
# Where the tumour is (rows, columns), and the rest of the same breast around it; read from the picture of the maps.
TUMOUR, AROUND = (slice(95, 118), slice(88, 115)), (slice(60, 130), slice(55, 140))
PARAMETERS = ("ktrans", "ve", "vp")
WINDOWS = {"ktrans": (0.0, 0.5), "vp": (0.0, 0.2), "iauc60": (0.0, 40.0)}


def breast(path: Path) -> DceInputs:
    """The breast series of DCEMRI.jl as inputs of the job; its file gives no voxel size, 1 mm stands for it."""
    held = loadmat(path)
    frames = held["DCEdata"][:, None].astype(np.float32)
    grid = Geometry((frames.shape[3], frames.shape[2], 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), SAGITTAL)
    tr_ms = 1000.0 * float(held["TR"].item())

    def facts(angle: float) -> Acquisition:
        return Acquisition(protocol={"repetition_time_ms": tr_ms, "flip_angle_deg": angle})

    times = held["t"].ravel()
    series = DynamicSeries(frames, times, grid, "MR", "", facts(float(held["DCEflip"].item())), name="breast")
    volumes = [
        Volume(image_from_array(image[None].astype(np.float32), grid), "MR", "", facts(float(angle)), f"FA {angle}")
        for image, angle in zip(held["T1data"], held["T1flip"].ravel(), strict=True)
    ]
    return DceInputs(series, t1_volumes=volumes, aif_curve=Curve(times, held["Cp"].ravel(), "mM", "measured input"))


SETTINGS = {"signal": {"relaxivity": 4.5, "blood_t1_s": 1.44}, "delay": "none"}


def regions(inputs: DceInputs) -> dict[str, sitk.Image]:
    """The tumour, and the breast around it."""
    grid = inputs.series.geometry
    tumour, around = np.zeros(grid.shape, bool), np.zeros(grid.shape, bool)
    tumour[(0, *TUMOUR)] = True
    around[(0, *AROUND)] = True
    return {"tumour": image_from_array(tumour, grid), "around": image_from_array(around & ~tumour, grid)}


def measured(path: Path) -> DceResult:
    inputs = breast(path)
    return run(dataclasses.replace(inputs, masks=regions(inputs)), DceSettings.from_dict(SETTINGS))


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    result = measured(Path(arguments[0]) / "dce_breast_curves" / "invivo.mat")
    tumour = {"tumour": result.masks["tumour"]}
    panels = [
        Image.open(
            io.BytesIO(
                map_sections(
                    result.anatomy, result.maps[name], window=window, outlines=tumour, whole=True,
                    label=heading(name, result.maps[name].unit),
                )
            )
        )
        for name, window in WINDOWS.items()
    ]  # fmt: skip
    lines = {name: region.fitted for name, region in result.regions.items() if region.fitted is not None}
    curves = {name: region.concentration for name, region in result.regions.items()}
    save("dce_breast_curves", Image.open(io.BytesIO(fitted_curves(curves, lines, label="tissue (mM)"))))
    height = min(panel.height for panel in panels)
    row = Image.new("RGB", (sum(panel.width for panel in panels), height))
    place = 0
    for panel in panels:
        row.paste(panel.convert("RGB"), (place, 0))
        place += panel.width
    save("dce_breast_maps", row)
    for name, region in result.regions.items():
        values = ", ".join(f"{key} {region.of_voxels[key]['median']:.3f}" for key in PARAMETERS)
        fit = ", ".join(f"{key} {region.of_mean_curve[key]:.3f}" for key in PARAMETERS)
        print(f"{name}: median of the voxels {values}; fit of the mean curve {fit}, R2 {region.r2:.3f}")
    return 0


def save(name: str, picture: Image.Image) -> None:
    """With a palette, small enough for a repository."""
    PICTURES.mkdir(exist_ok=True)
    width = min(picture.width, 1500)
    smaller = picture.convert("RGB").resize((width, round(picture.height * width / picture.width)))
    smaller.quantize(256, dither=Image.Dither.NONE).save(PICTURES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
