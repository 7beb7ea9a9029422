"""`dcserv`: the API through which dclab, DCscope and Shape-Out open a resource over the network."""
