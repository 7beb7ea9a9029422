"""The archive: originals in object storage (S3), read through, recalled, and moved out by policy.

A file leaves this machine in this order: row `sending` → upload → read back and compared (sha256) → row `stored` → local file removed.
It comes back in this order: download to a part → sha256 → in its place, durably → row `recalled` → much later the object is deleted.
Rows are written in transactions that survive a power cut. Whatever is interrupted, one verified copy remains, and the next run finishes.
"""
