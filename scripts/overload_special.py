"""Calls of overloads whose arguments have to fit each other in ways a schema does not tell."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor


def _z(*shape: int, dtype: torch.dtype = torch.complex64) -> Tensor:
    return torch.randn(shape, dtype=dtype)


def _recurrent(gates: int, states: int) -> dict[str, Any]:
    """One layer of three inputs and four states; `states` state tensors."""
    hidden = [_z(1, 2, 4)] * states
    return {
        "input": _z(5, 2, 3),
        "hx": hidden if states > 1 else hidden[0],
        "params": [_z(4 * gates, 3), _z(4 * gates, 4), _z(4 * gates), _z(4 * gates)],
        "has_biases": True,
        "num_layers": 1,
        "dropout": 0.0,
        "train": True,
        "bidirectional": False,
        "batch_first": False,
    }


def _cell(gates: int, states: int) -> dict[str, Any]:
    hidden = [_z(2, 4)] * states
    state = hidden if states > 1 else hidden[0]
    return {"input": _z(2, 3), "hx": state, "w_ih": _z(4 * gates, 3), "w_hh": _z(4 * gates, 4)}


def _convolution(dims: int, **more: Any) -> dict[str, Any]:
    spatial = [4] * dims
    return {
        "self": _z(1, 2, *spatial),
        "weight": _z(2, 2, *[2] * dims),
        "kernel_size": [2] * dims,
        "bias": None,
        "stride": [1] * dims,
        "padding": [0] * dims,
    } | more


def _matched() -> dict[str, dict[str, Any]]:
    return {
        "float_power_.Scalar": {"self": _z(3, dtype=torch.complex128), "exponent": 2.0},
        "float_power_.Tensor": {
            "self": _z(3, dtype=torch.complex128),
            "exponent": _z(3, dtype=torch.complex128),
        },
        "where.Scalar": {"condition": torch.tensor([True, False]), "self": 1 + 2j, "other": 3.0},
        "scatter.value_reduce": {
            "self": _z(3, 3), "dim": 0, "index": torch.zeros(1, 3, dtype=torch.int64),
            "value": 2.0, "reduce": "multiply",
        },
        "value_selecting_reduction_backward.default": {
            "grad": _z(3), "dim": 0, "indices": torch.zeros(3, dtype=torch.int64),
            "sizes": [2, 3], "keepdim": False,
        },
        "index_select_backward.default": {
            "grad": _z(2, 3), "self_sizes": [3, 3], "dim": 0, "index": torch.tensor([0, 2]),
        },
        "trace_backward.default": {"grad": _z(), "sizes": [3, 3]},
        "gradient.scalarrayarray": {"self": _z(3, 3), "spacing": [1.0, 2.0], "dim": [0, 1]},
        "gradient.tensorarray": {"self": _z(3), "spacing": [torch.arange(3.0)], "dim": [0]},
        "gradient.tensorarrayint": {"self": _z(3), "spacing": [torch.arange(3.0)], "dim": 0},
        "nuclear_norm.dim": {"self": _z(3, 3), "dim": [0, 1]},
        "linalg_cond.p_str": {"self": _z(3, 3), "p": "fro"},
        "linalg_norm.ord_str": {"self": _z(3, 3), "ord": "fro"},
        "linalg_matrix_norm.default": {"self": _z(3, 3), "ord": 2.0},
        "conv_tbc.default": {"self": _z(5, 1, 2), "weight": _z(3, 2, 4), "bias": _z(4), "pad": 0},
    }  # fmt: skip


def special_calls() -> dict[str, dict[str, Any]]:
    """Calls by overload, without `aten.`; other forms of an overload borrow them."""
    torch.manual_seed(0)
    calls = _matched() | {
        "lstm_cell.default": _cell(4, 2),
        "gru_cell.default": _cell(3, 1),
        "lstm.input": _recurrent(4, 2),
        "gru.input": _recurrent(3, 1),
        "rnn_tanh.input": _recurrent(1, 1),
        "rnn_relu.input": _recurrent(1, 1),
        "thnn_conv2d.default": _convolution(2),
        "_slow_conv2d_forward.default": _convolution(2),
        "slow_conv3d.default": _convolution(3),
        "slow_conv3d_forward.default": _convolution(3),
        "slow_conv_transpose2d.default": _convolution(2),
        "slow_conv_transpose3d.default": _convolution(3),
        "slow_conv_dilated2d.default": _convolution(2, dilation=[1, 1]),
        "slow_conv_dilated3d.default": _convolution(3, dilation=[1, 1, 1]),
    }
    number, tensor = 0.5, _z()
    for start, end in itertools.product(("Scalar", "Tensor"), repeat=2):
        ends = {"start": tensor if start == "Tensor" else number}
        ends["end"] = tensor if end == "Tensor" else number
        form = "default" if start == end == "Scalar" else f"{start}_{end}"
        calls[f"linspace.{form}"] = calls[f"logspace.{form}"] = ends | {"steps": 3}
    for dims, name in itertools.product((2, 3), ("reflection", "replication")):
        shape = [1, 2, *[3] * dims]
        pad = {"self": _z(*shape), "padding": [1] * (2 * dims)}
        calls[f"{name}_pad{dims}d.default"] = pad
        grown = _z(1, 2, *[5] * dims)
        calls[f"{name}_pad{dims}d_backward.default"] = {"grad_output": grown} | pad
    return calls
