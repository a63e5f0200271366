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
from bonequant.registration import load_transform
from bonequant.settings import put_text
from bonequant.spect.protocol import ProtocolRecord
from bonequant.studies.marrow_perfusion import MarrowSettings
from bonequant.volume import acquisition_from_json

from benchmarks import fuzz, fuzz_seeds, fuzz_tables


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


def test_a_transform_with_bytes_that_are_no_text(tmp_path):
    """ITK quotes them in its message, which Python could not decode."""
    (tmp_path / "a.tfm").write_bytes(fuzz_tables.TRANSFORM.encode().replace(b"Parameters: 1", b"Parameters: \x88", 1))
    with pytest.raises(InputError, match="not a transform"):
        load_transform(tmp_path / "a.tfm")


@pytest.mark.parametrize("filling", [b"9", b"("])
@pytest.mark.parametrize("field", ["sizes: 10 8 4", "space directions: (1,0,0)", "dimension: 3", "encoding: raw"])
def test_a_field_of_thousands_of_characters_in_a_nrrd_header(tmp_path, field, filling):
    """It ended the process in NrrdIO."""
    image = sitk.Image(10, 8, 4, sitk.sitkUInt8) + 1
    sitk.WriteImage(image, str(tmp_path / "a.nrrd"))
    data = (tmp_path / "a.nrrd").read_bytes()
    damaged = data.replace(field.encode(), field[:-2].encode() + filling * 5000 + field[-2:].encode())
    assert damaged != data
    (tmp_path / "a.nrrd").write_bytes(damaged)
    for read in (io.load, io.load_masks, io.load_dynamic):
        with pytest.raises(InputError):
            read(tmp_path / "a.nrrd")
    assert io.info(tmp_path / "a.nrrd")[0].problems
    (tmp_path / "a.nrrd").write_bytes(data.replace(b"dimension:", b"content: " + b"x" * 5000 + b"\ndimension:"))
    assert io.load(tmp_path / "a.nrrd").array.sum() == 320


@pytest.mark.parametrize("change", [('"sd": 0.5', '"sd": 0'), ("1.1", "0.0"), ('"sd": 0.5', '"sd": "a"')])
def test_a_model_without_spread_is_refused_though_its_hash_fits(tmp_path, change):
    fuzz_tables.write_model(tmp_path)
    path = tmp_path / "centres.json"
    text = path.read_text().replace(*change)
    assert text != path.read_text()
    path.write_text(text)
    forge = fuzz_seeds.READERS["model"][1]
    with pytest.raises(InputError, match=r"above 0|complete"):
        forge(path)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "9" * 5000, "\ud800"])
def test_json_beyond_all_depth_and_length(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text, errors="surrogatepass")
    for kind in ("documents", "model"):
        for read in fuzz_seeds.READERS[kind]:
            with pytest.raises(BoneQuantError):
                read(path)
    if text.isascii():
        with pytest.raises(BoneQuantError):
            MarrowSettings.from_json(text)
        with pytest.raises(BoneQuantError):
            acquisition_from_json(text, "a")
        with pytest.raises(BoneQuantError):
            ProtocolRecord.from_json(text)
        values: dict[str, object] = {}
        put_text(values, "name", text, "--set")  # as plain text
        assert values == {"name": text}


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
