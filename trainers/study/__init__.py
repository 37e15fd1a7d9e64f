"""What reproduces the paper: jobs, sweeps, tables, measurements."""
