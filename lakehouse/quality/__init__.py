"""What is wrong, and why: truths between tables, conservation, conformance to contracts."""
