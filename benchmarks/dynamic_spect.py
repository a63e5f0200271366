"""Kinetics of the dynamic SPECT phantom beside the truth: ``python -m benchmarks dynamic_spect``.

First the curves alone (frames of 60 and 180 s, no blur, no noise), with the blood curve and the model taken at the
middles of the frames, as most programs do, and with both taken as means over the frames. Then the images (12 mm FWHM,
Poisson noise) through the job, with regions in the middle of the organs.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk
from bonequant.kinetics import fit
from bonequant.phantom import dynamic_spect_preset, simulate_dynamic_spect
from bonequant.studies import dynamic_spect as job
from bonequant.studies.dynamic_spect.blood import through_means
from scipy import ndimage

_MODELS = {"one_tissue": {"k1": "k1", "k2": "k2", "vb": "vb"}, "patlak": {"ps": "ki", "vp": "vb"}}
_TISSUES = {"lesion": "one_tissue", "muscle": "one_tissue", "marrow": "patlak", "liver": "patlak"}


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables."""
    argparse.ArgumentParser(prog="python -m benchmarks dynamic_spect", description=__doc__.splitlines()[0]).parse_args(
        argv
    )
    scan = simulate_dynamic_spect(dynamic_spect_preset("small"))
    durations = np.array(scan.settings.durations_s)
    starts = np.concatenate([[0.0], np.cumsum(durations)[:-1]])
    times, means = starts + durations / 2, scan.curves["blood_pool"]
    ways = {
        "middles of frames": (means, None),
        "means over frames": (through_means(starts, durations, means, "Bq/mL"), durations),
        "means, true blood": (scan.blood, durations),
    }
    print("Error in percent of truth, curves without blur and noise")
    for name, model in _TISSUES.items():
        for way, (blood, lengths) in ways.items():
            found = fit(times, scan.curves[name][None], blood, model, durations_s=lengths)
            cells = [
                f"{own} {100 * (found[given][0] / getattr(scan.truth[name], own) - 1):+.1f}"
                for given, own in _MODELS[model].items()
            ]
            print(f"{name:>8} {model:>11} {way:>18}   {'   '.join(cells)}")
    masks = {}
    for name in ("liver", "spleen", "blood_pool"):
        core = ndimage.binary_erosion(sitk.GetArrayFromImage(scan.masks[name]) > 0, iterations=2)
        masks[name] = scan.series.geometry.apply_to(sitk.GetImageFromArray(core.astype(np.uint8)))
    masks["lesion"] = scan.masks["lesion"]
    print("Images of 12 mm FWHM with noise, through the job")
    for row in job.run(job.DynamicSpectInputs(scan.series, masks)).rows:
        if row["ki"] is not None:
            truth = scan.truth[row["region"]]
            print(f"{row['region']:>8}   K1 {row['k1']:.4f} ({truth.k1:.4f})   k2 {row['k2']:.4f} ({truth.k2:.4f})   "
                  f"Ki {row['ki']:.4f} ({truth.ki:.4f})   V {row['v0']:.4f} ({truth.vb:.4f})")  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
