"""Evaluate: metrics (arrays → numbers) and the experiments that need an album."""
