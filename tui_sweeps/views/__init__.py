"""From the model to what is shown: pure functions, testable without a terminal."""
