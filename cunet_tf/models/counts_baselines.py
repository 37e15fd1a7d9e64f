"""The convolutions of the paper's baselines, from their configurations alone."""

from cunet_tf.config_baselines import DenseUNetConfig, HourglassConfig
from cunet_tf.models.conv_count import ConvCount


def dense_unet_convs(config: DenseUNetConfig) -> list[ConvCount]:
    """Every convolution of a dense U-Net, in the order in which they run."""
    m, side = config.main_channels, config.heatmap_size
    convs = [ConvCount("stem", "stem", 7, 3, m, config.input_size // 2, m)]
    for level in range(config.levels):
        convs += _dense_block(config, f"down{level}", "down", side // 2**level)
    convs += _dense_block(config, "neck", "neck", side // 2**config.levels)
    for level in reversed(range(config.levels)):
        convs += _dense_block(config, f"up{level}", "up", side // 2**level)
    return [*convs, ConvCount(config.head_name(0), "heads", 1, m, config.landmarks, side, m)]


def _dense_block(config: DenseUNetConfig, position: str, part: str, side: int) -> list[ConvCount]:
    m, n = config.main_channels, config.growth
    base = 2 * m if part == "up" else m

    def conv(name: str, label: str, kernel: int, inputs: int, outputs: int) -> ConvCount:
        return ConvCount(f"unet0_{position}_{name}", f"{part} {label}", kernel, inputs, outputs, side, inputs)

    convs = []
    for layer in range(config.layers):
        convs.append(conv(f"bottleneck{layer}", "1x1", 1, base + layer * n, 4 * n))
        convs.append(conv(f"features{layer}", "3x3", 3, 4 * n, n))
    ends = ("ahead", "skip") if part == "down" else ("ahead",)
    return convs + [conv(end, end, 1, base + config.layers * n, m) for end in ends]


def hourglass_convs(config: HourglassConfig) -> list[ConvCount]:
    """Every convolution of a stacked hourglass network, in the order in which they run."""
    width, side, first = config.channels, config.heatmap_size, config.stem_channels
    convs = [ConvCount("stem", "stem", 7, 3, first, 2 * side, first)]
    convs += _residual("stem_residual0", "stem", first, width // 2, 2 * side)
    convs += _residual("stem_residual1", "stem", width // 2, width // 2, side)
    convs += _residual("stem_residual2", "stem", width // 2, width, side)
    for index in range(config.stacks):
        convs += _hourglass(f"stack{index}", width, config.depth, 0, side)
        convs += _stack_end(config, index)
    return convs


def _hourglass(name: str, width: int, depth: int, level: int, side: int) -> list[ConvCount]:
    """The residuals at one level and all below it."""

    def residual(position: str, at: int) -> list[ConvCount]:
        return _residual(f"{name}_{position}", "hourglass", width, width, at)

    half = side // 2
    convs = residual(f"side{level}", side) + residual(f"down{level}", half)
    convs += _hourglass(name, width, depth, level + 1, half) if level + 1 < depth else residual("bottom", half)
    return convs + residual(f"up{level}", half)


def _stack_end(config: HourglassConfig, index: int) -> list[ConvCount]:
    """From an hourglass' output to its heat maps, and from both back into the flow."""
    width, side, maps = config.channels, config.heatmap_size, config.landmarks
    name = f"stack{index}"
    convs = _residual(f"{name}_out", "hourglass", width, width, side)
    convs.append(ConvCount(f"{name}_lin", "lin", 1, width, width, side, width))
    convs.append(ConvCount(config.head_name(index), "heads", 1, width, maps, side, 0))
    if index + 1 < config.stacks:
        convs.append(ConvCount(f"{name}_remap_features", "remap", 1, width, width, side, 0))
        convs.append(ConvCount(f"{name}_remap_heatmaps", "remap", 1, maps, width, side, 0))
    return convs


def _residual(path: str, part: str, inputs: int, outputs: int, side: int) -> list[ConvCount]:
    """The bottleneck, and a 1x1 convolution beside it where the channels change."""
    half = outputs // 2
    convs = [
        ConvCount(f"{path}/reduce", f"{part} 1x1", 1, inputs, half, side, inputs),
        ConvCount(f"{path}/middle", f"{part} 3x3", 3, half, half, side, half),
        ConvCount(f"{path}/expand", f"{part} 1x1", 1, half, outputs, side, half),
    ]
    skip = ConvCount(f"{path}/skip", f"{part} skip", 1, inputs, outputs, side, 0)
    return convs if inputs == outputs else [*convs, skip]
