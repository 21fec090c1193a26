"""`python -m lakehouse` is the command `lakehouse`."""

from lakehouse.cli import main

if __name__ == "__main__":
    main()
