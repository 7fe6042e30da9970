"""``python -m pursuhint`` is the ``pursuhint`` command."""

from pursuhint.cli import main

if __name__ == "__main__":
    main()
