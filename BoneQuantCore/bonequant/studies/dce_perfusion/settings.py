"""Settings of the DCE job: the same object in the panel, on the command line, in manifests and in the report."""

from __future__ import annotations

from dataclasses import dataclass

from bonequant.kinetics import MODELS, AifSettings, KineticsSettings, MotionSettings, PreprocessSettings
from bonequant.settings import Settings, setting

DESCRIPTIVE_ONLY = "none"


@dataclass(frozen=True)
class SignalSettings(Settings):
    """From the signal of a spoiled gradient echo to concentration; CT needs none of it but the baseline."""

    quantity: str = setting(
        "concentration",
        choices=("concentration", "relative"),
        help="MR: mM, or relative enhancement S/S0 - 1 where T1 is not known (amplitudes are then relative too).",
    )
    tr_ms: float | None = setting(None, unit="ms", low=0.1, high=1000, help="Repetition time, in place of the file's.")
    flip_angle_deg: float | None = setting(None, unit="deg", low=0.1, high=179, help="In place of the file's.")
    field_t: float | None = setting(None, unit="T", low=0.1, high=12, help="Field strength, in place of the file's.")
    agent: str | None = setting(None, help="Contrast agent (gadobutrol ...), in place of the file's.")
    relaxivity: float | None = setting(
        None, unit="1/(mM s)", low=0.5, high=50, help="r1 of the agent; None: by agent and field."
    )
    t1_s: float | None = setting(
        None, unit="s", low=0.05, high=10, help="T1 of all tissue before contrast, where no map is given."
    )
    blood_t1_s: float | None = setting(
        None, unit="s", low=0.05, high=10, help="T1 of blood; None: 1.44 s at 1.5 T (QIBA), 1.62 s at 3 T (Lu 2004)."
    )
    t1_map_unit: str = setting("s", choices=("s", "ms"), help="Unit of a T1 map whose file names none.")
    t1_flip_angles_deg: tuple[float, ...] = setting(
        (), unit="deg", low=0.1, high=179, help="Of the T1 volumes in their order, where their files do not say."
    )
    t1_tr_ms: float | None = setting(
        None, unit="ms", low=0.1, high=1000, help="Repetition time of the T1 volumes, in place of the files'."
    )
    b1: float = setting(1.0, low=0.2, high=3, help="Factor of the flip angle, where no B1 map is given.")
    baseline_frames: int | None = setting(
        None, low=1, help="Frames before the contrast; None: found by its arrival in the artery."
    )


@dataclass(frozen=True)
class DceSettings(Settings):
    """Settings of :func:`bonequant.studies.dce_perfusion.run`."""

    model: str = setting(
        "extended_tofts",
        choices=(*(name for name, known in MODELS.items() if known.second != "portal"), DESCRIPTIVE_ONLY),
        help="Kinetic model; none: descriptive maps alone.",
    )
    signal: SignalSettings = setting(SignalSettings)
    input: str = setting(
        "automatic",
        choices=("automatic", "parker", "georgiou", "weinmann"),
        help="Arterial input where neither a curve nor a region is given: found in the image, or of a population.",
    )
    input_is: str = setting(
        "plasma", choices=("plasma", "blood"), help="What an input curve from a file holds; blood is made plasma."
    )
    vetoed_slices: tuple[int, ...] = setting((), low=0, help="Slices (along z, from 0) that give no input.")
    delay: str = setting(
        "fit",
        choices=("fit", "voxel", "none"),
        help="Input to tissue: one delay fitted to many voxels, one in every voxel, or none.",
    )
    delay_s: float | None = setting(
        None, unit="s", low=-60, high=60, help="Delay by hand, later is positive; takes the place of the fit."
    )
    aif: AifSettings = setting(AifSettings, help="What counts as an artery; the hematocrit.")
    correct_motion: bool = setting(False, help="Bring the frames onto each other first.")
    motion: MotionSettings = setting(MotionSettings)
    preprocess: PreprocessSettings = setting(PreprocessSettings, help="Background, smoothing.")
    kinetics: KineticsSettings = setting(KineticsSettings, help="Bounds of the parameters.")
    maps_of: str = setting("body", choices=("body", "regions"), help="Fit every voxel of the body, or of the regions.")
    descriptive: bool = setting(True, help="Maps of arrival, peak, slope and area too.")
