"""CKAN's own tests of actions and rights, run over HTTPS against a live service: `python -m tests.contract.ckan_suite`."""
