"""What is looked at: one function a signal, found where it stands."""
