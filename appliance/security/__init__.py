"""Who may do what, and who asks: policy, credentials, secrets, signatures, limits."""
