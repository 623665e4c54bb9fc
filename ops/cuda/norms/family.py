"""Normalisations on a device: over columns, over rows, and over channels."""

from __future__ import annotations

from ops.cuda.kernel import Kernel
from ops.cuda.native import Native
from ops.cuda.norms import images, kernels, layer

KERNELS: dict[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        kernels.MOMENTS,
        kernels.STATISTICS,
        kernels.AFFINE,
        kernels.SLOPES,
        kernels.SLOPES_SUM,
        kernels.FLOW,
        kernels.FORWARD,
        kernels.BACKWARD,
        kernels.ROW_SLOPES,
        kernels.CHANNEL_MOMENTS,
        kernels.CHANNEL_AFFINE,
        kernels.CHANNEL_SLOPES,
        kernels.CHANNEL_FLOW,
    )
}

NATIVE: dict[str, Native] = {
    "batch_norm": Native(images.batch_value, images.batch_pull),
    "batch_norm_inference": Native(images.inference_value),
    "layer_norm": Native(layer.layer_value, layer.rows_pull),
    "rms_norm": Native(layer.rms_value, layer.rows_pull),
    "group_norm": Native(images.group_value, images.group_pull),
    "instance_norm": Native(images.instance_value, images.instance_pull),
}
