"""Attention with several heads, and the encoder layer of the Transformer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import ops
from ops.attention import attention_weights
from ops.shape import shaped
from tracer import init
from tracer.nn.dropout import Dropout
from tracer.nn.linear import Linear
from tracer.nn.module import Module, name_of
from tracer.nn.normalisation import LayerNorm
from tracer.parameters import parameter


class MultiheadAttention(Module):
    """Attention in several heads side by side (Vaswani et al. 2017, section 3.2.2), with PyTorch's parameters.

    in_proj_weight: (3 · embed_dim, embed_dim), for query, key and value, Xavier; in_proj_bias: zeros; out_proj: Linear.
    dropout: the probability to drop an attention weight in training.

    query: float (L, N, E), key and value: (S, N, E); (N, L, E) and so on if batch_first; or (L, E), (S, E).
    key_padding_mask: bool (N, S), True for keys that nobody may attend to. attn_mask: bool (L, S) or (N · heads, L, S),
    True for what may not be attended to, or float, which is added to the scores. is_causal: query i attends to keys 0
    to i only. (`tr.scaled_dot_product_attention` takes bools the other way round, as PyTorch's does.)

    Returns: what was attended to, in the shape of the query, and the attention weights if need_weights (L, S), with N
    before it, averaged over the heads, or by head; else None.

    >>> import tracer as tr
    >>> attention = tr.nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = np.ones((3, 5, 8))
    >>> out, weights = attention(x, x, x, need_weights=True)
    >>> out.shape, weights.shape
    ((3, 5, 8), (3, 5, 5))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        *,
        batch_first: bool = False,
        rng: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        if num_heads < 1 or embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention: {embed_dim} numbers do not split into {num_heads} heads\n"
                f"  try: an embed_dim that is a multiple of num_heads"
            )
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, dropout
        self.batch_first = batch_first
        rng, shape = init.generator(rng), (3 * embed_dim, embed_dim)
        self.in_proj_weight = parameter(init.xavier_uniform(shape, rng=rng, dtype=dtype))
        self.in_proj_bias = parameter(np.zeros(3 * embed_dim, dtype)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, rng=rng, dtype=dtype)
        if self.out_proj.bias is not None:
            self.out_proj.bias.set(np.zeros(embed_dim, dtype))

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        *,
        key_padding_mask: Any = None,
        attn_mask: Any = None,
        is_causal: bool = False,
        need_weights: bool = False,
        average_attn_weights: bool = True,
    ) -> tuple[Any, Any]:
        """What the queries attend to, and how much."""
        q, k, v = (self._heads(x) for x in self._projected(*map(shaped, (query, key, value))))
        mask = _mask(attn_mask, key_padding_mask, q.shape, k.shape)
        weights = None
        if need_weights or (self.dropout and self.training):
            given = 0.0 if mask is None else mask
            weights = attention_weights(q, k, v, given, causal=is_causal, scale=None)
            used = ops.dropout(weights, self.dropout, training=self.training)
            attended = used @ v
        else:
            attended = ops.scaled_dot_product_attention(q, k, v, mask, causal=is_causal)
        out = self.out_proj(self._together(attended))
        if not need_weights:
            return out, None
        if average_attn_weights:
            weights = ops.mean(weights, axis=-3)
        return out, weights

    def _projected(self, *inputs: Any) -> list[Any]:
        """Queries, keys and values: each input through its third of the weight."""
        projected = []
        for number, x in enumerate(inputs):
            rows = slice(number * self.embed_dim, (number + 1) * self.embed_dim)
            bias = None if self.in_proj_bias is None else self.in_proj_bias[rows]
            projected.append(ops.linear(x, self.in_proj_weight[rows], bias))
        return projected

    def _heads(self, x: Any) -> Any:
        """(L, N, E), (N, L, E) or (L, E) as (N, heads, L, E / heads), without N if there is none."""
        split = ops.reshape(x, shape=(*x.shape[:-1], self.num_heads, -1))
        return ops.transpose(split, axes=self._order(x.ndim))

    def _together(self, x: Any) -> Any:
        """The heads side by side again, in the order of axes that came in."""
        back = ops.transpose(x, axes=tuple(np.argsort(self._order(x.ndim - 1)).tolist()))
        return ops.reshape(back, shape=(*back.shape[:-2], self.embed_dim))

    def _order(self, rank: int) -> tuple[int, ...]:
        if rank == 2:
            return (1, 0, 2)
        return (0, 2, 1, 3) if self.batch_first else (1, 2, 0, 3)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.embed_dim}, num_heads={self.num_heads}"


