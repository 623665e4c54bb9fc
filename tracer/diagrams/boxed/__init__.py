"""The styles of boxes: cards and the outline, with scopes folded and neighbourhoods cut out."""
