"""Compressed and unusual encodings give the same voxels; damaged bytes end in a result or a BoneQuantError."""

from __future__ import annotations

import contextlib
import random

import bonequant.io as io
import numpy as np
import pydicom
import pytest
from bonequant.errors import BoneQuantError
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGLSLossless, RLELossless

STORED = np.random.default_rng(9).integers(0, 4000, (3, 16, 20)).astype(np.uint16)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_compressed_frames(write_nm, tmp_path, syntax):
    dataset = pydicom.dcmread(write_nm(STORED, step=-3.0, RescaleSlope=2, RescaleIntercept=5))
    if not hasattr(pydicom, "pixels") or (syntax == JPEGLSLossless and not _can_write_jpeg_ls()):
        pytest.skip("this pydicom cannot write the syntax (reading is tested by the real PET/CT)")
    dataset.compress(syntax)
    dataset.save_as(tmp_path / "compressed.dcm")
    # GDCM would rescale NM by rules of its own; the values must be the file's.
    assert np.array_equal(io.load(tmp_path / "compressed.dcm").array, STORED[::-1] * 2.0 + 5)


def _can_write_jpeg_ls() -> bool:
    try:
        import jpeg_ls  # noqa: F401
    except ImportError:
        return False
    return True


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_other_encodings(write_nm, tmp_path, syntax):
    dataset = pydicom.dcmread(write_nm(STORED))
    dataset.file_meta.TransferSyntaxUID = syntax
    if int(pydicom.__version__.split(".")[0]) < 3:
        dataset.is_implicit_VR = syntax.is_implicit_VR
    pydicom.dcmwrite(tmp_path / "other", dataset)
    assert np.array_equal(io.load(tmp_path / "other").array, STORED)


def test_file_without_preamble(write_nm, tmp_path):
    whole = write_nm(STORED).read_bytes()
    # Old exports hold the data set alone; it starts with ImageType, the first attribute of this one.
    (tmp_path / "bare").write_bytes(whole[whole.index(b"\x08\x00\x08\x00CS") :])
    assert np.array_equal(io.load(tmp_path / "bare").array, STORED)


def test_mutated_files_end_in_a_result_or_a_clear_error(write_nm, write_slices, tmp_path):
    chance = random.Random(20)
    seeds = [write_nm(STORED).read_bytes(), (write_slices(STORED) / "IM0001").read_bytes()]
    path = tmp_path / "mutated"
    for _ in range(300):
        data = bytearray(chance.choice(seeds))
        if chance.random() < 0.3:
            data = data[: chance.randrange(len(data))]
        for _ in range(chance.choice([0, 1, 3, 20])):
            if data:
                data[chance.randrange(min(len(data), 1500))] = chance.randrange(256)
        path.write_bytes(data)
        for read in (io.load, io.info, io.load_masks):
            with contextlib.suppress(BoneQuantError):
                read(path)
