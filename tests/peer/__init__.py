"""Tests of `appliance.peer`: pulling from other servers."""
