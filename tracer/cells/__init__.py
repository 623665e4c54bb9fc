"""The drawing of a trace in character cells: what each box says at a position, and the cells that show it.

The terminal's graph pane and the plain-text figure are both painted here; neither colours nor screens are known.
"""
