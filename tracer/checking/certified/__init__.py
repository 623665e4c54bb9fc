"""Numerical derivatives with a bound on their error: steps, extrapolation, noise, kinks, jumps, edges of domains."""
