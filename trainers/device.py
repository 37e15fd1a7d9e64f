"""Which device trains."""

import keras


def prepare_device() -> str:
    """Let the GPU's memory grow on demand, and name the device that Keras will use."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return f"jax: {jax.devices()[0].device_kind}"
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus]
    return f"tensorflow: {', '.join(names) if names else 'CPU'}"
