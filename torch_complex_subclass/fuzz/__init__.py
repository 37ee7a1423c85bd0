"""Random complex programs: generated, compared with eager, and minimised where they fail."""
