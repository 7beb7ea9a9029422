"""`dcserv`: what dclab, DCscope and Shape-Out ask for when they open a resource over the network."""
