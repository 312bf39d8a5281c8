"""The parts of the set-up, one file each."""
