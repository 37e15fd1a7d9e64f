"""Models that ship, made again from a data set's folder."""
