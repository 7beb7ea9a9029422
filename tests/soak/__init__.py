"""Hours of use, and bad networks; each bounded, on loopback only."""
