"""Rules that find fraud, tampering and harm, and what scores them."""
