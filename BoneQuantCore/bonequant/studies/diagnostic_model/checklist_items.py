"""Items of METRICS and CLEAR in our own words, with their numbers.

METRICS: Kocak et al., Insights Imaging 2024;15:8 (30 items). CLEAR: Kocak et al., Insights Imaging 2023;14:75 (58).
"""

from __future__ import annotations

METRICS: dict[str, tuple[str, ...]] = {
    "Study design": (
        "A reporting guideline was followed",
        "Who was included, and whether they stand for the patients meant",
        "What the truth is, and how good it is",
    ),
    "Imaging data": (
        "More than one centre",
        "Images as made in daily practice, by standards",
        "Acquisition and its parameters",
        "Time between imaging and the reference standard",
    ),
    "Segmentation": (
        "How lesions were outlined",
        "Automatic outlines checked (where used)",
        "Outlines of test lesions by one reader or tool, as in practice",
    ),
    "Image processing and features": (
        "Image processing fits its purpose and is described",
        "Software that follows a standard (IBSI)",
        "All extraction parameters told",
    ),
    "Feature processing": (
        "Features that do not survive redrawing left out",
        "Redundant features left out",
        "Number of features fits the number of lesions",
        "Robustness of an end-to-end deep network (where used)",
    ),
    "Before modelling": (
        "Training and test data kept apart",
        "Confounders dealt with",
    ),
    "Metrics and comparison": (
        "Measures of performance that fit the task",
        "Uncertainty of the performance",
        "Calibration",
        "One modality alone, or shown to be worse",
        "Compared with what is known without radiomics",
        "Compared with a simple, classical model",
    ),
    "Testing": (
        "Tested on unseen cases of the same institution",
        "Tested on cases of another institution",
    ),
    "Open science": (
        "Data shared",
        "Code shared",
        "Model shared",
    ),
}

CLEAR: dict[str, tuple[str, ...]] = {
    "Title, abstract, keywords": (
        "Title names the radiomic method",
        "Structured abstract",
        "Keywords of the field",
    ),
    "Introduction": (
        "Clinical background",
        "Why radiomics",
        "Aim of the study",
    ),
    "Study design": (
        "Guidelines followed",
        "Ethics, consent, data protection",
        "How the sample size came about",
        "Retrospective or prospective",
        "Who was eligible",
        "Flow chart of the technical steps",
    ),
    "Data": (
        "Where the data come from",
        "Overlap with data published before",
        "How data were divided for training and testing",
        "Imaging protocol",
        "Predictors that are not radiomic",
        "Reference standard",
    ),
    "Segmentation": (
        "How lesions were outlined",
        "Who outlined them",
    ),
    "Image processing": (
        "Steps of image processing",
        "Resampling",
        "Discretisation of grey levels",
        "Image types (original, filtered)",
    ),
    "Feature extraction": (
        "How features were extracted",
        "Feature classes",
        "Number of features",
        "Parameters left at their default",
    ),
    "Data preparation": (
        "Missing values",
        "Unequal class sizes",
        "Reliability of the outlines",
        "Scaling of features",
        "Dimension reduction",
    ),
    "Modelling": (
        "Algorithm",
        "Training and tuning",
        "Confounders",
        "How the model was chosen",
    ),
    "Evaluation": (
        "Internal or external testing",
        "Measures of performance, and why these",
        "Uncertainty",
        "Statistical comparison of models",
        "Comparison with non-radiomic and combined approaches",
        "How the model can be understood",
    ),
    "Results": (
        "Baseline characteristics",
        "Flow chart of eligibility",
        "Features: reproducibility and selection",
        "Performance",
        "Comparison with other approaches",
    ),
    "Discussion": (
        "Main findings",
        "Earlier work",
        "What it means in practice",
        "Strengths and limits",
    ),
    "Open science": (
        "Images and outlines shared",
        "Feature values shared",
        "Processing settings shared",
        "Modelling code shared",
        "Model files shared",
        "A system that others can use",
    ),
}
