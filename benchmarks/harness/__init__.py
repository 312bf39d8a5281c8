"""Stacks, load and stores of their own, which benchmarks and tests drive."""
