"""``.keras`` files of before the stem was one layer: their configuration and variables in today's form.

Then padding, convolution, batch normalisation, ReLU and pooling of the stem were layers of their own,
``stem_pad``, ``stem_conv``, ``stem_bn``, ``stem_relu`` and ``stem_pool`` (and so were the first three behind an
hourglass). The optimizer's variables keep their order and need no change.
"""

import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import h5py

Layer = dict[str, Any]  # a layer's entry in the configuration of a functional model

CLASS = {"module": "cunet_tf.models.convolution", "class_name": "ConvBNReLU", "registered_name": "cunet_tf>ConvBNReLU"}
BN_NAMES = ("gamma", "beta", "moving_mean", "moving_variance")  # in the order in which Keras stored them


@dataclass
class Merged:
    """One group of old layers that are a single one now.

    Attributes:
        name: of the new layer.
        members: names of the old ones, by part: ``pad``, ``conv``, ``bn``, ``relu``, ``pool``.
    """

    name: str
    members: dict[str, str] = field(default_factory=dict)


def upgraded(config: dict[str, Any], weights: bytes) -> tuple[dict[str, Any], bytes]:
    """Configuration and variables of a ``.keras`` file in today's form; those that are of it stay as they are."""
    groups = find_groups(_layers(config))
    if not groups:
        return config, weights
    return _configuration(config, groups), _weights(weights, _layers(config), groups)


def find_groups(layers: list[Layer]) -> list[Merged]:
    """Old layers that belong together: ``X_conv``, ``X_bn`` and ``X_relu``, with ``X_pad`` and the stem's pool."""
    names = {layer["name"]: layer for layer in layers}
    groups = []
    for name in names:
        base = name.removesuffix("_conv")
        if base != name and {f"{base}_bn", f"{base}_relu"} <= set(names):
            group = Merged(base, {part: f"{base}_{part}" for part in ("conv", "bn", "relu")})
            if f"{base}_pad" in names:
                group.members["pad"] = f"{base}_pad"
            pool = names.get(f"{base}_pool")
            if pool and group.members["relu"] in _sources(pool):  # not where something stands between
                group.members["pool"] = pool["name"]
            groups.append(group)
    return groups


def _layers(config: dict[str, Any]) -> list[Layer]:
    layers = config["config"].get("layers", [])
    return layers if all("name" in layer for layer in layers) else []  # of a sequential model they have none


def _sources(layer: Layer) -> set[str]:
    """Names of the layers that a layer reads."""
    return set(re.findall(r'"keras_history": \["([^"]+)"', json.dumps(layer["inbound_nodes"])))


def _configuration(config: dict[str, Any], groups: list[Merged]) -> dict[str, Any]:
    """The whole configuration with each group as one layer."""
    old = {layer["name"]: layer for layer in _layers(config)}
    text = config | {"config": {**config["config"], "layers": _kept(_layers(config), groups, _new_layer(old))}}
    return json.loads(_renamed(json.dumps(text), groups))


def _kept(layers: list[Layer], groups: list[Merged], make: Callable[[Merged], Layer]) -> list[Layer]:
    """The layers in their order, each group in the place of its convolution."""
    place = {group.members["conv"]: group for group in groups}
    inside = {name for group in groups for name in group.members.values()}
    return [make(place[layer["name"]]) if layer["name"] in place else layer
            for layer in layers if layer["name"] in place or layer["name"] not in inside]  # fmt: skip


def _new_layer(old: dict[str, Layer]) -> Callable[[Merged], Layer]:
    def make(group: Merged) -> Layer:
        conv, first = old[group.members["conv"]], old[group.members.get("pad", group.members["conv"])]
        gamma = old[group.members["bn"]]["config"]["gamma_initializer"]["class_name"]
        own = conv["config"]
        config = {
            **{name: own[name] for name in ("trainable", "dtype")}, "name": group.name, "filters": own["filters"],
            "kernel_size": own["kernel_size"][0], "strides": own["strides"][0], "pool": "pool" in group.members,
            "gamma_init": "ones" if gamma == "Ones" else "uniform",
        }  # fmt: skip
        return {**CLASS, "config": config, "build_config": first.get("build_config"), "name": group.name,
                "inbound_nodes": first["inbound_nodes"]}  # fmt: skip

    return make


def _renamed(text: str, groups: list[Merged]) -> str:
    """References to the last layer of a group as references to the new one."""
    for group in groups:
        last = group.members.get("pool", group.members["relu"])
        text = re.sub(rf'("keras_history": \[)"{re.escape(last)}"', rf'\1"{group.name}"', text)
    return text


def _weights(data: bytes, layers: list[Layer], groups: list[Merged]) -> bytes:
    """The HDF5 file of variables, with those of each group together and by name."""
    old_place = _places(layers)
    new_layers = _kept(layers, groups, lambda group: {**CLASS, "name": group.name})
    merged = {group.name: group.members for group in groups}
    stream = io.BytesIO()
    with h5py.File(io.BytesIO(data)) as source, h5py.File(stream, "w") as target:
        for key in source:
            if key != "layers":
                source.copy(key, target)
        for name, place in _places(new_layers).items():
            if name not in merged:
                if old_place[name] in source["layers"]:
                    source.copy(source["layers"][old_place[name]], target.require_group("layers"), place)
                continue
            store = target.create_group(f"layers/{place}/vars")
            members = merged[name]
            store["kernel"] = source[f"layers/{old_place[members['conv']]}/vars/0"][()]
            for index, variable in enumerate(BN_NAMES):
                store[variable] = source[f"layers/{old_place[members['bn']]}/vars/{index}"][()]
    return stream.getvalue()


def _places(layers: Iterable[Layer]) -> dict[str, str]:
    """Layer -> its group in the file: Keras counts the layers of each class."""
    seen: dict[str, int] = {}
    places = {}
    for layer in layers:
        words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", layer["class_name"])
        name = re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
        count = seen[name] = seen.get(name, -1) + 1
        places[layer["name"]] = f"{name}_{count}" if count else name
    return places
