"""What a registration says about itself: quality, warnings, the scanner's alignment kept, repeatability, files."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import Cancelled, InputError, SettingsError
from bonequant.registration import (
    RegistrationSettings,
    chain,
    from_matrix,
    load_transform,
    register,
    save_transform,
)
from bonequant.volume import Volume


def test_the_scanners_alignment_is_kept_where_nothing_better_is_found(pair: ModuleType) -> None:
    pet, ct = pair.pair()
    result = register(pet, ct)
    assert result.kept_scanner_alignment
    assert result.quality.displacement_max_mm == 0.0
    assert result.quality.level == "ok"
    assert result.transform.TransformPoint((1.0, 2.0, 3.0)) == (1.0, 2.0, 3.0)
    # Asked for the optimum whatever it gains, it lies within a PET voxel of the scanner's alignment.
    free = register(pet, ct, RegistrationSettings(minimum_gain=0.0))
    assert not free.kept_scanner_alignment
    assert 0.0 < free.quality.displacement_mm < free.quality.voxel_mm


def test_quality_of_a_known_misalignment(pair: ModuleType, spect: Volume, ct: Volume, truth: sitk.Transform) -> None:
    result = register(spect, ct)
    quality = result.quality
    assert quality.gain > 0.2
    assert quality.agreement_mm < 0.5 * quality.voxel_mm
    assert quality.bone_overlap > quality.bone_overlap_scanner + 0.1
    # 30 mm of shift, and more where the turn adds to it; the patient lies more than a voxel from the scanner's place.
    assert quality.displacement_mm > 20.0
    assert quality.level == "warn"
    assert result.warnings == (quality.text,)
    assert quality.to_dict()["level"] == "warn"
    # Announced as another frame of reference, the same displacement is no reason for a warning.
    frames = [
        dataclasses.replace(v.acquisition, frame_of_reference_uid=uid) for v, uid in ((spect, "1.2"), (ct, "1.3"))
    ]
    apart = register(spect.replace(acquisition=frames[0]), ct.replace(acquisition=frames[1]))
    assert apart.quality.level == "ok"
    points = pair.bone_points()
    errors = np.linalg.norm(pair.apply(apart.transform, points) - pair.apply(truth, points), axis=1)
    assert errors.max() <= 1.5


def test_a_far_origin_is_bridged_by_the_centroid(pair: ModuleType, spect: Volume, ct: Volume) -> None:
    image = sitk.Image(spect.image)
    image.SetOrigin((5000.0, -3000.0, 900.0))
    facts = dataclasses.replace(spect.acquisition, frame_of_reference_uid="another")
    here = dataclasses.replace(ct.acquisition, frame_of_reference_uid="this")
    far = register(spect.replace(image=image, acquisition=facts), ct.replace(acquisition=here))
    near = register(spect, ct)
    moved = np.array(image.GetOrigin()) - spect.image.GetOrigin()
    points = pair.bone_points()[:20]
    assert pair.apply(far.transform, points) - moved == pytest.approx(pair.apply(near.transform, points), abs=0.2)


def test_same_bits_with_any_number_of_threads(spect: Volume, ct: Volume) -> None:
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    try:
        found = []
        for threads in (1, 5):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
            result = register(spect, ct)
            found.append((result.transform.GetParameters(), result.quality))
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    assert found[0] == found[1]


def test_cancel_leaves_at_once_and_progress_never_goes_back(spect: Volume, ct: Volume) -> None:
    seen: list[float] = []

    def stop_in_the_search(fraction: float, message: str) -> None:
        seen.append(fraction)
        if message == "Aligning":
            raise Cancelled("Stopped by the user.")

    with pytest.raises(Cancelled):
        register(spect, ct, progress=stop_in_the_search)
    assert seen == sorted(seen)
    assert 0.4 < seen[-1] < 0.7


@pytest.mark.parametrize("suffix", [".tfm", ".txt", ".h5"])
def test_transforms_come_back_from_files(tmp_path: Path, suffix: str) -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(sitk.Euler3DTransform((0, 0, 0), 0.1, -0.2, 0.05).GetMatrix(), (3, 3))
    matrix[:3, 3] = (12.5, -7.25, 3.125)
    transform = chain(from_matrix(matrix), sitk.TranslationTransform(3, (1.0, 2.0, 3.0)))
    path = save_transform(transform, tmp_path / f"alignment{suffix}")
    point = (10.0, -20.0, 30.0)
    expected = (matrix @ (*point, 1.0))[:3] + np.array((1.0, 2.0, 3.0))
    assert load_transform(path).TransformPoint(point) == pytest.approx(expected, abs=1e-9)


def test_bad_transforms_and_settings_say_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="4x4"):
        from_matrix(np.eye(3))
    with pytest.raises(InputError, match="last row"):
        from_matrix(np.ones((4, 4)))
    with pytest.raises(InputError, match=r"\.tfm"):
        save_transform(sitk.Transform(3, sitk.sitkIdentity), tmp_path / "alignment.json")
    with pytest.raises(InputError, match="does not exist"):
        load_transform(tmp_path / "absent.tfm")
    (tmp_path / "broken.tfm").write_text("not a transform")
    with pytest.raises(InputError, match="not a transform"):
        load_transform(tmp_path / "broken.tfm")
    with pytest.raises(SettingsError, match="rigid, affine, bspline"):
        RegistrationSettings(model="elastic")
