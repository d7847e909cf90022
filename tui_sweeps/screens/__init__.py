"""One screen each; they read the model, post messages up, and compute nothing themselves."""
