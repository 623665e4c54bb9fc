"""Pictures of the screen: what a person sees, as text, as an SVG, and as an SVG that plays.

Nothing here draws the debugger: a real screen runs without a terminal, and its cells are written down.
"""
