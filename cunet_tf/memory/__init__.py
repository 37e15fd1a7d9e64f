"""Training memory: recomputation, compressed storage, and how both are measured."""
