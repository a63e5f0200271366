"""What one series on disk is: its kind, how it is named in lists and messages, and how a caller may name it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

IMAGE_SUFFIXES = (".nii.gz", ".nrrd", ".nhdr", ".nii", ".mha", ".mhd")


@dataclass(frozen=True)
class SeriesInfo:
    """One series, or one object of its own, as found on disk.

    Attributes:
        kind: "slices", "multi-frame", "nuclear medicine", "structure set", "segmentation", "image file", "picture"
            (colour, screenshots), "other" or "damaged".
        modality: "CT", "MR", "PT", "NM", "OT"; "" for what is no image.
        part: what sets it apart from other parts of the same SeriesInstanceUID, "" where it is whole.
        n_slices: distinct slice positions, or frames of a multi-frame object.
        n_phases: how often each position occurs: 1 for a volume, 0 where positions repeat unequally.
        files: sorted paths.
        n_copies: further files that hold an instance once more; they are left aside.
    """

    kind: str
    modality: str
    description: str
    number: int | None
    series_uid: str
    study_uid: str
    patient_id: str
    frame_of_reference_uid: str
    instance_uid: str
    part: str
    n_slices: int
    n_phases: int
    rows: int
    columns: int
    localizer: bool
    files: tuple[Path, ...]
    n_copies: int = 0

    @property
    def label(self) -> str:
        """One line for lists and messages, without patient identifiers."""
        name = f'"{self.description}"' if self.description else "without description"
        origin = self.modality or ("" if self.kind == "image file" else "DICOM")
        parts = [f"{origin} {self.kind} {name}".strip()]
        if self.part:
            parts.append(self.part)
        if self.number is not None:
            parts.append(f"series {self.number}")
        if self.kind == "slices":
            phases = f"{self.n_phases} phases x " if self.n_phases > 1 else ""
            parts.append(f"{phases}{self.n_slices} slice{'s' * (self.n_slices != 1)}")
        elif self.kind in ("multi-frame", "nuclear medicine"):
            parts.append(f"{self.n_slices} frames")
        if len(self.files) == 1:
            parts.append(f"file {self.files[0].name}")
        if self.series_uid:
            parts.append(f"UID ...{self.series_uid[-8:]}")
        return ", ".join(parts)

    def matches(self, wanted: str | int) -> bool:
        """Does ``wanted`` name this series: UID or its end, number, description, part, or file name?"""
        asked = str(wanted).strip()
        if not asked:
            return False
        uids = (self.series_uid, self.instance_uid)
        names = (self.description.casefold(), self.part.casefold(), *(path.name.casefold() for path in self.files[:1]))
        number_matches = self.number is not None and asked == str(self.number)
        return (
            number_matches
            or asked.casefold() in names
            or any(uid and (uid == asked or (len(asked) >= 4 and uid.endswith(asked.lstrip(".")))) for uid in uids)
        )


def image_suffix(path: Path) -> str:
    """The suffix of a plain image file (".nii.gz" whole), "" for anything else."""
    name = path.name.lower()
    return next((suffix for suffix in IMAGE_SUFFIXES if name.endswith(suffix)), "")


def stem(path: Path) -> str:
    """File name without its image suffix, ".seg" included."""
    name = path.name[: len(path.name) - len(image_suffix(path))] if image_suffix(path) else path.stem
    return name[:-4] if name.lower().endswith(".seg") else name
