"""Data: sources, geometry, augmentation, batches."""
