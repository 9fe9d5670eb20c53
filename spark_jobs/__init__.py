"""Spark jobs: DataFrame -> DataFrame functions, and a thin main per layer."""
