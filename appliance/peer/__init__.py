"""Other DCORs: reading what they hold (`dcor pull`). What comes from there is checked like any other input from outside."""
