"""Does: takes what happened, has it decided, recorded, published and performed, in this order."""
