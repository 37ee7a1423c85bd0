"""Parts of the handwritten digits example; examples/digits.py is the place to start."""
