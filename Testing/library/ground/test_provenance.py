"""Provenance: hashes that depend on what matters and on nothing else; no path, no patient."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant import __version__
from bonequant.provenance import Provenance, hash_files, hash_image, versions


def test_files_hash_as_sha256sum_does_and_in_any_order(tmp_path):
    first, second = tmp_path / "a.dcm", tmp_path / "b.dcm"
    first.write_bytes(b"one" * 1_000_000)  # more than one block
    second.write_bytes(b"two")
    assert hash_files([first]) == hashlib.sha256(b"one" * 1_000_000).hexdigest()
    assert hash_files([first, second]) == hash_files([second, str(first)])
    renamed = first.rename(tmp_path / "z.dcm")
    assert hash_files([renamed, second]) == hash_files([second, renamed])
    before = hash_files([renamed, second])
    second.write_bytes(b"twO")
    assert hash_files([renamed, second]) != before


def test_an_image_hashes_by_voxels_type_and_geometry():
    image = sitk.GetImageFromArray(np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    original = hash_image(image)
    assert hash_image(sitk.Image(image)) == original
    image.SetMetaData("name", "somebody")
    assert hash_image(image) == original
    changes = [sitk.Cast(image, sitk.sitkInt32), image + 1, sitk.PermuteAxes(image, [0, 2, 1])]
    for setter, value in (
        ("SetOrigin", (0, 0, 1e-6)),
        ("SetSpacing", (1, 1, 1.0001)),
        ("SetDirection", (-1, 0, 0, 0, -1, 0, 0, 0, 1)),
    ):
        moved = sitk.Image(image)
        getattr(moved, setter)(value)
        changes.append(moved)
    assert len({original, *map(hash_image, changes)}) == 1 + len(changes)


def test_versions_name_what_numbers_depend_on():
    found = versions()
    assert found["bonequant"] == __version__
    assert {"python", "numpy", "scipy", "SimpleITK", "pydicom"} <= set(found)
    assert found["numpy"] == np.__version__


def test_a_record_is_ready_for_json():
    record = Provenance("marrow", {"spect": "ab"}, {"bins": 3})
    assert json.loads(json.dumps(asdict(record)))["versions"]["bonequant"] == __version__


def test_a_missing_file_is_not_passed_over(tmp_path):
    with pytest.raises(FileNotFoundError):
        hash_files([tmp_path / "absent"])
