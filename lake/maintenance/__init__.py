"""What keeps a lake small and tidy without anybody looking."""
