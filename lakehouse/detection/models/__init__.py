"""Learned scores beside the rules: trained on past days, kept and applied as plain numbers."""
