"""Scripts to start from: `gradstep new` copies them, and each of them runs as it stands."""
