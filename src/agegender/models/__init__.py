"""The two networks and the contract of their files. Sees neither data nor metrics."""
