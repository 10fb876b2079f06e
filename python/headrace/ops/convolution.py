"""Convolutions and pooling of images [batch, height, width, channels] (NHWC), or with the channels second (NCHW)."""

from ..framework.convert import convert_to_tensor
from ..framework.graph import name_scope
from ..framework.op_library import apply_op
from . import array


def _format(data_format):
    """"NHWC" or "NCHW". Raises ValueError for anything else."""
    if data_format not in (None, "NHWC", "NCHW"):
        raise ValueError(f"data_format must be NHWC or NCHW, got {data_format!r}")
    return data_format or "NHWC"


def _window(value, data_format):
    """Extents along all four axes from a number, a pair, or all four."""
    value = [value] if isinstance(value, int) else [int(v) for v in value]
    if len(value) == 1:
        value = value * 2
    if len(value) == 2:
        return [1, 1, *value] if data_format == "NCHW" else [1, *value, 1]
    if len(value) != 4:
        raise ValueError(f"expected 1, 2 or 4 numbers, got {value}")
    return value


def _padding(padding):
    if isinstance(padding, str):
        return {"padding": padding.upper()}
    return {"padding": "EXPLICIT", "explicit_paddings": [int(n) for pair in padding for n in pair]}


def _options(strides, padding, data_format, dilations=None):
    data_format = _format(data_format)
    options = {"strides": _window(1 if strides is None else strides, data_format), "data_format": data_format,
               **_padding(padding)}
    if dilations is not None:
        options["dilations"] = _window(dilations, data_format)
    return options


def conv2d(input, filter=None, strides=None, padding=None, use_cudnn_on_gpu=True, data_format="NHWC", dilations=(1, 1, 1, 1),
           name=None, filters=None):
    """Convolution with a filter [height, width, in, out]."""
    return apply_op("Conv2D", input, filters if filter is None else filter, name=name,
                    **_options(strides, padding, data_format, dilations))


def conv2d_transpose(value=None, filter=None, output_shape=None, strides=None, padding="SAME", data_format="NHWC", name=None,
                     input=None, filters=None, dilations=None):
    """The transpose (gradient) of conv2d; the filter is [height, width, out, in]."""
    return apply_op("Conv2DBackpropInput", array._extents(output_shape), filters if filter is None else filter,
                    input if value is None else value, name=name or "conv2d_transpose",
                    **_options(strides, padding, data_format, dilations))


def conv2d_backprop_input(input_sizes, filter=None, out_backprop=None, strides=None, padding=None, use_cudnn_on_gpu=True,
                          data_format="NHWC", dilations=(1, 1, 1, 1), name=None, filters=None):
    """The gradient of conv2d for its input."""
    return apply_op("Conv2DBackpropInput", array._extents(input_sizes), filters if filter is None else filter, out_backprop,
                    name=name, **_options(strides, padding, data_format, dilations))


def conv2d_backprop_filter(input, filter_sizes, out_backprop, strides, padding, use_cudnn_on_gpu=True, data_format="NHWC",
                           dilations=(1, 1, 1, 1), name=None):
    """The gradient of conv2d for its filter."""
    return apply_op("Conv2DBackpropFilter", input, array._extents(filter_sizes), out_backprop, name=name,
                    **_options(strides, padding, data_format, dilations))


def depthwise_conv2d(input, filter, strides, padding, rate=None, name=None, data_format=None, dilations=None):
    """Each channel is convolved with filters of its own: [height, width, in, multiplier]."""
    return apply_op("DepthwiseConv2dNative", input, filter, name=name,
                    **_options(strides, padding, data_format, dilations or rate or 1))


def depthwise_conv2d_native(input, filter, strides, padding, data_format="NHWC", dilations=(1, 1, 1, 1), name=None):
    """As depthwise_conv2d, without `rate`."""
    return depthwise_conv2d(input, filter, strides, padding, None, name, data_format, dilations)


def separable_conv2d(input, depthwise_filter, pointwise_filter, strides, padding, rate=None, name=None, data_format=None,
                     dilations=None):
    """depthwise_conv2d, then a 1 x 1 convolution."""
    with name_scope(name or "separable_conv2d") as scope:
        inner = depthwise_conv2d(input, depthwise_filter, strides, padding, rate, "depthwise", data_format, dilations)
        return conv2d(inner, pointwise_filter, 1, "VALID", data_format=data_format, name=scope)


