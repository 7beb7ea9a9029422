"""Health checks: small functions that look at one thing each and say what is wrong, why it matters and how to mend it."""
