"""One file and one class for each kind of problem."""
