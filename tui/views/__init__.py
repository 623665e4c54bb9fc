"""What each pane says at a position: pure functions of a scene, tested without a terminal."""
