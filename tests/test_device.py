from trainers.device import prepare_device


def test_device_is_named():
    name = prepare_device()
    assert name.startswith("tensorflow: ") and len(name) > len("tensorflow: ")
