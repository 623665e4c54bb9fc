"""From a picture to strokes on a page: by Graphviz, in limited time, or by layers of our own."""
