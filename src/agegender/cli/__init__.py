"""The command line: one file a command. Errors become exit codes in `app.main` and nowhere else."""
