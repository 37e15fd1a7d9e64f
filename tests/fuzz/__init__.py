"""Damaged files of every format that the project reads: each is refused in one sentence, or read as what it says."""
