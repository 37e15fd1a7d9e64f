"""Binary, ternary and few-bit arithmetic that trains (paper, section 3.5)."""