def _mask(attn_mask: Any, padding: Any, query: tuple[int, ...], key: tuple[int, ...]) -> Any:
    """Both masks as one that broadcasts to (N, heads, L, S): bool, True for what may be attended to, or float."""
    mask: Any = None
    if attn_mask is not None:
        mask = attn_mask if hasattr(attn_mask, "dtype") else np.asarray(attn_mask)
        if mask.ndim == 3 and len(query) == 4:
            mask = ops.reshape(mask, shape=(*query[:2], *mask.shape[1:]))
        if mask.dtype.kind == "b":
            mask = ~np.asarray(mask)
    if padding is None:
        return mask
    kept = ~np.asarray(padding, dtype=bool)
    kept = kept[:, None, None, :] if len(key) == 4 else kept
    if mask is None:
        return kept
    return mask & kept if mask.dtype.kind == "b" else ops.where(kept, mask, -np.inf)


class TransformerEncoderLayer(Module):
    """Self-attention and a network of two layers, each with a residual path around it (Vaswani et al. 2017).

    y = norm1(x + attention(x)), z = norm2(y + linear2(f(linear1(y)))); with norm_first the inputs of both are
    normalised instead. f is ReLU unless another activation is given, as a function or as "gelu".

    src: float (L, N, d_model), (N, L, d_model) if batch_first, or (L, d_model).  Returns: the shape of src.
    src_mask, src_key_padding_mask, is_causal: as those of `MultiheadAttention`.

    >>> import tracer as tr
    >>> layer = tr.nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True)
    >>> layer(np.ones((3, 5, 8)), is_causal=True).shape
    (3, 5, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Callable[[Any], Any] | str = ops.relu,
        layer_norm_eps: float = 1e-5,
        *,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        rng: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        if isinstance(activation, str):
            if activation not in ("relu", "gelu"):
                raise ValueError(
                    f"TransformerEncoderLayer: no activation {activation!r}\n"
                    f"  try: 'relu', 'gelu', or a function such as tr.silu"
                )
            activation = ops.relu if activation == "relu" else ops.gelu
        drawn: dict[str, Any] = {"rng": init.generator(rng), "dtype": dtype}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, **drawn
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, **drawn)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **drawn)
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.activation, self.norm_first = activation, norm_first

    def forward(
        self,
        src: Any,
        src_mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Any:
        """The encoded sequence."""
        masks = {
            "attn_mask": src_mask,
            "key_padding_mask": src_key_padding_mask,
            "is_causal": is_causal,
        }
        if self.norm_first:
            x = src + self._attended(self.norm1(src), masks)
            return x + self._fed_forward(self.norm2(x))
        x = self.norm1(src + self._attended(src, masks))
        return self.norm2(x + self._fed_forward(x))

    def _attended(self, x: Any, masks: dict[str, Any]) -> Any:
        return self.dropout1(self.self_attn(x, x, x, **masks)[0])

    def _fed_forward(self, x: Any) -> Any:
        hidden = self.dropout(self.activation(self.linear1(x)))
        return self.dropout2(self.linear2(hidden))

    def extra_repr(self) -> str:
        """The activation, and where the norms stand."""
        return f"activation={name_of(self.activation)}, norm_first={self.norm_first}"
