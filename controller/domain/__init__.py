"""The words: values, states, events, commands, changes and the World."""
