"""Other DCORs: reading what they hold (`dcor pull`), publishing there (`dcor push`). What they say is checked like any other input from outside."""
