"""Where things live and which numbers may be turned; read from the environment at the edge only."""
