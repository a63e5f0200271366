"""Mutated files of every kind end in a result or a BoneQuantError; what fuzzing once found stays found.

The thousands are ``python -m benchmarks fuzz``; here are a few hundred, in a process of their own as there.
"""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import bonequant.io as io
import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import BoneQuantError, InputError

from benchmarks import fuzz, fuzz_seeds


@pytest.fixture(scope="module")
def seeds(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz") / "seeds"
    fuzz.write_seeds(folder)
    return folder


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_mutated_files(kind, seeds, tmp_path):
    found = fuzz.run(kind, 60, 11, seeds, print)
    assert found["defects"] == {}
    assert found["results"] > 0
    assert found["clear errors"] > 0
    assert found["slowest_s"] < fuzz.LIMIT_S
    assert found["peak_mb"] < fuzz.LIMIT_BYTES / 1e6


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_every_seed_is_sound(kind, seeds):
    """A seed that no reader takes would test nothing but the first line of the readers."""
    for path in sorted((seeds / kind).iterdir()):
        ends = []
        for read in fuzz_seeds.READERS[kind]:
            try:
                read(path)
                ends.append("result")
            except BoneQuantError as error:
                ends.append(str(error))
        assert "result" in ends, (path.name, ends)


def test_the_same_number_gives_the_same_input(seeds, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        fuzz.make(tmp_path / name, seeds, "dicom", 5, 1)
    (first,), (second,) = (list((tmp_path / name).iterdir()) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


def meta(tmp_path: Path, change: tuple[str, str]) -> Path:
    image = sitk.Image(10, 8, 4, sitk.sitkUInt8) + 1
    sitk.WriteImage(image, str(tmp_path / "a.mha"))
    data = (tmp_path / "a.mha").read_bytes()
    found = re.sub(change[0].encode(), change[1].encode(), data, count=1)
    assert found != data
    (tmp_path / "a.mha").write_bytes(found)
    return tmp_path / "a.mha"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        # Each of these ended the process, or never ended, in the MetaIO of ITK.
        (("NDims = 3", "NDims = 65536"), "NDims is 65536"),
        (("NDims = 3", "NDims = -1"), "NDims"),
        (("Offset = [^\n]*", "NDims = 1e308 1 -10"), "NDims stands there twice"),
        (("ElementDataFile = LOCAL", "ElementDataFile\0LOCAL"), "no name and value"),
        (("TransformMatrix = 1 0 0", "TransformMatrix = inf 0 0"), "9 numbers are due"),
        (("TransformMatrix = 1 0 0", "TransformMatrix = 1e308 0 0"), "9 numbers are due"),
        (("DimSize = 10 8 4", "DimSize = 10 8 40000000"), "truncated"),
        (("DimSize = 10 8 4", "DimSize = 10 8 0"), "DimSize"),
        (("ElementType = MET_UCHAR", "ElementType = MET_ASCII_CHAR"), "ElementType"),
    ],
)
def test_damaged_meta_headers(tmp_path, change, says):
    path = meta(tmp_path, change)
    for read in (io.load, io.load_masks, io.load_dynamic):
        with pytest.raises(InputError, match=says if read is not io.load_dynamic else None):
            read(path)
    (report,) = io.info(path)
    assert report.problems


@pytest.mark.parametrize("suffix", [".mha", ".mhd"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("kind", [sitk.sitkInt16, sitk.sitkFloat64, sitk.sitkUInt8])
def test_sound_meta_images_are_read(tmp_path, suffix, compressed, kind):
    values = np.arange(4 * 8 * 10).reshape(4, 8, 10) % 200
    image = sitk.Cast(sitk.GetImageFromArray(values.astype(np.float64)), kind)
    image.SetDirection(sitk.Euler3DTransform((0, 0, 0), 0.1, -0.2, 0.3).GetMatrix())
    sitk.WriteImage(image, str(tmp_path / f"a{suffix}"), useCompression=compressed)
    assert np.array_equal(io.load(tmp_path / f"a{suffix}").array, values)


def test_a_zipped_nifti_is_not_unpacked_beyond_its_voxels(tmp_path, monkeypatch):
    """Gigabytes of zeros pack into a megabyte; the check of the length stops where the header's voxels end."""
    image = sitk.Image(10, 8, 4, sitk.sitkUInt8) + 1
    sitk.WriteImage(image, str(tmp_path / "a.nii"))
    with gzip.open(tmp_path / "a.nii.gz", "wb", compresslevel=1) as stream:
        stream.write((tmp_path / "a.nii").read_bytes())
        for _ in range(64):
            stream.write(bytes(1 << 20))
    unpacked, whole = [], gzip.GzipFile.read

    def read(self, size=-1):
        unpacked.append(whole(self, size))
        return unpacked[-1]

    monkeypatch.setattr(gzip.GzipFile, "read", read)
    assert io.load(tmp_path / "a.nii.gz").array.sum() == 320
    assert 0 < sum(map(len, unpacked)) < 10 << 20
