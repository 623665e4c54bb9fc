"""A derivation carried out on the numbers of a trace: statements, time steps, and a record of each assignment."""
