"""What goes wrong on purpose: defects of rows, and misconduct."""
