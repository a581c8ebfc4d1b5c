"""`python -m firmware_py`: the command line, where the `nucuoi` script is not on the path."""

from firmware_py.cli import main

if __name__ == "__main__":
    main()
