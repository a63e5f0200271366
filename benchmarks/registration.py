"""Registration of SPECT to CT beside itk-elastix on the same pairs: ``python -m benchmarks registration [PAIRS]``.

Two rows of pairs on the real PET/CT of ``petct_acrin``, each moved by known transforms of up to 30 mm and 8 degrees:
SPECT simulated from the CT (the truth is exact), and the PET made SPECT-like (the truth is the scanner's own alignment,
so its error holds the patient's breathing too). elastix runs with its default rigid parameter map (Advanced Mattes
mutual information) on the images as they are. Errors are over 300 points in bone; CPU seconds are of all threads.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk
from bonequant.registration import register
from bonequant.volume import Volume

from benchmarks import petct_pair

Method = Callable[[Volume, Volume], sitk.Transform]


@dataclass
class Row:
    """Errors of one method on one row of pairs."""

    offsets: list[np.ndarray] = field(default_factory=list)  # (points, 3): where a bone point ends, less where it was
    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    @property
    def errors(self) -> np.ndarray:
        """Target registration error (pairs, points), mm."""
        return np.linalg.norm(np.array(self.offsets), axis=2)

    @property
    def spread(self) -> np.ndarray:
        """Distance (pairs, points) of each registration from the mean of all, mm, in the CT's space."""
        offsets = np.array(self.offsets)
        return np.linalg.norm(offsets - offsets.mean(axis=0), axis=2)


def ours(moving: Volume, fixed: Volume) -> sitk.Transform:
    return register(moving, fixed).transform


def elastix(moving: Volume, fixed: Volume) -> sitk.Transform:
    """elastix's default rigid map; its result takes fixed points to moving points, as ours does."""
    import itk

    parameters = itk.ParameterObject.New()
    parameters.AddParameterMap(parameters.GetDefaultParameterMap("rigid"))
    _, found = itk.elastix_registration_method(
        _to_itk(fixed.image), _to_itk(moving.image), parameter_object=parameters, log_to_console=False
    )
    result = found.GetParameterMap(0)
    transform = sitk.Euler3DTransform()
    transform.SetCenter([float(v) for v in result["CenterOfRotationPoint"]])
    transform.SetComputeZYX(result["ComputeZYX"][0] == "true")
    transform.SetParameters([float(v) for v in result["TransformParameters"]])
    return transform


def measure(method: Method, pairs: int, make: Callable[[sitk.Transform, int], Volume]) -> Row:
    """Run ``method`` on ``pairs`` pairs; the transforms, the noise and the points are the same for every method."""
    ct, points, row = petct_pair.pair()[1], petct_pair.bone_points(), Row()
    for seed, truth in enumerate(petct_pair.transforms(pairs)):
        moving = make(truth, seed)
        wall, cpu = time.perf_counter(), time.process_time()
        transform = method(moving, ct)
        row.wall_s.append(time.perf_counter() - wall)
        row.cpu_s.append(time.process_time() - cpu)
        back = petct_pair.apply(truth.GetInverse(), petct_pair.apply(transform, points))
        row.offsets.append(back - points)
    return row


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks registration", description=__doc__.splitlines()[0])
    parser.add_argument("pairs", type=int, nargs="?", default=20, help="number of known transforms per row")
    pairs = parser.parse_args(argv).pairs
    petct_pair.warm_up()
    print(f"{pairs} pairs per row; errors in mm over 300 bone points")
    print(f"{'pairs':<18}{'method':<14}{'median':>8}{'worst mean':>12}{'max':>8}{'spread':>9}{'wall s':>8}{'CPU s':>8}")
    for name, make in (("simulated SPECT", petct_pair.bone_spect), ("SPECT-like PET", petct_pair.spect_like)):
        medians = {}
        for label, method in (("BoneQuant", ours), ("itk-elastix", elastix)):
            row = measure(method, pairs, make)
            errors = row.errors
            medians[label] = (float(np.median(errors)), float(np.median(row.cpu_s)))
            print(
                f"{name:<18}{label:<14}{medians[label][0]:>8.2f}{errors.mean(axis=1).max():>12.2f}{errors.max():>8.2f}"
                f"{row.spread.mean(axis=1).max():>9.2f}{np.median(row.wall_s):>8.1f}{medians[label][1]:>8.1f}",
                flush=True,
            )
        (error, cpu), (their_error, their_cpu) = medians.values()
        print(f"{'':<18}elastix / BoneQuant: median error {their_error / error:.1f}, CPU {their_cpu / cpu:.1f}")
    print("spread: largest over the pairs of the mean distance between one registration and the mean of all")
    return 0


def _to_itk(image: sitk.Image) -> object:
    import itk

    result = itk.image_from_array(sitk.GetArrayFromImage(image).astype(np.float32))
    result.SetSpacing(image.GetSpacing())
    result.SetOrigin(image.GetOrigin())
    result.SetDirection(np.array(image.GetDirection()).reshape(3, 3))
    return result


if __name__ == "__main__":
    sys.exit(main())
