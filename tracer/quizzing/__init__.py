"""Questions about a trace: drawn by lot along its timeline, judged, explained by the verifier's diagnosis, printed."""
