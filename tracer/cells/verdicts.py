"""The signs of what was judged."""

RIGHT, WRONG, OPEN = "✓", "✗", "?"
