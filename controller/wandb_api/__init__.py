"""W&B's wire: the real, unmodified `wandb` client works against the controller.

An adapter only. It turns requests into our events, commands and queries and their replies into what the
client expects; whatever it must remember is in the World or can be forgotten. It meets the controller
through the same door as everybody else and knows neither core nor store.

Source: what the client sends and needs was measured with releases 0.17.9 to 0.31.0.
"""
