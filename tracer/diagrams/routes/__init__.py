"""The paths style: the routes by which a gradient comes to one value."""
