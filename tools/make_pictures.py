"""The pictures of Docs/, cut from reports: ``python tools/make_pictures.py DEMO [PETCT CT]``.

DEMO is a folder that ``bonequant demo`` wrote; PETCT one of ``bonequant marrow`` on the PET/CT of ``petct_acrin`` (CC
BY 3.0), and CT that CT. Sections of the report are photographed by a headless Chromium, one at a time; the fused
sections are drawn anew with fewer outlines. All become PNG with a palette, small enough for a repository. Needs Pillow
(comes with matplotlib), and chromium on the path or named in CHROMIUM.
"""

from __future__ import annotations

import base64
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from bonequant.io import load, load_masks
from bonequant.registration import load_transform
from bonequant.report.pictures import fused_sections
from bonequant.report.planes import centre_of
from bonequant.volume import image_from_array
from PIL import Image, ImageChops

PICTURES = Path(__file__).resolve().parents[1] / "Docs" / "pictures"
WIDTH, HEIGHT = 1180, 4000  # of the window in which a section is photographed
OUTLINED = ("spine", "pelvis", "ribs", "blood_pool", "liver")
# File name: number of the figure in the report of the demo.
FIGURES = {"demo_lesion": 1}
# File name: title with which a section of the report begins.
SECTIONS = {
    "report_truth": "Measured beside the truth",
    "report_regions": "Regions",
    "report_lesions": "Lesion candidates",
    "report_alignment": "Alignment of",
}


def main(arguments: list[str]) -> int:
    if len(arguments) not in (1, 3):
        print(__doc__, file=sys.stderr)
        return 2
    PICTURES.mkdir(exist_ok=True)
    demo = Path(arguments[0])
    html = (demo / "report.html").read_text(encoding="utf-8")
    keep("demo_fused", fused(demo, demo / "patient" / "CT", upper=8.0))
    for name, number in FIGURES.items():
        keep(name, figure(html, number))
    keep("report_top", photograph(page_of(html, "")))
    for name, title in SECTIONS.items():
        keep(name, photograph(page_of(html, section(html, title))))
    if len(arguments) == 3:
        keep("petct_fused", fused(Path(arguments[1]), Path(arguments[2]), upper=4.0))
    return 0


def fused(results: Path, ct_folder: Path, upper: float) -> Image.Image:
    """Fused sections with outlines of bones, reference regions and lesion candidates, through the second of these.

    ``upper`` is the SUV at full colour.
    """
    ct, suv = load(ct_folder), load(results / "maps" / "suv.nrrd")
    masks = load_masks(results / "regions_on_ct.seg.nrrd")
    outlines = {name: masks[name] for name in OUTLINED if name in masks}
    left, back, height = centre_of(masks["spine"])
    if lesions := [sitk.GetArrayViewFromImage(mask) for name, mask in masks.items() if name.startswith("lesion")]:
        outlines["lesion candidates"] = image_from_array(np.logical_or.reduce(lesions), ct.geometry)
        height = centre_of(masks["lesion_2"])[2]
    transform = load_transform(results / "ct_to_functional.tfm")
    png = fused_sections(ct, suv, transform, outlines=outlines, centre_mm=(left, back, height), upper=upper)
    return Image.open(io.BytesIO(png))


def figure(html: str, number: int) -> Image.Image:
    """The ``number``-th embedded picture."""
    return Image.open(io.BytesIO(base64.b64decode(re.findall(r"data:image/png;base64,([\w+/=]+)", html)[number])))


def section(html: str, title: str) -> str:
    """The section whose heading begins with ``title``; its pictures are left as they are."""
    for part in re.findall(r"<section>.*?</section>", html, flags=re.DOTALL):
        if part.startswith(f"<section><h2>{title}"):
            return part
    raise SystemExit(f"The report has no section {title!r}.")


def page_of(html: str, part: str) -> str:
    """The report's page with one section in place of all; without one its header alone."""
    before, rest = html.split("<main>", 1)
    after = rest.split("</main>", 1)[1]
    header = re.compile(r"<header>.*?</header>|<footer>.*?</footer>", flags=re.DOTALL)
    before = before if not part else header.sub("", before)
    return f"{before}<main>{part}</main>{header.sub('', after)}"


def photograph(html: str) -> Image.Image:
    """The page as the browser shows it, without the empty space below."""
    browser = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        raise SystemExit("No chromium was found; name it in CHROMIUM.")
    with tempfile.TemporaryDirectory() as folder:
        page, shot = Path(folder) / "page.html", Path(folder) / "shot.png"
        page.write_text(html, encoding="utf-8")
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
        options += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
        options += [f"--user-data-dir={folder}/profile", f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={shot}"]
        subprocess.run([browser, *options, page.as_uri()], check=True, capture_output=True, timeout=120)
        image = Image.open(shot).convert("RGB")
    white = Image.new("RGB", image.size, "white")
    bounds = ImageChops.difference(image, white).getbbox()
    return image.crop((0, 0, image.width, min(bounds[3] + 16, image.height))) if bounds else image


def keep(name: str, image: Image.Image) -> None:
    """Write with a palette of 256 colours, and say how large it is."""
    path = PICTURES / f"{name}.png"
    image = image.convert("RGB")
    image.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    image.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {image.width} x {image.height}, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
