"""Formats of a figure: SVG, TikZ, Mermaid and characters."""
