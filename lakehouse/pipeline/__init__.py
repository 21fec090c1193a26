"""From bronze to gold: what is derived from what, for which days, and whether it was."""
