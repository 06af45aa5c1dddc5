"""Figures: what a person looks at, drawn from values."""
