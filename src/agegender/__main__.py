"""`python -m agegender` is the `agegender` command."""

from agegender.cli.app import main

if __name__ == "__main__":
    main()
