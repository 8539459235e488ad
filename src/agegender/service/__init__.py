"""HTTP over inference: photographs in, faces with ages out, within limits. Needs `agegender[serve]`; never Keras."""
