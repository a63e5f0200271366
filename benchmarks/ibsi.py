"""Every IBSI feature against the consensus value, configuration by configuration: ``python -m benchmarks ibsi``.

Digital phantom and CT phantom come from the data folder (BONEQUANT_TEST_DATA), as do the reference values of the
digital phantom and of configuration C; those of A, B, D and E stand in ``ibsi_reference.csv`` (IBSI reference values of
the CT radiomics phantom, Zwanenburg et al., Radiology 2020;295:328, CC BY 4.0; the features that are computed here).

``--write FILE`` writes the tables as Markdown: all aggregations as a count, and one of them feature by feature.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk
from bonequant.radiomics import RadiomicsSettings, describe_feature, extract, ibsi_configuration
from bonequant.radiomics.ibsi.table import aggregation_suffix

HERE = Path(__file__).parent
COMMON = ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")  # the classes that pyradiomics has too
# Configuration: dimensions that have reference values, and the aggregation that is shown feature by feature.
WAYS = {
    "digital phantom": (("3d", "2.5d", "2d"), ("3d", "averaged")),
    "A": (("2d", "2.5d"), ("2d", "averaged")),
    "B": (("2d", "2.5d"), ("2.5d", "merged")),
    "C": (("3d",), ("3d", "averaged")),
    "D": (("3d",), ("3d", "averaged")),
    "E": (("3d",), ("3d", "merged")),
}
HEAD = """# IBSI-1: every feature against its reference value

Written by `python -m benchmarks ibsi --write Docs/validation/ibsi.md`; not to be edited by hand. How the features are
made is in [methods](../methods/radiomics.md).

A feature passes where its value, at the three digits of the reference, lies within the reference's tolerance. "Common"
are the 102 features that pyradiomics has and IBSI defines; "own" are those that IBSI defines and pyradiomics lacks.
Reference values: IBSI data sets, Zwanenburg et al., Radiology 2020;295:328 (CC BY 4.0).

"""


@dataclass(frozen=True)
class Compared:
    """One feature: what it should be and what it is."""

    name: str
    ibsi_id: str
    common: bool
    reference: float
    tolerance: float
    value: float

    @property
    def passes(self) -> bool:
        """Compared at the three digits of the tables; 1e-9 because 0.1 + 0.2 != 0.3."""
        return abs(float(f"{self.value:.3g}") - self.reference) <= self.tolerance + 1e-9 * abs(self.reference)


def data_folder() -> Path:
    return Path(os.environ.get("BONEQUANT_TEST_DATA", HERE.parent.parent / "shared" / "data")) / "ibsi"


def references(configuration: str) -> dict[str, tuple[float, float]]:
    """Value and tolerance by the tag of the reference tables."""
    files = {"digital phantom": "ibsi_1_dig_phantom.csv", "C": "ibsi_1_chest_config_c.csv"}
    if configuration in files:
        path = data_folder() / "reference_values" / files[configuration]
        rows = list(csv.reader(path.open(encoding="utf-8"), delimiter=";"))[1:]
        return {tag: (float(value), float(tolerance)) for value, tolerance, tag in rows if value}
    with (HERE / "ibsi_reference.csv").open(encoding="utf-8") as stream:
        mine = [row for row in csv.DictReader(stream) if row["configuration"] == configuration]
    return {row["tag"]: (float(row["value"]), float(row["tolerance"])) for row in mine}


def phantom(configuration: str) -> tuple[sitk.Image, sitk.Image]:
    name = "digital_phantom" if configuration == "digital phantom" else "ct_radiomics_phantom"
    folder = data_folder() / f"ibsi_1_{name}" / "nifti"
    image, mask = folder / "image" / "phantom.nii.gz", folder / "mask" / "mask.nii.gz"
    return sitk.ReadImage(str(image)), sitk.ReadImage(str(mask))


def compare(
    configuration: str, dimensions: str, aggregation: str, images: tuple[sitk.Image, sitk.Image]
) -> list[Compared]:
    """Every feature with an IBSI identifier, once each, in the order of the classes."""
    wanted = references(configuration)
    ibsi = dataclasses.replace(ibsi_configuration(configuration), dimensions=dimensions, aggregation=aggregation)
    found: dict[str, Compared] = {}
    for name, value in extract(*images, RadiomicsSettings(families=("ibsi",), ibsi=ibsi)).items():
        info = describe_feature(name)
        tag = info.ibsi_tag + aggregation_suffix(info.ibsi_tag, dimensions, aggregation)
        if info.ibsi_id and tag not in found:  # entropy and uniformity of the histogram have two names
            short = name.removeprefix("original_").replace("_", " ")
            found[tag] = Compared(short, info.ibsi_id, info.feature_class in COMMON, *wanted[tag], value)
    return list(found.values())


def tables(configuration: str) -> Iterator[tuple[str, str, list[Compared]]]:
    images = phantom(configuration)
    for dimensions in WAYS[configuration][0]:
        for aggregation in ("averaged", "merged"):
            yield dimensions, aggregation, compare(configuration, dimensions, aggregation, images)


def counts(rows: Sequence[Compared]) -> tuple[str, str]:
    parts = [[row.passes for row in rows if row.common is common] for common in (True, False)]
    return f"{sum(parts[0])} of {len(parts[0])}", f"{sum(parts[1])} of {len(parts[1])}"


def shown(value: float) -> str:
    return f"{value:.4g}"


def details(configuration: str, way: tuple[str, str], rows: Sequence[Compared]) -> Iterator[str]:
    """One compact table of the common features, then the others."""
    title = configuration if configuration == "digital phantom" else f"configuration {configuration}"
    yield f"## {title[0].upper()}{title[1:]} ({way[0].upper()}, directions {way[1]})\n"
    for common, caption in ((True, "Common"), (False, "Own")):
        yield f"{caption}:\n"
        yield "| feature | IBSI | reference | tolerance | ours | |\n|---|---|---:|---:|---:|---|"
        for row in rows:
            if row.common is common:
                numbers = " | ".join(map(shown, (row.reference, row.tolerance, row.value)))
                yield f"| {row.name} | {row.ibsi_id} | {numbers} | {'pass' if row.passes else '**FAIL**'} |"
        yield ""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks ibsi", description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path, help="Markdown file")
    options = parser.parse_args(argv)
    if not data_folder().is_dir():
        print(f"IBSI phantoms are missing at {data_folder()}: set BONEQUANT_TEST_DATA.")
        return 2
    summary = ["| configuration | dimensions | directions | common | own |", "|---|---|---|---:|---:|"]
    listed: list[str] = []
    failures = 0
    for configuration, (_, detailed) in WAYS.items():
        for dimensions, aggregation, rows in tables(configuration):
            summary.append(f"| {configuration} | {dimensions} | {aggregation} | {' | '.join(counts(rows))} |")
            failed = [row for row in rows if not row.passes]
            failures += len(failed)
            summary += [
                f"| | | {row.name} ({row.ibsi_id}): {shown(row.value)} for {shown(row.reference)} ± "
                f"{shown(row.tolerance)} | | |"
                for row in failed
            ]
            if (dimensions, aggregation) == detailed:
                listed += details(configuration, detailed, rows)
    print("\n".join(summary))
    if options.write:
        options.write.parent.mkdir(parents=True, exist_ok=True)
        options.write.write_text(HEAD + "\n".join(summary) + "\n\n" + "\n".join(listed), encoding="utf-8")
        print(f"\nwritten to {options.write}")
    return int(failures > 0)
