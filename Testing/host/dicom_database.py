"""Stand-in for ``slicer.dicomDatabase``: the files that a test adds, found by SOP instance UID, and their tags."""

from __future__ import annotations

from pathlib import Path


class DicomDatabase:
    """A volume node that Slicer loaded from DICOM names its instances in the attribute "DICOM.instanceUIDs"."""

    def __init__(self) -> None:
        self._files: dict[str, Path] = {}
        self._series: dict[str, list[str]] = {}

    def add(self, path: Path) -> str:
        """Host only: know this file; its SOP instance UID."""
        import pydicom

        header = pydicom.dcmread(path, stop_before_pixels=True)
        uid = str(header.SOPInstanceUID)
        if uid not in self._files:
            self._series.setdefault(str(header.SeriesInstanceUID), []).append(uid)
        self._files[uid] = Path(path)
        return uid

    @property
    def isOpen(self) -> bool:
        return True

    def fileForInstance(self, uid: str) -> str:
        return str(self._files[uid]) if uid in self._files else ""

    def instancesForSeries(self, series_uid: str) -> list[str]:
        return list(self._series.get(series_uid, []))

    def filesForSeries(self, series_uid: str) -> list[str]:
        return [self.fileForInstance(uid) for uid in self.instancesForSeries(series_uid)]

    def instanceValue(self, uid: str, tag: str) -> str:
        return self.fileValue(self.fileForInstance(uid), tag)

    def fileValue(self, path: str, tag: str) -> str:
        """The text of a tag given as "0010,1030"; "" where the file has none."""
        import pydicom

        group, element = (int(part, 16) for part in tag.split(","))
        header = pydicom.dcmread(path, stop_before_pixels=True)
        found = header.get((group, element))
        return "" if found is None or found.value is None else str(found.value)
