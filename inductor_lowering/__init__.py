"""Custom ops at the edges of complex memory, their lowerings, and the hooks into Inductor.

See README.md in this folder. Nothing here is imported before `enable()`, and importing it changes
nothing: `hooks` alone edits Inductor's tables.
"""

if __name__ != "torch_complex_subclass.inductor_lowering":
    raise ImportError("import torch_complex_subclass.inductor_lowering, not the folder itself")
