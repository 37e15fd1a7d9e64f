"""Packages for low-bit work beside this one, each in an environment of its own; the command is in ``__main__``."""
