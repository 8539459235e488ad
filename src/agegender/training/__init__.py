"""Recipes, augmentation and the loop that trains a network. `fit.py` is the only place that compiles."""

from agegender.optional import DATA, require

require("pandas", DATA)
