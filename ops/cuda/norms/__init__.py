"""Normalisation by columns and by rows on a GPU."""
