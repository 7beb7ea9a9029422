"""The domain's actions, used by the API, the pages and the command line.

Each one checks the policy, validates the values, writes through the store and adds an audit entry, in one transaction.
"""
