"""Schema steps, one module each, named mNNNN_what.py with a function `upgrade(conn)`."""
