"""Training for a given time under Keras' JAX backend."""
