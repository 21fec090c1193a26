"""Learned scores beside the rules: trained on past days, kept as numbers, applied without a library."""
