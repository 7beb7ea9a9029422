"""The actions of the domain, used by the API, the pages and the command line.

Each one asks the policy, checks the values, writes through the store and leaves an audit entry, in one transaction.
"""
