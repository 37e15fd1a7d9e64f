"""An independent reference: TensorFlow Model Optimization, in a process of its own."""
