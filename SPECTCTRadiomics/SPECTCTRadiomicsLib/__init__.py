"""The sections of the SPECTCTRadiomics panel, one file each. They are imported when the panel is made."""
