"""Stored pixel values of one DICOM file, as frames (n, rows, columns), before any rescaling.

Uncompressed data are read by pydicom. Compressed ones are decoded by GDCM through SimpleITK; because GDCM rescales by
rules of its own that differ between SOP classes, it is given a bare copy without rescale attributes. Where GDCM cannot,
pydicom's optional decoders are tried. RLE is left to pydicom alone.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, RLELossless, generate_uid

from bonequant.errors import InputError, MissingDependencyError
from bonequant.io.dicom_header import integer
from bonequant.io.dicom_kind import is_colour

_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_DESCRIPTION = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
)
_SECONDARY_CAPTURE = UID("1.2.840.10008.5.1.4.1.1.7")


def read_frames(path: Path) -> np.ndarray:
    """Stored values (n, rows, columns) of a grey-scale file.

    Raises InputError for a file without pixels, with colour, or that ends early.
    """
    dataset = pydicom.dcmread(path, force=True)
    if is_colour(dataset):
        raise InputError(f"{path} is a colour picture, not a measurement: a screenshot or a report page?")
    if not any(name in dataset for name in _PIXELS):
        raise InputError(f"{path} holds no pixel data: the file is truncated, or is no image.")
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    if syntax is None:
        syntax = ExplicitVRLittleEndian if not dataset.is_implicit_VR else pydicom.uid.ImplicitVRLittleEndian
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = syntax
    frames = _decompress(path, dataset, syntax) if syntax.is_compressed else _plain(path, dataset)
    return frames.reshape(-1, *frames.shape[-2:])


def _plain(path: Path, dataset: Dataset) -> np.ndarray:
    name = next(name for name in _PIXELS if name in dataset)
    rows, columns, bits = (integer(dataset, keyword) or 0 for keyword in ("Rows", "Columns", "BitsAllocated"))
    frames = integer(dataset, "NumberOfFrames") or 1
    due = (frames * rows * columns * bits + 7) // 8
    found = len(dataset[name].value or b"")
    if found < due or due == 0:
        raise InputError(
            f"{path} is truncated: {due} bytes of pixels are due ({frames} x {rows} x {columns}), {found} are there."
        )
    return dataset.pixel_array


def _decompress(path: Path, dataset: Dataset, syntax: UID) -> np.ndarray:
    frames = integer(dataset, "NumberOfFrames") or 1
    shape = (frames, integer(dataset, "Rows") or 0, integer(dataset, "Columns") or 0)
    if (
        syntax == RLELossless
    ):  # pydicom decodes it by itself; GDCM asks for gigabytes where a segment's length is damaged
        return _decompress_by_pydicom(path, dataset, syntax, shape, None)
    with tempfile.TemporaryDirectory(prefix="bonequant-") as folder:
        copy = Path(folder) / "pixels.dcm"
        try:
            _write_bare(dataset, syntax, copy)
            found = sitk.GetArrayFromImage(sitk.ReadImage(str(copy), imageIO="GDCMImageIO"))
        except (RuntimeError, ValueError) as error:
            return _decompress_by_pydicom(path, dataset, syntax, shape, error)
    if found.size != np.prod(shape):
        raise InputError(f"{path} is truncated: {shape} pixels are due, {found.shape} could be decoded.")
    return found.reshape(shape)


def _decompress_by_pydicom(
    path: Path, dataset: Dataset, syntax: UID, shape: tuple[int, ...], why: Exception | None
) -> np.ndarray:
    try:
        return dataset.pixel_array.reshape(shape)
    except NotImplementedError as error:
        raise MissingDependencyError(
            f"{path} is compressed as {syntax.name}, which SimpleITK cannot decode. "
            "Install a decoder: pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg pyjpegls."
        ) from error
    except (RuntimeError, ValueError, EOFError, AttributeError) as error:
        if "plugin" in str(error) or "missing" in str(error):
            raise MissingDependencyError(
                f"{path} is compressed as {syntax.name}; neither SimpleITK nor pydicom can decode it as it is. "
                "The file may be damaged, or a decoder missing: "
                "pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg pyjpegls."
            ) from error
        raise InputError(f"{path}: the {syntax.name} pixels are damaged or cut short.") from why


def _write_bare(dataset: Dataset, syntax: UID, target: Path) -> None:
    """A secondary capture with the same compressed pixels and nothing that GDCM would rescale by."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = _SECONDARY_CAPTURE
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = syntax
    bare = FileDataset(str(target), {}, file_meta=meta, preamble=b"\0" * 128)
    bare.SOPClassUID = _SECONDARY_CAPTURE
    bare.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    for name in _DESCRIPTION:
        if name in dataset:
            setattr(bare, name, dataset[name].value)
    bare["PixelData"] = dataset["PixelData"]
    bare["PixelData"].is_undefined_length = True
    if int(pydicom.__version__.split(".")[0]) < 3:
        bare.is_little_endian, bare.is_implicit_VR = True, False
    bare.save_as(target)
