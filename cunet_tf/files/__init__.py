"""Model files: what is read needs neither TensorFlow nor Keras."""