def conv1d(value=None, filters=None, stride=None, padding=None, use_cudnn_on_gpu=None, data_format=None, name=None, input=None,
           dilations=None):
    """Convolution of [batch, width, in] (data_format "NWC") or [batch, in, width] ("NCW") with a filter [width, in, out]."""
    value = convert_to_tensor(input if value is None else value)
    if data_format not in (None, "NWC", "NHWC", "NCW", "NCHW"):
        raise ValueError("data_format must be \"NWC\" or \"NCW\".")
    first = data_format in ("NCW", "NCHW")
    axis, wide_format = (2, "NCHW") if first else (1, "NHWC")

    def wide(number):
        number = number if isinstance(number, int) else (list(number) if len(number) == 1 else list(number)[2 if first else 1:])
        return [1, number if isinstance(number, int) else int(number[0])]

    with name_scope(name or "conv1d") as scope:
        result = conv2d(array.expand_dims(value, axis), array.expand_dims(filters, 0), wide(1 if stride is None else stride), padding,
                        data_format=wide_format, dilations=wide(1 if dilations is None else dilations))
        return array.squeeze(result, [axis], name=scope)


def atrous_conv2d(value, filters, rate, padding, name=None):
    """conv2d whose filter has rate - 1 holes between its elements."""
    return conv2d(value, filters, 1, padding, dilations=rate, name=name or "atrous_conv2d")


def convolution(input, filter=None, padding="VALID", strides=None, dilation_rate=None, name=None, data_format=None, filters=None,
                dilations=None):
    """conv1d or conv2d, by the input's rank."""
    input = convert_to_tensor(input)
    filter = filters if filter is None else filter
    dilations = dilations or dilation_rate or 1
    if input.shape.rank == 4:
        return conv2d(input, filter, strides, padding, data_format=data_format, dilations=dilations, name=name or "convolution")
    if input.shape.rank == 3:
        return conv1d(input, filter, strides, padding, data_format=data_format, dilations=dilations, name=name or "convolution")
    raise NotImplementedError(f"convolution: inputs of rank 3 or 4 only, got the shape {input.shape}")


def _pooled(op_type, value, ksize, strides, padding, data_format, name):
    data_format = _format(data_format)
    return apply_op(op_type, value, ksize=_window(1 if ksize is None else ksize, data_format),
                    strides=_window(1 if strides is None else strides, data_format), data_format=data_format,
                    name=name or op_type, **_padding(padding))


def max_pool(value=None, ksize=None, strides=None, padding="VALID", data_format="NHWC", name=None, input=None):
    """The largest value of each window."""
    return _pooled("MaxPool", input if value is None else value, ksize, strides, padding, data_format, name)


def avg_pool(value=None, ksize=None, strides=None, padding="VALID", data_format="NHWC", name=None, input=None):
    """The mean of each window."""
    return _pooled("AvgPool", input if value is None else value, ksize, strides, padding, data_format, name)


def max_pool2d(input, ksize, strides, padding, data_format="NHWC", name=None):
    """The largest value of each window."""
    return max_pool(input, ksize, strides, padding, data_format, name)


def avg_pool2d(input, ksize, strides, padding, data_format="NHWC", name=None):
    """The mean of each window."""
    return avg_pool(input, ksize, strides, padding, data_format, name)


def pool(input, window_shape, pooling_type, padding, dilation_rate=None, strides=None, name=None, data_format=None,
         dilations=None):
    """max_pool ("MAX") or avg_pool ("AVG") of images."""
    if (dilations or dilation_rate) is not None and any(d != 1 for d in (dilations or dilation_rate)):
        raise NotImplementedError("pool: dilations are not there")
    if pooling_type not in ("MAX", "AVG") or len(window_shape) != 2:
        raise NotImplementedError(f"pool: MAX and AVG over two axes only, got {pooling_type} over {window_shape}")
    return (max_pool if pooling_type == "MAX" else avg_pool)(input, list(window_shape), strides, padding, data_format, name)


def local_response_normalization(input, depth_radius=5, bias=1, alpha=1, beta=0.5, name=None):
    """Each value divided by (bias + alpha * the sum of squares of its neighbours in depth) to the power beta."""
    return apply_op("LRN", input, depth_radius=depth_radius, bias=bias, alpha=alpha, beta=beta, name=name)


lrn = local_response_normalization
