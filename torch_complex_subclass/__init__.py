"""Complex tensors as first-class citizens under `torch.compile`.

Importing changes nothing in torch but one entry: `ComplexTensor` joins the classes that
`torch.load(weights_only=True)` may rebuild.
"""

from torch_complex_subclass import config as config
from torch_complex_subclass.autocast import autocast as autocast
from torch_complex_subclass.backend import disable as disable
from torch_complex_subclass.backend import enable as enable
from torch_complex_subclass.backend import enabled as enabled
from torch_complex_subclass.backend import is_enabled as is_enabled
from torch_complex_subclass.bfloat16_parts import dtype_of as dtype_of
from torch_complex_subclass.conversion import to_bcomplex32 as to_bcomplex32
from torch_complex_subclass.dtypes import bcomplex32 as bcomplex32
from torch_complex_subclass.explain import Explanation as Explanation
from torch_complex_subclass.explain import explain as explain
from torch_complex_subclass.factories import empty as empty
from torch_complex_subclass.factories import empty_like as empty_like
from torch_complex_subclass.factories import full as full
from torch_complex_subclass.factories import full_like as full_like
from torch_complex_subclass.factories import ones as ones
from torch_complex_subclass.factories import ones_like as ones_like
from torch_complex_subclass.factories import randn as randn
from torch_complex_subclass.factories import randn_like as randn_like
from torch_complex_subclass.factories import zeros as zeros
from torch_complex_subclass.factories import zeros_like as zeros_like
from torch_complex_subclass.modules import module_to as module_to
from torch_complex_subclass.modules import pack_state_dict as pack_state_dict
from torch_complex_subclass.modules import unpack_state_dict as unpack_state_dict
from torch_complex_subclass.tensor import ComplexTensor as ComplexTensor
from torch_complex_subclass.torch_compat import allow_in_weights_only_load

allow_in_weights_only_load(ComplexTensor)
del allow_in_weights_only_load
