"""The showroom: the list of the gallery, the page of an entry, all its numbers, and the screen to pick from."""
