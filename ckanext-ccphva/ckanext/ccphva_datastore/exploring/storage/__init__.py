"""The rooms of the explorer that speak SQL."""
