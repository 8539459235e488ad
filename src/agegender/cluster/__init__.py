"""The same answers by many machines: inference's batches as tasks of a Ray cluster. The only room that knows Ray."""
