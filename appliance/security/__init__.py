"""Who may, and how we know who asks: policy, secrets, signatures, certificates."""
