"""Health checks: small functions that check one thing each and report what is wrong, why it matters and how to fix it."""
