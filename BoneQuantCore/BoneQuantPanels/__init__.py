"""What the panels of the BoneQuant modules share, with Qt; one idea per file. Import it inside functions:

- ``work``: long work with a progress bar and a Cancel button, errors shown to the user
- ``views``: tables, plots, layouts, fused images in Slicer's views
- ``fusion``: the slider that blends two images
- ``quality_light``: a coloured word about a registration
- ``facts_form``: acquisition facts found with a node, or typed
- ``settings_form``: a form made from a job's Settings, its values kept as JSON
- ``segment_editor``: Slicer's segment editor inside a panel
- ``results``: the results folder, and the report in the browser
- ``wording``: ways out named as in a panel, not as options of the command line
"""
