"""Face landmark peers beside this project's file, on the same pictures; the command is in ``__main__``."""
