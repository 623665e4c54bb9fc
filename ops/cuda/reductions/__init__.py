"""Sums, means, extremes and scans on a GPU, in an order that shapes alone decide."""
