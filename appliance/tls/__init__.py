"""The server's TLS certificate and the TLS context that serves it."""
