"""Every feature of the IBSI family: its class and name here, its IBSI tag and identifier.

Names of the first seven classes are pyradiomics' own, the other classes hold what IBSI defines and pyradiomics lacks.
Identifiers: IBSI reference manual v11; tags: the reference tables of the IBSI data sets. Features without an
identifier are pyradiomics' own and no part of IBSI. With dimensions "2d", "2.5d", "3d" and directions averaged or
merged the tables append _2D, _2_5D, _3D and, for co-occurrence and run lengths, _avg or _comb.
"""

from __future__ import annotations

_TABLE = {
    "shape": """
        Elongation morph_pca_elongation Q3CK
        Flatness morph_pca_flatness N17B
        LeastAxisLength morph_pca_least_axis 7J51
        MajorAxisLength morph_pca_maj_axis TDIC
        Maximum2DDiameterColumn
        Maximum2DDiameterRow
        Maximum2DDiameterSlice
        Maximum3DDiameter morph_diam L0JK
        MeshVolume morph_volume RNU0
        MinorAxisLength morph_pca_min_axis P9VJ
        Sphericity morph_sphericity QCFX
        SurfaceArea morph_area_mesh C0JK
        SurfaceVolumeRatio morph_av 2PR5
        VoxelVolume morph_vol_approx YEKZ
    """,
    "firstorder": """
        10Percentile stat_p10 QG58
        90Percentile stat_p90 8DWT
        Energy stat_energy N8CA
        Entropy ih_entropy TLU2
        InterquartileRange stat_iqr SALO
        Kurtosis stat_kurt IPH6
        Maximum stat_max 84IY
        MeanAbsoluteDeviation stat_mad 4FUA
        Mean stat_mean Q4LE
        Median stat_median Y12H
        Minimum stat_min 1GSF
        Range stat_range 2OJQ
        RobustMeanAbsoluteDeviation stat_rmad 1128
        RootMeanSquared stat_rms 5ZWQ
        Skewness stat_skew KE2A
        TotalEnergy
        Uniformity ih_uniformity BJ5W
        Variance stat_var ECT3
    """,
    "glcm": """
        Autocorrelation cm_auto_corr QWB0
        ClusterProminence cm_clust_prom AE86
        ClusterShade cm_clust_shade 7NFM
        ClusterTendency cm_clust_tend DG8W
        Contrast cm_contrast ACUI
        Correlation cm_corr NI2N
        DifferenceAverage cm_diff_avg TF7R
        DifferenceEntropy cm_diff_entr NTRS
        DifferenceVariance cm_diff_var D3YU
        Id cm_inv_diff IB1Z
        Idm cm_inv_diff_mom WF0Z
        Idmn cm_inv_diff_mom_norm 1QCO
        Idn cm_inv_diff_norm NDRX
        Imc1 cm_info_corr1 R8DG
        Imc2 cm_info_corr2 JN9H
        InverseVariance cm_inv_var E8JP
        JointAverage cm_joint_avg 60VM
        JointEnergy cm_energy 8ZQL
        JointEntropy cm_joint_entr TU9B
        MCC
        MaximumProbability cm_joint_max GYBY
        SumAverage cm_sum_avg ZGXS
        SumEntropy cm_sum_entr P6QZ
        SumSquares cm_joint_var UR99
    """,
    "glrlm": """
        GrayLevelNonUniformity rlm_glnu R5YN
        GrayLevelNonUniformityNormalized rlm_glnu_norm OVBL
        GrayLevelVariance rlm_gl_var 8CE5
        HighGrayLevelRunEmphasis rlm_hgre G3QZ
        LongRunEmphasis rlm_lre W4KF
        LongRunHighGrayLevelEmphasis rlm_lrhge 3KUM
        LongRunLowGrayLevelEmphasis rlm_lrlge IVPO
        LowGrayLevelRunEmphasis rlm_lgre V3SW
        RunEntropy rlm_rl_entr HJ9O
        RunLengthNonUniformity rlm_rlnu W92Y
        RunLengthNonUniformityNormalized rlm_rlnu_norm IC23
        RunPercentage rlm_r_perc 9ZK5
        RunVariance rlm_rl_var SXLW
        ShortRunEmphasis rlm_sre 22OV
        ShortRunHighGrayLevelEmphasis rlm_srhge GD3A
        ShortRunLowGrayLevelEmphasis rlm_srlge HTZT
    """,
    "glszm": """
        GrayLevelNonUniformity szm_glnu JNSA
        GrayLevelNonUniformityNormalized szm_glnu_norm Y1RO
        GrayLevelVariance szm_gl_var BYLV
        HighGrayLevelZoneEmphasis szm_hgze 5GN9
        LargeAreaEmphasis szm_lze 48P8
        LargeAreaHighGrayLevelEmphasis szm_lzhge J17V
        LargeAreaLowGrayLevelEmphasis szm_lzlge YH51
        LowGrayLevelZoneEmphasis szm_lgze XMSY
        SizeZoneNonUniformity szm_zsnu 4JP3
        SizeZoneNonUniformityNormalized szm_zsnu_norm VB3A
        SmallAreaEmphasis szm_sze 5QRC
        SmallAreaHighGrayLevelEmphasis szm_szhge HW1V
        SmallAreaLowGrayLevelEmphasis szm_szlge 5RAI
        ZoneEntropy szm_zs_entr GU8N
        ZonePercentage szm_z_perc P30P
        ZoneVariance szm_zs_var 3NSA
    """,
    "gldm": """
        DependenceEntropy ngl_dc_entr FCBV
        DependenceNonUniformity ngl_dcnu Z87G
        DependenceNonUniformityNormalized ngl_dcnu_norm OKJI
        DependenceVariance ngl_dc_var DNX2
        GrayLevelNonUniformity ngl_glnu FP8K
        GrayLevelVariance ngl_gl_var 1PFV
        HighGrayLevelEmphasis ngl_hgce OAE7
        LargeDependenceEmphasis ngl_hde IMOQ
        LargeDependenceHighGrayLevelEmphasis ngl_hdhge 9QMG
        LargeDependenceLowGrayLevelEmphasis ngl_hdlge NBZI
        LowGrayLevelEmphasis ngl_lgce TL9H
        SmallDependenceEmphasis ngl_lde SODN
        SmallDependenceHighGrayLevelEmphasis ngl_ldhge JA6D
        SmallDependenceLowGrayLevelEmphasis ngl_ldlge EQ3F
    """,
    "ngtdm": """
        Busyness ngt_busyness NQ30
        Coarseness ngt_coarseness QCDE
        Complexity ngt_complexity HDEZ
        Contrast ngt_contrast 65HE
        Strength ngt_strength 1X9X
    """,
    "morphology": """
        Compactness1 morph_comp_1 SKGS
        Compactness2 morph_comp_2 BQWJ
        SphericalDisproportion morph_sph_dispr KRCK
        Asphericity morph_asphericity 25C7
        CentreOfMassShift morph_com KLMA
        VolumeDensityAABB morph_vol_dens_aabb PBX1
        AreaDensityAABB morph_area_dens_aabb R59B
        VolumeDensityAEE morph_vol_dens_aee 6BDE
        AreaDensityAEE morph_area_dens_aee RDD2
        VolumeDensityConvexHull morph_vol_dens_conv_hull R3ER
        AreaDensityConvexHull morph_area_dens_conv_hull 7T7F
        IntegratedIntensity morph_integ_int 99N0
        MoranI morph_moran_i N365
        GearyC morph_geary_c NPT7
    """,
    "localintensity": """
        LocalPeak loc_peak_loc VJGA
        GlobalPeak loc_peak_glob 0F91
    """,
    "statistics": """
        MedianAbsoluteDeviation stat_medad N72L
        CoefficientOfVariation stat_cov 7TET
        QuartileCoefficientOfDispersion stat_qcod 9S40
    """,
    "histogram": """
        Mean ih_mean X6K6
        Variance ih_var CH89
        Skewness ih_skew 88K1
        Kurtosis ih_kurt C3I7
        Median ih_median WIFQ
        Minimum ih_min 1PR8
        10Percentile ih_p10 GPMT
        90Percentile ih_p90 OZ0C
        Maximum ih_max 3NCY
        InterquartileRange ih_iqr WR0O
        Range ih_range 5Z3W
        MeanAbsoluteDeviation ih_mad D2ZX
        RobustMeanAbsoluteDeviation ih_rmad WRZB
        MedianAbsoluteDeviation ih_medad 4RNL
        CoefficientOfVariation ih_cov CWYJ
        QuartileCoefficientOfDispersion ih_qcod SLWD
        Mode ih_mode AMMC
        Entropy ih_entropy TLU2
        Uniformity ih_uniformity BJ5W
        MaximumGradient ih_max_grad 12CE
        MaximumGradientLevel ih_max_grad_g 8E6O
        MinimumGradient ih_min_grad VQB3
        MinimumGradientLevel ih_min_grad_g RHQZ
    """,
    "ivh": """
        VolumeFractionAt10 ivh_v10 NK6P
        VolumeFractionAt90 ivh_v90 4279
        IntensityAt10 ivh_i10 PWN1
        IntensityAt90 ivh_i90 BOHI
        VolumeFractionDifference ivh_diff_v10_v90 WITY
        IntensityDifference ivh_diff_i10_i90 JXJA
    """,
    "gldzm": """
        SmallDistanceEmphasis dzm_sde 0GBI
        LargeDistanceEmphasis dzm_lde MB4I
        LowGrayLevelZoneEmphasis dzm_lgze S1RA
        HighGrayLevelZoneEmphasis dzm_hgze K26C
        SmallDistanceLowGrayLevelEmphasis dzm_sdlge RUVG
        SmallDistanceHighGrayLevelEmphasis dzm_sdhge DKNJ
        LargeDistanceLowGrayLevelEmphasis dzm_ldlge A7WM
        LargeDistanceHighGrayLevelEmphasis dzm_ldhge KLTH
        GrayLevelNonUniformity dzm_glnu VFT7
        GrayLevelNonUniformityNormalized dzm_glnu_norm 7HP3
        ZoneDistanceNonUniformity dzm_zdnu V294
        ZoneDistanceNonUniformityNormalized dzm_zdnu_norm IATH
        ZonePercentage dzm_z_perc VIWW
        GrayLevelVariance dzm_gl_var QK93
        ZoneDistanceVariance dzm_zd_var 7WT1
        ZoneDistanceEntropy dzm_zd_entr GBDU
    """,
    "ngldm": """
        GrayLevelNonUniformityNormalized ngl_glnu_norm 5SPA
        DependencePercentage ngl_dc_perc 6XV8
        DependenceEnergy ngl_dc_energy CAS9
    """,
}

Row = tuple[str, str, str]  # name, IBSI tag, IBSI identifier; both empty where it is not an IBSI feature

CLASSES: dict[str, tuple[Row, ...]] = {
    name: tuple((*parts, "", "")[:3] for parts in map(str.split, text.strip().splitlines()))  # type: ignore[misc]
    for name, text in _TABLE.items()
}
ONCE = ("shape", "morphology", "localintensity", "ivh")  # taken from the original image alone


def names(feature_class: str) -> tuple[str, ...]:
    """Names of a class, in the order of the result."""
    return tuple(row[0] for row in CLASSES[feature_class])


def aggregation_suffix(tag: str, dimensions: str, aggregation: str) -> str:
    """What the reference tables append to ``tag``."""
    family = tag.partition("_")[0]
    if family not in ("cm", "rlm", "szm", "dzm", "ngt", "ngl"):
        return ""
    directions = {"averaged": "_avg", "merged": "_comb"}[aggregation] if family in ("cm", "rlm") else ""
    return {"2d": "_2D", "2.5d": "_2_5D", "3d": "_3D"}[dimensions] + directions
