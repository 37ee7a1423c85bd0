"""Complex tensors as first-class citizens under `torch.compile`.

Importing changes nothing in torch but one entry: `ComplexTensor` joins the classes that
`torch.load(weights_only=True)` may rebuild.
"""

from torch_complex_subclass.backend import disable as disable
from torch_complex_subclass.backend import enable as enable
from torch_complex_subclass.backend import enabled as enabled
from torch_complex_subclass.backend import is_enabled as is_enabled
from torch_complex_subclass.explain import Explanation as Explanation
from torch_complex_subclass.explain import explain as explain
from torch_complex_subclass.tensor import ComplexTensor as ComplexTensor
from torch_complex_subclass.torch_compat import allow_in_weights_only_load

allow_in_weights_only_load(ComplexTensor)
del allow_in_weights_only_load
