"""Authorization and authentication: policy, credentials, secrets, signatures, limits."""
