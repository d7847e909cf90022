"""Charts: pure renderables, numbers and a size in, text lines out. Imported on first use only."""
