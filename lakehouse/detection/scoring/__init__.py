"""How good detection is: what was found against what was planted. Only this reads the truth."""
