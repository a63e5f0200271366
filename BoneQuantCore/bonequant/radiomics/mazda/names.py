"""MaZda's 279 names (9 + 5 + 20 + 220 + 5 + 20), group by group, in the order of its reports.

Source: MaZda 4.6 feature list (Szczypinski et al., Comput Methods Programs Biomed 2009;94:66).
"""

from __future__ import annotations

HISTOGRAM = (
    *("Mean", "Variance", "Skewness", "Kurtosis"),
    *("Perc.01%", "Perc.10%", "Perc.50%", "Perc.90%", "Perc.99%"),
)
GRADIENT = ("GrMean", "GrVariance", "GrSkewness", "GrKurtosis", "GrNonZeros")
RUN_FEATURES = ("RLNonUni", "GLevNonU", "LngREmph", "ShrtREmp", "Fraction")
RUN_DIRECTIONS = {"Horzl": (1, 0), "Vertl": (0, 1), "45dgr": (1, -1), "135dr": (1, 1)}  # (x, y), y downwards
PAIR_FEATURES = (
    *("AngScMom", "Contrast", "Correlat", "SumOfSqs", "InvDfMom", "SumAverg"),
    *("SumVarnc", "SumEntrp", "Entropy", "DifVarnc", "DifEntrp"),
)
DISTANCES = (1, 2, 3, 4, 5)
OFFSETS = tuple(offset for d in DISTANCES for offset in ((d, 0), (0, d), (d, d), (d, -d)))  # (x, y), y downwards
AUTOREGRESSIVE = ("Teta1", "Teta2", "Teta3", "Teta4", "Sigma")
SCALES = (1, 2, 3, 4, 5)
BANDS = ("LL", "LH", "HL", "HH")  # first letter: filter along x, second: along y

RUN_LENGTH = tuple(f"{direction}_{name}" for direction in RUN_DIRECTIONS for name in RUN_FEATURES)
CO_OCCURRENCE = tuple(f"S({x},{y}){name}" for x, y in OFFSETS for name in PAIR_FEATURES)
HAAR = tuple(f"WavEn{band}_s-{scale}" for scale in SCALES for band in BANDS)

GROUPS = {
    "histogram": HISTOGRAM,
    "gradient": GRADIENT,
    "run length": RUN_LENGTH,
    "co-occurrence": CO_OCCURRENCE,
    "autoregressive": AUTOREGRESSIVE,
    "Haar wavelet": HAAR,
}
NAMES = tuple(name for names in GROUPS.values() for name in names)
