"""What a trained model's description says about itself: how far to trust it, and how detectors' boxes fit it."""
