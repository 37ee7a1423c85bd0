"""How fast complex programs are: ours beside eager, stock torch.compile, hand-written code, JAX."""
