"""Recurrent layers on a GPU: one kernel for all of time."""
