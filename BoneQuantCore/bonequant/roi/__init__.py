"""Regions: found on CT, carried to other grids, measured where they were drawn."""

from bonequant.roi.anatomy import Anatomy, anatomical_regions
from bonequant.roi.diameters import Bidimensional, bidimensional, extents
from bonequant.roi.healthy_vertebra import HealthyVertebra, propose_healthy_vertebra
from bonequant.roi.lesions import LesionCandidate, lesion_candidates
from bonequant.roi.levels import name_levels
from bonequant.roi.lungs import lungs
from bonequant.roi.measure import measure, measure_many
from bonequant.roi.measurement import RoiMeasurement
from bonequant.roi.merge import merge_user_regions
from bonequant.roi.peak import suv_peak
from bonequant.roi.propagate import propagate
from bonequant.roi.red_marrow import RedMarrow, red_marrow
from bonequant.roi.reference import Reference, reference_regions
from bonequant.roi.skeleton import Skeleton, SkeletonSettings, segment_skeleton, skeleton
from bonequant.roi.time_curves import RegionCurve, region_curves
from bonequant.roi.totalsegmentator import TOTAL_CLASSES, is_totalsegmentator, regions_of_totalsegmentator
from bonequant.roi.vertebrae import Vertebrae, vertebrae

__all__ = [
    "TOTAL_CLASSES",
    "Anatomy",
    "Bidimensional",
    "HealthyVertebra",
    "LesionCandidate",
    "RedMarrow",
    "Reference",
    "RegionCurve",
    "RoiMeasurement",
    "Skeleton",
    "SkeletonSettings",
    "Vertebrae",
    "anatomical_regions",
    "bidimensional",
    "extents",
    "is_totalsegmentator",
    "lesion_candidates",
    "lungs",
    "measure",
    "measure_many",
    "merge_user_regions",
    "name_levels",
    "propagate",
    "propose_healthy_vertebra",
    "red_marrow",
    "reference_regions",
    "region_curves",
    "regions_of_totalsegmentator",
    "segment_skeleton",
    "skeleton",
    "suv_peak",
    "vertebrae",
]
