"""Actions and their rights."""
