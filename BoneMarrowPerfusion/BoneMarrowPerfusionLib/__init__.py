"""The tabs of the BoneMarrowPerfusion panel, one file each. They are imported when the panel is made."""
