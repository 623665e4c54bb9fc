"""The layered drawing of a graph: layers, the order within them, rows, and tracks for the wires; in abstract units."""
