"""Training a network of the gallery: on a screen that shows it learn, or line by line without one."""
