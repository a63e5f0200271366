"""Response criteria: one pure function and one file each, lesions matched over time, burden.

Every criterion returns a :class:`Call`: category, rule that fired, flags, raw numbers, settings and warnings.
``criteria`` lists them; a new one is a new file with a ``CRITERION`` and a function of the file's name.
"""

from bonequant.response.adc_pattern import AdcPatternSettings, DwiChange, adc_pattern
from bonequant.response.bsi import BONE_WEIGHT_PERCENT, BoneScanIndex, bsi
from bonequant.response.burden import SkeletonFraction, TumourBurden, skeleton_fraction_index, tumour_burden
from bonequant.response.call import Call, Criterion
from bonequant.response.ct_typing import CtTypingSettings, NormalBone, ct_typing
from bonequant.response.dce_vp import DceScan, DceVpSettings, Radiotherapy, dce_vp
from bonequant.response.eortc import EortcScan, EortcSettings, eortc
from bonequant.response.evidence import call_from, evidence_from_dict, evidence_to_dict, unflatten
from bonequant.response.evidence_fields import EvidenceField, evidence_fields
from bonequant.response.evidence_table import EvidenceRow, calls_of, read_evidence
from bonequant.response.flare import FlareFindings, FlareSettings, flare
from bonequant.response.match_lesions import LesionLink, LesionMatches, MatchSettings, match_lesions
from bonequant.response.mda import MdaFindings, MdaSettings, mda
from bonequant.response.met_rads import MetRadsLesion, MetRadsSettings, met_rads, met_rads_lesion
from bonequant.response.morphology import morphology
from bonequant.response.oligometastatic import OligometastaticSettings, oligometastatic
from bonequant.response.patient import patient_level
from bonequant.response.pcwg3 import BoneScan, Pcwg3Settings, pcwg3
from bonequant.response.percist import PercistScan, PercistSettings, PetLesion, percist
from bonequant.response.promise import PromiseSettings, PsmaReferences, promise
from bonequant.response.recip import RecipSettings, recip
from bonequant.response.recist11 import Recist11Settings, Recist11Visit, recist11
from bonequant.response.recist11_targets import Recist11Target, why_not_measurable
from bonequant.response.registry import criteria, function_of
from bonequant.response.sdtm import LesionPlace, Visit, sdtm
from bonequant.response.spino import SpinoMri, SpinoSettings, spino
from bonequant.response.track_lesions import LesionTrack, LesionTracks, track_lesions

__all__ = [
    "BONE_WEIGHT_PERCENT",
    "AdcPatternSettings",
    "BoneScan",
    "BoneScanIndex",
    "Call",
    "Criterion",
    "CtTypingSettings",
    "DceScan",
    "DceVpSettings",
    "DwiChange",
    "EortcScan",
    "EortcSettings",
    "EvidenceField",
    "EvidenceRow",
    "FlareFindings",
    "FlareSettings",
    "LesionLink",
    "LesionMatches",
    "LesionPlace",
    "LesionTrack",
    "LesionTracks",
    "MatchSettings",
    "MdaFindings",
    "MdaSettings",
    "MetRadsLesion",
    "MetRadsSettings",
    "NormalBone",
    "OligometastaticSettings",
    "Pcwg3Settings",
    "PercistScan",
    "PercistSettings",
    "PetLesion",
    "PromiseSettings",
    "PsmaReferences",
    "Radiotherapy",
    "RecipSettings",
    "Recist11Settings",
    "Recist11Target",
    "Recist11Visit",
    "SkeletonFraction",
    "SpinoMri",
    "SpinoSettings",
    "TumourBurden",
    "Visit",
    "adc_pattern",
    "bsi",
    "call_from",
    "calls_of",
    "criteria",
    "ct_typing",
    "dce_vp",
    "eortc",
    "evidence_fields",
    "evidence_from_dict",
    "evidence_to_dict",
    "flare",
    "function_of",
    "match_lesions",
    "mda",
    "met_rads",
    "met_rads_lesion",
    "morphology",
    "oligometastatic",
    "patient_level",
    "pcwg3",
    "percist",
    "promise",
    "read_evidence",
    "recip",
    "recist11",
    "sdtm",
    "skeleton_fraction_index",
    "spino",
    "track_lesions",
    "tumour_burden",
    "unflatten",
    "why_not_measurable",
]
