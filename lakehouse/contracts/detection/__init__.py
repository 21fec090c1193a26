"""What detectors say, and how good they are."""
