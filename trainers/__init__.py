"""Training: recipes, runs, and the one function that fits."""
