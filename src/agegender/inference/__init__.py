"""Photographs in, faces with ages out: one path without Keras, used by Python, the command line and everything else."""
