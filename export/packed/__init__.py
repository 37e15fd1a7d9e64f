"""Writer of the packed container ``.cunet``: one ``.tflite`` model near one bit a weight."""
