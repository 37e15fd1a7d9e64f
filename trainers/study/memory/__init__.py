"""How training memory is measured (paper, section 4.3 and Fig. 10)."""
