"""Mends a wrong line by one small change: the change that makes its gradient right names the cause."""
