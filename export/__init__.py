"""From a trained Keras model to files that phones run."""
