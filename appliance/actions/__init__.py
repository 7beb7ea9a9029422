"""The domain's verbs, used alike by the API, the pages and the command line.

Each verb asks the policy, checks the values, writes through the store and leaves an audit entry, in one transaction.
"""
