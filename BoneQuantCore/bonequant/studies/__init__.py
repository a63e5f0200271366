"""Studies: one job per clinical question. Each has Settings, inputs, ``run`` and a frozen Result."""
