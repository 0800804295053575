"""What a run costs, measured as ratios in one process; never a test."""
