"""Old and new releases of the clients, each in an environment of its own, against a live service.

``python -m tests.contract.matrix`` runs all of `versions` and writes docs/clients.md; the soak tests run the oldest and newest of each.
"""
