"""What an attacker tries against a running appliance, one module for each kind of attack."""
