"""How far results are from exact ones over the complex plane, ours and others'."""
