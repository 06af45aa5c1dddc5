"""`python -m cartolina` is the command `cartolina`."""

from cartolina.cli import main

if __name__ == "__main__":
    main()
